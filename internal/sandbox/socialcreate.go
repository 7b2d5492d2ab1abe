package sandbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"unicode/utf8"
)

// socialRequest is the body of POST …/contents. ContextData is the one field that could carry a reference of the client's.
type socialRequest struct {
	AuthorIdentityID   string         `json:"authorIdentityId"`
	Body               string         `json:"body"`
	InReplyToContentID string         `json:"inReplyToContentId"`
	Public             *bool          `json:"public"`
	ChannelID          string         `json:"channelId"`
	SourceID           string         `json:"sourceId"` // its former name
	AttachmentIDs      []string       `json:"attachmentIds"`
	Title              string         `json:"title"`
	To                 []string       `json:"to"`
	TemplateName       string         `json:"templateName"`
	TemplateLanguage   string         `json:"templateLanguage"`
	Components         any            `json:"components"`
	ContextData        map[string]any `json:"contextData"`
	AutoSubmitted      bool           `json:"autoSubmitted"`
}

// bodyLimit is the most characters a channel takes; 0 means that none is documented.
func bodyLimit(channelType string) int {
	switch channelType {
	case "AppleMessagesForBusiness":
		return 10_000
	case "Email":
		return 262_144
	case "EngageMessaging":
		return 1024
	case "Facebook", "Youtube":
		return 8000
	case "GoogleMyBusiness":
		return 4000
	case "Instagram":
		return 950
	case "InstagramMessaging":
		return 1000
	case "Linkedin":
		return 3000
	case "Messenger":
		return 2000
	case "Twitter":
		return 280
	case "Viber":
		return 7000
	case "WhatsApp":
		return 3800
	}
	return 0
}

