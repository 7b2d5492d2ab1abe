package sandbox

import (
	"cmp"
	"fmt"
)

// Edit changes a content where it stands; empty fields stay. No webhook tells of it: only a reader of the API sees the new
// updated_at, and the list is not ordered by that.
type Edit struct {
	Body            *string `json:"body"`
	Status          string  `json:"status"`
	RemotelyDeleted *bool   `json:"remotely_deleted"`
	// SynchronizationStatus ends the export, with content.exported; see Server.Export.
	SynchronizationStatus string `json:"synchronization_status"`
	SynchronizationError  string `json:"synchronization_error"`
}

// Edit changes a content and returns it, or ErrNotFound, or ErrInvalid for an unknown status.
func (s *Server) Edit(id string, e Edit) (Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	row := s.state.contents[id]
	if row == nil {
		return Content{}, ErrNotFound
	}
	if e.Status != "" && !knownStatus(e.Status) {
		return Content{}, fmt.Errorf("%w: status %q", ErrInvalid, e.Status)
	}
	if e.Body != nil {
		row.setBody(*e.Body, row.BodyInputFormat)
	}
	row.Status = cmp.Or(e.Status, row.Status)
	if e.RemotelyDeleted != nil {
		row.RemotelyDeleted = *e.RemotelyDeleted
	}
	row.UpdatedAt = seconds(s.now())
	if e.SynchronizationStatus != "" {
		s.export(row, e.SynchronizationStatus, e.SynchronizationError)
	} else {
		s.journal("content.updated", "", contentInfos(row))
	}
	return row.Content, nil
}

// CloseThread closes a conversation: replies to it are refused from now on. It returns ErrNotFound for an unknown one.
func (s *Server) CloseThread(id string) error { return s.setClosed(id, true) }

// OpenThread opens a closed conversation, or returns ErrNotFound.
func (s *Server) OpenThread(id string) error { return s.setClosed(id, false) }

func (s *Server) setClosed(id string, closed bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	thread := s.state.threads[id]
	if thread == nil {
		return ErrNotFound
	}
	thread.Closed, thread.UpdatedAt = closed, seconds(s.now())
	return nil
}
