package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// Types of the events that the sandbox sends by itself. Emit sends any other.
const (
	EventImported            = "content.imported"
	EventReplied             = "content.replied"
	EventDiscussionInitiated = "content.discussion_initiated"
	EventExported            = "content.exported"
	EventInterventionOpened  = "intervention.opened"
	EventInterventionClosed  = "intervention.closed"
)

// Event is one event of a webhook request. Its id stays the same however often it is sent.
type Event struct {
	Type     string   `json:"type"`
	ID       string   `json:"id"`
	IssuedAt string   `json:"issued_at"`
	UserID   string   `json:"user_id,omitempty"` // agents only
	Action   string   `json:"action,omitempty"`
	Resource Resource `json:"resource"`
}

// Resource is what an event is about.
type Resource struct {
	Type     string          `json:"type"`
	ID       string          `json:"id"`
	Metadata json.RawMessage `json:"metadata"`
}

// issuedFormat is RFC 3339 with exactly three digits, as in all recordings.
const issuedFormat = "2006-01-02T15:04:05.000Z07:00"

// Emit sends an event of any type, known or not. An empty id, issued_at or metadata is filled in. It returns ErrInvalid for
// an event without a type.
func (s *Server) Emit(e Event) (Event, error) {
	if e.Type == "" {
		return Event{}, fmt.Errorf("%w: event without type", ErrInvalid)
	}
	if e.ID == "" {
		e.ID = s.ids.next()
	}
	if e.IssuedAt == "" {
		e.IssuedAt = s.now().UTC().Format(issuedFormat)
	}
	if e.Resource.Metadata == nil {
		e.Resource.Metadata = json.RawMessage("{}")
	}
	s.hooks.emit(e)
	return e, nil
}

// emitContent tells webhook and journal of a content as it is now. Called with the lock held.
func (s *Server) emitContent(event string, row *stored, userID string) {
	s.journal(event, userID, contentInfos(row))
	s.emit(event, userID, row.SourceType+"/"+row.Type, row.ID, s.contentMetadata(event, row))
}

func (s *Server) emitIntervention(event string, i *Intervention) {
	s.journal(event, i.UserID, map[string]string{"intervention_id": i.ID, "content_thread_id": i.ThreadID})
	s.emit(event, i.UserID, "intervention", i.ID, map[string]any{
		"custom_field_values": i.CustomFields, "category_ids": i.CategoryIDs, "closed_at": i.ClosedAt,
		"deferred_at": i.DeferredAt, "identity_id": i.IdentityID, "source_id": i.SourceID, "thread_id": i.ThreadID,
		"user_id": i.UserID,
	})
}

func (s *Server) emit(event, userID, resourceType, resourceID string, metadata map[string]any) {
	raw, err := json.Marshal(metadata)
	if err != nil { // only context data of an import can do that
		s.logger.Error("sandbox event not encoded", "type", event, "error", err)
		return
	}
	s.hooks.emit(Event{
		Type: event, ID: s.ids.next(), IssuedAt: s.now().UTC().Format(issuedFormat), UserID: userID,
		Resource: Resource{Type: resourceType, ID: resourceID, Metadata: raw},
	})
}

// contentMetadata has the keys of the recorded events. It differs from the API's object: private, thread_title, a date
// without a time in the account's time zone, an empty body instead of null, and no attachments.
func (s *Server) contentMetadata(event string, row *stored) map[string]any {
	m := map[string]any{
		"approval_required":     row.ApprovalRequired,
		"author_id":             row.AuthorID,
		"body":                  string(row.Body),
		"body_input_format":     row.BodyInputFormat,
		"category_ids":          row.CategoryIDs,
		"creator_id":            row.CreatorID,
		"date":                  row.CreatedAt.In(s.cfg.Location).Format(time.DateOnly),
		"first_in_thread":       row.FirstInThread,
		"foreign_categories":    row.ForeignCategories,
		"foreign_id":            row.ForeignID,
		"has_attachment":        row.AttachmentsCount > 0,
		"intervention_id":       row.InterventionID,
		"in_reply_to_author_id": row.InReplyToAuthorID,
		"in_reply_to_id":        row.InReplyToID,
		"language":              row.Language,
		"source_id":             row.SourceID,
		"status":                row.Status,
		"thread_id":             row.ThreadID,
		"thread_title":          s.state.threads[row.ThreadID].Title,
		"created_from":          row.CreatedFrom,
		"private":               row.PrivateMessage,
	}
	extra := map[string]any{}
	if event == EventExported {
		extra["synchronization_status"] = row.SynchronizationStatus
	}
	if row.ContextData != nil {
		extra["context_data"] = row.ContextData
	}
	maps.Copy(m, extra)
	return m
}