// createContent is POST …/contents, answered 201. It is published later; there is no idempotency
// key.
func (a *socialAPI) createContent(c *call) reply {
	var in socialRequest
	if err := json.Unmarshal(c.body, &in); err != nil {
		return slim(badParameter("body"))
	}
	if a.old {
		in.ChannelID = in.SourceID // the other name is not known, and so ignored
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	parent := a.social.contents[in.InReplyToContentID]
	channel := a.social.channel(in.ChannelID)
	if parent != nil {
		channel = a.social.channel(parent.ChannelID)
	}
	if refused := a.refuseContent(in, parent, channel); refused != nil {
		return slim(*refused)
	}
	content := a.writeContent(in, parent, channel)
	c.log.set(func(e *Call) { e.ContentID, e.ThreadID = content.ID, content.ThreadID })
	answer := a.spell(content) // as the caller sees it: not exported yet
	if parent == nil {
		a.emitSocial(socialInitiated, content)
	}
	a.after(a.cfg.ExportDelay, func() {
		if content.SynchronizationStatus == SocialExportPending {
			a.exportContent(content, SocialExportSuccess, "")
		}
	})
	made := ok(answer)
	made.status = http.StatusCreated
	return made
}

func (a *socialAPI) refuseContent(in socialRequest, parent *SocialContent, channel *Channel) *reply {
	refuse := func(rep reply) *reply { return &rep }
	switch {
	case in.InReplyToContentID != "" && parent == nil:
		return refuse(missing("inReplyToContentId"))
	case channel == nil && in.ChannelID != "":
		return refuse(missing("channelId"))
	case channel == nil:
		return refuse(badParameter("channelId"))
	case parent != nil && parent.SynchronizationStatus != SocialExportSuccess:
		return refuse(badParameter("inReplyToContentId"))
	case in.Body == "" && in.TemplateName == "":
		return refuse(badParameter("body"))
	case bodyLimit(channel.Type) > 0 && utf8.RuneCountInString(in.Body) > bodyLimit(channel.Type):
		return refuse(badParameter("body"))
	case in.AuthorIdentityID != "" && a.social.identities[in.AuthorIdentityID] == nil:
		return refuse(badParameter("authorIdentityId"))
	case parent == nil && len(in.To) == 0:
		return refuse(badParameter("to"))
	case channel.Type == "Email" && parent == nil && in.Title == "":
		return refuse(badParameter("title"))
	case len(in.AttachmentIDs) > 0: // nothing public tells how they are uploaded
		return refuse(badParameter("attachmentIds"))
	}
	return nil
}

func (a *socialAPI) writeContent(in socialRequest, parent *SocialContent, channel *Channel) *SocialContent {
	now := a.s.now()
	content := &SocialContent{
		ID: a.s.ids.next(), CreationTime: seconds(now), AuthorIdentityID: cmp.Or(in.AuthorIdentityID, a.brandOn(channel)),
		CreatorID: ExtensionID, CreatedFrom: "Api", ContentDirection: directionOutgoing, Status: SocialUserInitiated,
		ThreadID: a.s.ids.next(), Type: channel.ContentType, Title: in.Title, Public: in.Public == nil || *in.Public,
		AutoSubmitted: in.AutoSubmitted, SynchronizationStatus: SocialExportPending,
	}
	setSocialBody(content, in.Body)
	if in.TemplateName != "" { // its text is not in the body
		setSocialBody(content, "")
		content.Type = "OutboundMessage"
		content.StructuredContent = map[string]any{"type": "Template", "subtitle": cmp.Or(in.Body, in.TemplateName)}
	}
	if a.cfg.KeepContextData {
		content.ContextData = in.ContextData
	}
	if parent != nil {
		content.Status, content.ThreadID = SocialUserReply, parent.ThreadID
		content.InReplyToContentID, content.InReplyToAuthorIdentity = Optional(parent.ID), Optional(parent.AuthorIdentityID)
		if parent.Status == SocialNew || parent.Status == SocialAssigned {
			parent.Status = SocialReplied
			a.modify(parent)
		}
	}
	a.keepContent(content, channel)
	return content
}

// keepContent adds a content to its thread and to the lists, modified now.
func (p *Platform) keepContent(c *SocialContent, channel *Channel) {
	c.ChannelID, c.ChannelType = channel.ID, channel.Type
	c.Language, c.Published = cmp.Or(c.Language, "En"), true
	c.FirstInThread = p.social.threads[c.ThreadID] == 0
	p.social.threads[c.ThreadID]++
	for _, list := range []*[]string{&c.CategoryIDs, &c.ForeignCategories} {
		if *list == nil {
			*list = []string{}
		}
	}
	if c.Attachments == nil {
		c.Attachments = []SocialAttachment{}
	}
	p.social.contents[c.ID] = c
	p.modify(c)
}

// exportContent ends a content's export and tells it. Called with the lock held.
func (p *Platform) exportContent(c *SocialContent, status, text string) {
	c.SynchronizationStatus, c.SynchronizationError = status, Optional(text)
	p.modify(c)
	p.emitSocial(socialExported, c)
}

// brandOn returns the identity that the account speaks as on a channel.
func (p *Platform) brandOn(channel *Channel) string {
	if channel.brand == "" {
		brand := p.newSocialIdentity("", channel, "Brand")
		brand.IdentityType, brand.UserIDs = "Agent", []string{ExtensionID}
		channel.brand = brand.ID
	}
	return channel.brand
}

func (p *Platform) newSocialIdentity(id string, channel *Channel, name string) *SocialIdentity {
	id = cmp.Or(id, p.s.ids.next())
	now := seconds(p.s.now())
	made := &SocialIdentity{
		ID: id, Type: channel.Type + "User", IdentityType: "Customer", UUID: id, channel: channel.ID,
		DisplayName: cmp.Or(name, "Customer "+id[max(0, len(id)-4):]), UserIDs: []string{}, ExtraValues: map[string]any{},
		CreationTime: now, LastModifiedTime: now,
	}
	p.social.identities[id] = made
	return made
}
