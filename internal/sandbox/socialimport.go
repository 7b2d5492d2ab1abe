package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
)

// SocialImport is a content that comes from a channel: a customer's message, or with an outbound Status one that an agent wrote.
// Every field may be empty. Naming an ID that exists imports that content again, with its new body and status.
type SocialImport struct {
	ID                 string             `json:"id"`
	ChannelID          string             `json:"channel_id"` // the first configured when empty; unknown ones are added
	ChannelType        string             `json:"channel_type"`
	Type               string             `json:"type"`
	ThreadID           string             `json:"thread_id"` // empty starts a thread
	InReplyToContentID string             `json:"in_reply_to_content_id"`
	AuthorIdentityID   string             `json:"author_identity_id"`
	Author             string             `json:"author"` // display name; the same name on the same channel is the same identity
	CreatorID          string             `json:"creator_id"`
	Status             string             `json:"status"`
	Body               string             `json:"body"`
	Title              string             `json:"title"`
	ContextData        map[string]any     `json:"context_data"`
	Attachments        []SocialAttachment `json:"attachments"`
	// CreatedAt is the date on the channel. The past makes a late import: old date, new id, modified now.
	CreatedAt time.Time `json:"created_at"`
	// Notify false tells nobody. Nil means true.
	Notify *bool `json:"notify"`
	// Count imports that many alike, each into a thread of its own unless ThreadID is set. 0 means 1.
	Count int `json:"count"`
}

// ImportContents adds contents to Social Messaging and returns them, or ErrInvalid.
func (p *Platform) ImportContents(in SocialImport) ([]SocialContent, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	count := max(in.Count, 1)
	switch {
	case count > maxImport || count > 1 && in.ID != "":
		return nil, fmt.Errorf("%w: count", ErrInvalid)
	case in.InReplyToContentID != "" && p.social.contents[in.InReplyToContentID] == nil:
		return nil, fmt.Errorf("%w: unknown in_reply_to_content_id %q", ErrInvalid, in.InReplyToContentID)
	case !knownSocialStatus(in.Status):
		return nil, fmt.Errorf("%w: status %q", ErrInvalid, in.Status)
	}
	out := make([]SocialContent, 0, count)
	for range count {
		content := p.social.contents[in.ID]
		if content == nil {
			content = p.importContent(in)
		} else {
			setSocialBody(content, cmp.Or(in.Body, content.Body))
			content.Status = cmp.Or(in.Status, content.Status)
			p.modify(content)
		}
		if in.Notify == nil || *in.Notify {
			p.emitSocial(importedAs(content), content)
		}
		out = append(out, *content)
	}
	return out, nil
}

func knownSocialStatus(status string) bool {
	switch status {
	case "", SocialNew, SocialAssigned, SocialReplied, SocialIgnored, SocialUserReply, SocialUserInitiated:
		return true
	}
	return false
}

// importedAs names the event. An agent's reply has none of its own: it shows when it was exported.
func importedAs(c *SocialContent) string {
	switch {
	case !c.outgoing():
		return socialImported
	case c.Status == SocialUserInitiated:
		return socialInitiated
	}
	return socialExported
}

func (p *Platform) importContent(in SocialImport) *SocialContent {
	p.social.imported++
	parent := p.social.contents[in.InReplyToContentID]
	if parent != nil {
		in.ThreadID, in.ChannelID = cmp.Or(in.ThreadID, parent.ThreadID), cmp.Or(in.ChannelID, parent.ChannelID)
	}
	channel := p.channelOf(in)
	created := in.CreatedAt
	if created.IsZero() {
		created = p.s.now()
	}
	content := &SocialContent{
		ID: cmp.Or(in.ID, p.s.ids.next()), CreationTime: seconds(created), ThreadID: cmp.Or(in.ThreadID, p.s.ids.next()),
		Type: cmp.Or(in.Type, channel.ContentType), Status: cmp.Or(in.Status, SocialNew), CreatorID: Optional(in.CreatorID),
		Title: in.Title, ContextData: in.ContextData, Attachments: in.Attachments, Public: true,
		ContentDirection: directionIncoming, CreatedFrom: "Synchronizer", SynchronizationStatus: SocialExportSuccess,
	}
	setSocialBody(content, cmp.Or(in.Body, fmt.Sprintf("Hello, this is message %d", p.social.imported)))
	if parent != nil {
		content.InReplyToContentID, content.InReplyToAuthorIdentity = Optional(parent.ID), Optional(parent.AuthorIdentityID)
	}
	if content.Status == SocialUserReply || content.Status == SocialUserInitiated {
		content.ContentDirection, content.CreatedFrom = directionOutgoing, "Interface"
		content.AuthorIdentityID = cmp.Or(in.AuthorIdentityID, p.brandOn(channel))
	} else {
		content.AuthorIdentityID = p.customer(in, content.ThreadID, channel).ID
	}
	p.keepContent(content, channel)
	return content
}

