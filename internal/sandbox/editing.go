package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
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
	// Fields sets any fields of the content but id and created_at, named as the API names them.
	Fields json.RawMessage `json:"fields,omitempty"`
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
	changed, err := overlaid(row.Content, e.Fields)
	switch {
	case err != nil:
		return Content{}, err
	case s.state.sources[changed.SourceID] == nil:
		return Content{}, fmt.Errorf("%w: unknown source %q", ErrInvalid, changed.SourceID)
	case s.state.threads[changed.ThreadID] == nil:
		s.newThread(changed.ThreadID, changed.SourceID, changed.Title, s.now())
	}
	row.Content = changed
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

// overlaid is a row with some of its fields set. The row itself shares nothing with it.
func overlaid[T any](row T, fields json.RawMessage) (T, error) {
	if fields == nil {
		return row, nil
	}
	raw, err := json.Marshal(row)
	if err != nil {
		return row, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	set := object(fields)
	if set == nil {
		return row, fmt.Errorf("%w: fields are no object", ErrInvalid)
	}
	for _, name := range []string{"id", "created_at", "creationTime"} { // lists are kept in their order
		if _, fixed := set[name]; fixed {
			return row, fmt.Errorf("%w: the field %s cannot be changed", ErrInvalid, name)
		}
	}
	var out T
	if err := json.Unmarshal(rewritten(raw, func(doc map[string]any) { maps.Copy(doc, set) }), &out); err != nil {
		return row, fmt.Errorf("%w: fields: %w", ErrInvalid, err)
	}
	return out, nil
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
