package sandbox

import (
	"cmp"
	"fmt"
	"time"
)

// defaultLanguage is what a content is written in unless told.
const defaultLanguage = "en"

// maxImport bounds Import.Count, so that a slip of the finger does not eat the memory.
const maxImport = 100_000

// Import is a content that comes from a source: a customer's message, or with an outbound Status one of the brand's. Every
// field may be empty. Naming an ID that exists imports that content again, with its new body and status.
type Import struct {
	ID          string         `json:"id"`
	SourceID    string         `json:"source_id"`   // unknown ones are added
	SourceType  string         `json:"source_type"` // of an added source
	Type        string         `json:"type"`
	ThreadID    string         `json:"thread_id"` // empty starts a thread; unknown ones are added
	InReplyToID string         `json:"in_reply_to_id"`
	Title       string         `json:"title"` // the thread's, where it starts one
	AuthorID    string         `json:"author_id"`
	Author      string         `json:"author"` // display name; the same name on the same source is the same identity
	CreatorID   string         `json:"creator_id"`
	CreatedFrom string         `json:"created_from"`
	Status      string         `json:"status"`
	Body        string         `json:"body"`
	NoBody      bool           `json:"no_body"` // null in the API, "" in the webhook
	BodyFormat  string         `json:"body_format"`
	Language    string         `json:"language"`
	ForeignID   string         `json:"foreign_id"`
	Private     *bool          `json:"private"`
	CategoryIDs []string       `json:"category_ids"`
	ContextData map[string]any `json:"context_data"`
	Attachments []Attachment   `json:"attachments"` // only in the API; a webhook says has_attachment
	// CreatedAt is the date on the source. The past makes a late import: old date, new id.
	CreatedAt time.Time `json:"created_at"`
	// Webhook false tells nobody. Nil means true.
	Webhook *bool `json:"webhook"`
	// Count imports that many alike, each into a thread of its own unless ThreadID is set. 0 means 1.
	Count int `json:"count"`
}

// Import adds contents and returns them. It returns ErrInvalid for an unknown status or parent and for a senseless count.
func (s *Server) Import(in Import) ([]Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := max(in.Count, 1)
	switch {
	case count > maxImport:
		return nil, fmt.Errorf("%w: count is above %d", ErrInvalid, maxImport)
	case count > 1 && in.ID != "":
		return nil, fmt.Errorf("%w: count with an id", ErrInvalid)
	case in.Status != "" && !knownStatus(in.Status):
		return nil, fmt.Errorf("%w: status %q", ErrInvalid, in.Status)
	case in.InReplyToID != "" && s.state.contents[in.InReplyToID] == nil:
		return nil, fmt.Errorf("%w: unknown in_reply_to_id %q", ErrInvalid, in.InReplyToID)
	}
	out := make([]Content, 0, count)
	for range count {
		row := s.state.contents[in.ID]
		if row == nil {
			row = s.importNew(in)
		} else {
			s.importAgain(row, in)
		}
		if in.Webhook == nil || *in.Webhook {
			s.emitContent(importEvent(&row.Content), row, string(row.CreatorID))
		}
		out = append(out, row.Content)
	}
	return out, nil
}

// importEvent names the event. What the brand posts outside the product is imported like a customer's message.
func importEvent(c *Content) string {
	switch {
	case !c.Outbound() || c.CreatedFrom == CreatedFromSynchronizer:
		return EventImported
	case c.Status == StatusUserReply:
		return EventReplied
	default:
		return EventDiscussionInitiated
	}
}

func (s *Server) importAgain(row *stored, in Import) {
	if in.Body != "" || in.NoBody {
		row.setBody(in.Body, cmp.Or(in.BodyFormat, row.BodyInputFormat))
	}
	row.Status = cmp.Or(in.Status, row.Status)
	row.UpdatedAt = seconds(s.now())
}

