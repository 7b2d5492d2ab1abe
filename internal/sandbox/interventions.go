package sandbox

import (
	"fmt"
	"slices"
	"time"
)

// Intervention is an agent's work on a conversation with one customer.
type Intervention struct {
	ID           string         `json:"id"`
	CreatedAt    time.Time      `json:"created_at"`
	UpdatedAt    time.Time      `json:"updated_at"`
	SourceID     string         `json:"source_id"`
	ThreadID     string         `json:"thread_id"`
	ContentID    Optional       `json:"content_id"`
	DeferredAt   *time.Time     `json:"deferred_at"`
	IdentityID   string         `json:"identity_id"`
	Closed       bool           `json:"closed"`
	ClosedAt     *time.Time     `json:"closed_at"`
	CustomFields map[string]any `json:"custom_fields"`
	CategoryIDs  []string       `json:"category_ids"`
	UserID       string         `json:"user_id"`
	Status       string         `json:"status"`
}

// Engage opens an intervention with an identity, on its newest conversation, as an agent does. It returns ErrNotFound when
// the identity is unknown or wrote nothing, ErrInvalid when one is open already.
func (s *Server) Engage(identityID string) (Intervention, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range slices.Backward(s.state.byDate) {
		if row.AuthorID != identityID {
			continue
		}
		if s.openIntervention(row.ThreadID) != nil {
			return Intervention{}, fmt.Errorf("%w: already engaged", ErrInvalid)
		}
		return *s.engage(row, s.ids.next()), nil
	}
	return Intervention{}, ErrNotFound
}

// Disengage closes an intervention, or returns ErrNotFound.
func (s *Server) Disengage(interventionID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.intervention(interventionID)
	if i == nil {
		return ErrNotFound
	}
	now := seconds(s.now())
	i.Closed, i.ClosedAt, i.UpdatedAt, i.Status = true, &now, now, "Closed"
	s.emitIntervention(EventInterventionClosed, i)
	return nil
}

// engage opens an intervention for an agent; the thread's new contents become assigned.
func (s *Server) engage(row *stored, userID string) *Intervention {
	now := seconds(s.now())
	i := &Intervention{
		ID: s.ids.next(), CreatedAt: now, UpdatedAt: now, SourceID: row.SourceID, ThreadID: row.ThreadID,
		ContentID: Optional(row.ID), IdentityID: row.AuthorID, CustomFields: map[string]any{}, CategoryIDs: []string{},
		UserID: userID, Status: "Open",
	}
	s.state.interventions = append(s.state.interventions, i)
	s.state.threads[row.ThreadID].InterventionsCount++
	for _, other := range s.state.byDate {
		if other.ThreadID == row.ThreadID && other.Status == StatusNew {
			other.Status, other.InterventionID, other.UpdatedAt = StatusAssigned, Optional(i.ID), now
		}
	}
	s.emitIntervention(EventInterventionOpened, i)
	return i
}

func (s *Server) openIntervention(threadID string) *Intervention {
	for _, i := range s.state.interventions {
		if i.ThreadID == threadID && !i.Closed {
			return i
		}
	}
	return nil
}

func (s *Server) intervention(id string) *Intervention {
	for _, i := range s.state.interventions {
		if i.ID == id {
			return i
		}
	}
	return nil
}

// createIntervention is POST /1.0/interventions.
func (s *Server) createIntervention(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	row := s.state.contents[c.params.get("content_id")]
	switch {
	case row == nil:
		return notFound("Content")
	case s.openIntervention(row.ThreadID) != nil:
		return unprocessable("already_open", "The intervention is already open")
	}
	return ok(*s.engage(row, s.user))
}

func (s *Server) getIntervention(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.intervention(c.r.PathValue("id"))
	if i == nil {
		return notFound("Intervention")
	}
	return ok(*i)
}

// listInterventions is GET /1.0/interventions, with the few keywords a bridge may want.
func (s *Server) listInterventions(c *call) reply {
	q, refused := parseSearch(c.params, "id", "identity", "source", "thread")
	if refused != nil {
		return *refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*Intervention
	for _, i := range s.state.interventions {
		fields := map[string]string{"id": i.ID, "identity": i.IdentityID, "source": i.SourceID, "thread": i.ThreadID}
		if q.matches(func(k, v string) bool { return fields[k] == v }) {
			found = append(found, i)
		}
	}
	if !q.asc {
		slices.Reverse(found)
	}
	return page(c.params, found)
}
