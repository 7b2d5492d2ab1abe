package sandbox

import (
	"cmp"
	"net/url"
	"slices"
	"time"
)

// The two addresses of the same resource: the present one, and its former name.
const (
	socialBase   = "/cx/social-messaging/v1"
	advancedBase = "/engage/advanced-messaging/v1"
)

// Statuses of a content, as Social Messaging spells them.
const (
	SocialNew           = "New"
	SocialAssigned      = "Assigned"
	SocialReplied       = "Replied"
	SocialIgnored       = "Ignored"
	SocialUserReply     = "UserReply"
	SocialUserInitiated = "UserInitiated"

	directionIncoming = "Incoming"
	directionOutgoing = "Outgoing"

	SocialExportPending = "ExportPending"
	SocialExportSuccess = "Success"
	SocialExportFailure = "ExportFailure"
)

// SocialContent is a content of Social Messaging, in the present spelling. Times are in seconds.
type SocialContent struct {
	ID                      string             `json:"id"`
	CreationTime            time.Time          `json:"creationTime"`
	LastModifiedTime        time.Time          `json:"lastModifiedTime"`
	AuthorIdentityID        string             `json:"authorIdentityId"`
	CreatorID               Optional           `json:"creatorId"`
	Body                    string             `json:"body"`
	BodyFormatted           map[string]string  `json:"bodyFormatted"`
	BodyInputFormat         string             `json:"bodyInputFormat"`
	CategoryIDs             []string           `json:"categoryIds"`
	ContentDirection        string             `json:"contentDirection"`
	ContextData             map[string]any     `json:"contextData"`
	CreatedFrom             string             `json:"createdFrom"`
	FirstInThread           bool               `json:"firstInThread"`
	ForeignCategories       []string           `json:"foreignCategories"`
	InReplyToContentID      Optional           `json:"inReplyToContentId"`
	InReplyToAuthorIdentity Optional           `json:"inReplyToAuthorIdentityId"`
	InterventionID          Optional           `json:"interventionId"`
	IdentityGroupID         Optional           `json:"identityGroupId"`
	Language                string             `json:"language"`
	Public                  bool               `json:"public"`
	Published               bool               `json:"published"`
	RemotelyDeleted         bool               `json:"remotelyDeleted"`
	ChannelID               string             `json:"channelId"`
	ChannelType             string             `json:"channelType"`
	ChannelURI              Optional           `json:"channelUri"`
	Status                  string             `json:"status"`
	SynchronizationStatus   string             `json:"synchronizationStatus"`
	SynchronizationError    Optional           `json:"synchronizationError"`
	ThreadID                string             `json:"threadId"`
	Title                   string             `json:"title"`
	Type                    string             `json:"type"`
	Attachments             []SocialAttachment `json:"attachments"`
	AutoSubmitted           bool               `json:"autoSubmitted"`
	StructuredContent       any                `json:"structuredContent,omitempty"`
}

// SocialAttachment is a file of a content.
type SocialAttachment struct {
	ID               string    `json:"id"`
	CreationTime     time.Time `json:"creationTime"`
	LastModifiedTime time.Time `json:"lastModifiedTime"`
	ContentType      string    `json:"contentType"`
	Filename         string    `json:"filename"`
	Size             int       `json:"size"`
	Embedded         bool      `json:"embedded"`
	Public           bool      `json:"public"`
	URI              string    `json:"uri"`
}

// SocialIdentity is a person on a channel. There is no foreignId. The brand's own have user ids.
type SocialIdentity struct {
	ID               string         `json:"id"`
	Type             string         `json:"type"`
	IdentityType     string         `json:"identityType"` // Agent or Customer
	DisplayName      string         `json:"displayName"`
	ScreenName       Optional       `json:"screenName"`
	FirstName        Optional       `json:"firstName"`
	LastName         Optional       `json:"lastName"`
	EmailAddress     Optional       `json:"emailAddress"`
	HomePhone        Optional       `json:"homePhone"`
	MobilePhone      Optional       `json:"mobilePhone"`
	Company          Optional       `json:"company"`
	Gender           Optional       `json:"gender"`
	AvatarURI        Optional       `json:"avatarUri"`
	IdentityGroupID  Optional       `json:"identityGroupId"`
	UserIDs          []string       `json:"userIds"`
	UUID             string         `json:"uuid"`
	ExtraValues      map[string]any `json:"extraValues"`
	CreationTime     time.Time      `json:"creationTime"`
	LastModifiedTime time.Time      `json:"lastModifiedTime"`

	channel string
}