func (p *Platform) channelOf(in SocialImport) *Channel {
	if in.ChannelID == "" {
		return p.social.channels[0]
	}
	channel := p.social.channel(in.ChannelID)
	if channel == nil {
		channel = &Channel{ID: in.ChannelID, Type: cmp.Or(in.ChannelType, "WhatsApp"), ContentType: "Message"}
		p.social.channels = append(p.social.channels, channel)
	}
	return channel
}

// customer finds or makes the author: by id, by name, else the thread's own.
func (p *Platform) customer(in SocialImport, thread string, channel *Channel) *SocialIdentity {
	identity := p.social.identities[cmp.Or(in.AuthorIdentityID, p.social.customers[thread])]
	if in.Author != "" && in.AuthorIdentityID == "" {
		identity = nil
		for _, i := range p.social.identities {
			if i.channel == channel.ID && i.DisplayName == in.Author {
				identity = i
			}
		}
	}
	if identity == nil {
		identity = p.newSocialIdentity(in.AuthorIdentityID, channel, in.Author)
	}
	p.social.customers[thread] = cmp.Or(p.social.customers[thread], identity.ID)
	return identity
}

// SocialEdit changes a content where it stands; empty fields stay. Its lastModifiedTime moves, and no event tells of it.
type SocialEdit struct {
	Body            *string `json:"body"`
	Status          string  `json:"status"`
	RemotelyDeleted *bool   `json:"remotely_deleted"`
	// SynchronizationStatus ends the export, with its event: Success, ExportFailure ….
	SynchronizationStatus string `json:"synchronization_status"`
	SynchronizationError  string `json:"synchronization_error"`
	// Fields sets any fields of the content but id and creationTime, in the present spelling.
	Fields json.RawMessage `json:"fields,omitempty"`
}

// EditContent changes a content and returns it, or ErrNotFound, or ErrInvalid for an unknown status.
func (p *Platform) EditContent(id string, e SocialEdit) (SocialContent, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.social.contents[id]
	if c == nil {
		return SocialContent{}, ErrNotFound
	}
	if !knownSocialStatus(e.Status) {
		return SocialContent{}, fmt.Errorf("%w: status %q", ErrInvalid, e.Status)
	}
	changed, err := overlaid(*c, e.Fields)
	if err != nil {
		return SocialContent{}, err
	}
	*c = changed
	if e.Body != nil {
		setSocialBody(c, *e.Body)
	}
	c.Status = cmp.Or(e.Status, c.Status)
	if e.RemotelyDeleted != nil {
		c.RemotelyDeleted = *e.RemotelyDeleted
	}
	p.modify(c)
	if e.SynchronizationStatus != "" {
		p.exportContent(c, e.SynchronizationStatus, e.SynchronizationError)
	}
	return *c, nil
}

// PutIdentity adds an identity to the first channel, or changes the one with the same id: fields left empty stay.
func (p *Platform) PutIdentity(change SocialIdentity) SocialIdentity {
	p.mu.Lock()
	defer p.mu.Unlock()
	to := p.social.identities[change.ID]
	if to == nil {
		to = p.newSocialIdentity(change.ID, p.social.channels[0], "")
	}
	to.Type, to.IdentityType = cmp.Or(change.Type, to.Type), cmp.Or(change.IdentityType, to.IdentityType)
	to.DisplayName, to.ScreenName = cmp.Or(change.DisplayName, to.DisplayName), cmp.Or(change.ScreenName, to.ScreenName)
	to.FirstName, to.LastName = cmp.Or(change.FirstName, to.FirstName), cmp.Or(change.LastName, to.LastName)
	to.EmailAddress, to.Company = cmp.Or(change.EmailAddress, to.EmailAddress), cmp.Or(change.Company, to.Company)
	to.HomePhone, to.MobilePhone = cmp.Or(change.HomePhone, to.HomePhone), cmp.Or(change.MobilePhone, to.MobilePhone)
	to.Gender, to.AvatarURI = cmp.Or(change.Gender, to.Gender), cmp.Or(change.AvatarURI, to.AvatarURI)
	to.IdentityGroupID = cmp.Or(change.IdentityGroupID, to.IdentityGroupID)
	if change.UserIDs != nil {
		to.UserIDs = change.UserIDs
	}
	if change.ExtraValues != nil {
		to.ExtraValues = change.ExtraValues
	}
	to.LastModifiedTime = seconds(p.s.now())
	return *to
}
