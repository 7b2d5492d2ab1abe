package sandbox

import (
	"cmp"
	"time"
)

// createContent is POST /1.0/contents. There is no idempotency key: called twice it writes twice.
func (s *Server) createContent(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, refused := s.draft(c.params)
	if refused != nil {
		return *refused
	}
	row := s.write(d)
	c.log.set(func(e *Call) { e.ContentID, e.ThreadID = row.ID, row.ThreadID })
	created := row.Content // as the caller sees it: not exported yet

	event := EventReplied
	if d.parent == nil {
		event = EventDiscussionInitiated
	}
	s.emitContent(event, row, s.user)
	s.scheduleExport(row)
	return ok(created)
}

// write makes the content.
func (s *Server) write(d draft) *stored {
	now := s.now()
	p := d.params
	if d.thread == nil {
		d.thread = s.newThread("", d.source.ID, cmp.Or(p.get("title"), p.get("body")), now)
	}
	row := &stored{visibleAt: now.Add(s.cfg.IndexLag), Content: Content{
		ID: s.ids.next(), SourceID: d.source.ID, SourceType: d.source.Type, Type: d.source.ContentType,
		ThreadID: d.thread.ID, AuthorID: cmp.Or(d.authorID, s.brandIdentity(d.source)), CreatorID: Optional(s.user),
		CreatedFrom: CreatedFromAPI, Status: StatusUserInitiated, PrivateMessage: d.private, AutoSubmitted: d.auto,
		Language: defaultLanguage, Title: p.get("title"), StructuredContent: d.structured,
		ForeignCategories: []string{}, CategoryIDs: []string{}, Attachments: []Attachment{},
		SynchronizationStatus: ExportPending, Published: true, CreatedAt: seconds(now), UpdatedAt: seconds(now),
	}}
	row.setBody(p.get("body"), d.format)
	for _, id := range p.list("attachment_ids") {
		row.Attachments = append(row.Attachments, s.state.attachments[id].Attachment)
	}
	row.AttachmentsCount = len(row.Attachments)
	if open := s.openIntervention(d.thread.ID); open != nil {
		row.InterventionID = Optional(open.ID)
	}
	if d.parent != nil {
		row.Status = StatusUserReply
		row.InReplyToID, row.InReplyToAuthorID = Optional(d.parent.ID), Optional(d.parent.AuthorID)
		markReplied(d.parent, now)
	}
	s.state.insert(row)
	return row
}

// markReplied is what a reply does to its parent. A poller sees it as an update.
func markReplied(parent *stored, at time.Time) {
	if parent.Status == StatusNew || parent.Status == StatusAssigned {
		parent.Status, parent.UpdatedAt = StatusReplied, seconds(at)
	}
}
