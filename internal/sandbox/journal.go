package sandbox

import (
	"slices"
	"time"
)

// JournalEntry is a row of GET /1.0/events.
type JournalEntry struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	UserID     Optional          `json:"user_id"`
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
	ExtraInfos map[string]string `json:"extra_infos"`
}

// journal adds an entry. Called with the lock held.
func (s *Server) journal(name, userID string, infos map[string]string) {
	now := seconds(s.now())
	s.state.journal = append(s.state.journal, JournalEntry{
		ID: s.ids.next(), Name: name, UserID: Optional(userID), CreatedAt: now, UpdatedAt: now, ExtraInfos: infos,
	})
}

func contentInfos(row *stored) map[string]string {
	infos := map[string]string{
		"content_id": row.ID, "content_thread_id": row.ThreadID, "content_source_id": row.SourceID,
	}
	if row.InterventionID != "" {
		infos["intervention_id"] = string(row.InterventionID)
	}
	return infos
}

// listJournal is GET /1.0/events.
func (s *Server) listJournal(c *call) reply {
	q, refused := parseSearch(c.params, "content", "content_thread", "name_in", "created_before", "created_after", "user")
	if refused != nil {
		return *refused
	}
	for _, keyword := range []string{"created_before", "created_after"} {
		for _, t := range q.terms[keyword] {
			if _, err := time.Parse(time.RFC3339, t.value); err != nil {
				return invalid(violation{"q", keyword + " is not an ISO 8601 date"})
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*JournalEntry
	for i := range s.state.journal {
		e := &s.state.journal[i]
		if q.matches(e.has) {
			found = append(found, e)
		}
	}
	if !q.asc {
		slices.Reverse(found)
	}
	return page(c.params, found)
}

func (e *JournalEntry) has(keyword, value string) bool {
	switch keyword {
	case "content":
		return e.ExtraInfos["content_id"] == value
	case "content_thread":
		return e.ExtraInfos["content_thread_id"] == value
	case "name_in":
		return e.Name == value
	case "user":
		return string(e.UserID) == value
	}
	at, _ := time.Parse(time.RFC3339, value) // checked above
	if keyword == "created_before" {
		return e.CreatedAt.Before(at)
	}
	return e.CreatedAt.After(at)
}