// outgoing reports whether the brand wrote the content.
func (c *SocialContent) outgoing() bool { return c.ContentDirection == directionOutgoing }

// socialState is what Social Messaging holds. Platform.mu guards it.
type socialState struct {
	channels   []*Channel
	contents   map[string]*SocialContent
	index      map[string]*SocialContent // copies: what lists show
	threads    map[string]int            // contents of each
	customers  map[string]string
	identities map[string]*SocialIdentity
	imported   int
}

func newSocialState(cfg PlatformConfig) *socialState {
	st := &socialState{
		contents: map[string]*SocialContent{}, index: map[string]*SocialContent{}, threads: map[string]int{}, customers: map[string]string{},
		identities: map[string]*SocialIdentity{},
	}
	for _, c := range cfg.Channels {
		st.channels = append(st.channels, &c)
	}
	return st
}

func (st *socialState) channel(id string) *Channel {
	for _, c := range st.channels {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// Channels returns the channels configured, with their ids.
func (p *Platform) Channels() []Channel { return slices.Clone(p.cfg.Channels) }

// Contents returns all contents of Social Messaging, oldest first, whatever lists show yet.
func (p *Platform) Contents() []SocialContent {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]SocialContent, 0, len(p.social.contents))
	for _, c := range p.social.contents {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b SocialContent) int {
		return cmp.Or(a.CreationTime.Compare(b.CreationTime), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Content returns one content, or ErrNotFound.
func (p *Platform) Content(id string) (SocialContent, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.social.contents[id]; c != nil {
		return *c, nil
	}
	return SocialContent{}, ErrNotFound
}

// threadOf returns the thread of a content, or "".
func (p *Platform) threadOf(contentID string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.social.contents[contentID]; c != nil {
		return c.ThreadID
	}
	return ""
}

// setSocialBody sets a body in all its forms.
func setSocialBody(c *SocialContent, body string) {
	var forms Content
	forms.setBody(body, "text")
	c.Body, c.BodyInputFormat = body, "Text"
	c.BodyFormatted = map[string]string{"text": forms.BodyFormatted.Text, "html": forms.BodyFormatted.HTML}
}

// modify is what every change of a content ends with. Lists show it after the lag, until then the state before; a get shows it
// at once.
func (p *Platform) modify(c *SocialContent) {
	c.LastModifiedTime = seconds(p.s.now())
	p.after(p.cfg.IndexLag, func() {
		indexed := *c
		p.social.index[c.ID] = &indexed
	})
}

// emitSocial sends a content's event: less than the content, and without its times. Called with the lock held.
func (p *Platform) emitSocial(event string, c *SocialContent) {
	body := map[string]any{
		"issuedAt": p.s.now().UTC().Format(timeFormat),
		"resource": map[string]any{
			"id": c.ID, "authorIdentityId": c.AuthorIdentityID, "body": c.Body, "channelId": c.ChannelID,
			"channelType": c.ChannelType, "creatorId": c.CreatorID, "hasAttachment": len(c.Attachments) > 0,
			"inReplyToContentId": c.InReplyToContentID, "inReplyToAuthorIdentityId": c.InReplyToAuthorIdentity,
			"status": c.Status, "type": c.Type, "threadId": c.ThreadID,
		},
	}
	for _, base := range []string{socialBase, advancedBase} {
		p.notify(base+"/contents/"+event, false, func(*subscription, url.Values) any {
			if base == advancedBase && event != socialImported {
				return nil // the only event of Advanced Messaging
			}
			return body
		}, Notification{})
	}
}