func (s *Server) importNew(in Import) *stored {
	now := s.now()
	s.state.imported++
	if in.Body == "" && !in.NoBody {
		in.Body = fmt.Sprintf("Hello, this is message %d", s.state.imported)
	}
	parent := s.state.contents[in.InReplyToID]
	if parent != nil {
		in.ThreadID, in.SourceID = cmp.Or(in.ThreadID, parent.ThreadID), cmp.Or(in.SourceID, parent.SourceID)
	}
	thread, source := s.place(in, now)
	created := in.CreatedAt
	if created.IsZero() {
		created = now
	}
	row := &stored{visibleAt: now.Add(s.cfg.IndexLag), Content: Content{
		ID: cmp.Or(in.ID, s.ids.next()), SourceID: source.ID, SourceType: source.Type,
		Type: cmp.Or(in.Type, source.ContentType), ThreadID: thread.ID, CreatorID: Optional(in.CreatorID),
		ForeignCategories: []string{}, CreatedFrom: in.CreatedFrom, PrivateMessage: source.Private,
		Status: cmp.Or(in.Status, StatusNew), Language: cmp.Or(in.Language, defaultLanguage),
		SynchronizationStatus: ExportSuccess, CategoryIDs: in.CategoryIDs, ContextData: in.ContextData,
		Attachments: []Attachment{}, Published: true, CreatedAt: seconds(created), UpdatedAt: seconds(created),
	}}
	if created.Before(now) {
		row.UpdatedAt = seconds(now)
	}
	row.ForeignID = Optional(cmp.Or(in.ForeignID, "ext-"+row.ID))
	row.setBody(in.Body, cmp.Or(in.BodyFormat, "text"))
	s.fillImport(row, in, parent, thread, source)
	s.state.insert(row)
	return row
}

// fillImport sets what depends on the direction, the parent and the intervention.
func (s *Server) fillImport(row *stored, in Import, parent *stored, thread *Thread, source *Source) {
	if in.Private != nil {
		row.PrivateMessage = *in.Private
	}
	if row.CategoryIDs == nil {
		row.CategoryIDs = []string{}
	}
	for _, a := range in.Attachments {
		row.Attachments = append(row.Attachments, s.keep(a, nil, "http://sandbox.invalid"))
	}
	row.AttachmentsCount = len(row.Attachments)
	if parent != nil {
		row.InReplyToID, row.InReplyToAuthorID = Optional(parent.ID), Optional(parent.AuthorID)
	}
	open := s.openIntervention(thread.ID)
	if open != nil {
		row.InterventionID = Optional(open.ID)
	}
	if row.Outbound() {
		row.AuthorID = cmp.Or(in.AuthorID, s.brandIdentity(source))
		row.CreatedFrom = cmp.Or(row.CreatedFrom, CreatedFromInterface)
		return
	}
	row.AuthorID = s.author(in, thread, source).ID
	row.CreatedFrom = cmp.Or(row.CreatedFrom, CreatedFromSynchronizer)
	if open != nil && in.Status == "" {
		row.Status = StatusAssigned
	}
}

// place finds or makes the thread and the source of an import.
func (s *Server) place(in Import, now time.Time) (*Thread, *Source) {
	thread := s.state.threads[in.ThreadID]
	sourceID := cmp.Or(in.SourceID, s.state.defaultSource)
	if thread != nil {
		sourceID = thread.SourceID
	}
	source := s.state.sources[sourceID]
	if source == nil {
		source = &Source{ID: sourceID, Type: cmp.Or(in.SourceType, "whats_app"), ContentType: "message"}
		s.state.sources[sourceID] = source
	}
	if thread == nil {
		thread = s.newThread(in.ThreadID, sourceID, cmp.Or(in.Title, in.Body), now)
	}
	return thread, source
}

// author finds or makes the customer: by id, by name, else the thread's own.
func (s *Server) author(in Import, thread *Thread, source *Source) *Identity {
	identity := s.state.identities[cmp.Or(in.AuthorID, thread.customer)]
	if in.Author != "" && in.AuthorID == "" {
		identity = s.identityByName(source.ID, in.Author)
	}
	if identity == nil {
		identity = s.newIdentity(in.AuthorID, source, in.Author)
	}
	thread.customer = cmp.Or(thread.customer, identity.ID)
	return identity
}

func (s *Server) identityByName(sourceID, name string) *Identity {
	for _, i := range s.state.identities {
		if i.CommunityID == sourceID && i.DisplayName == name {
			return i
		}
	}
	return nil
}
