package sandbox

import (
	"time"
)

// scheduleExport publishes a content on its source later, as the API does: its response tells nothing of the outcome.
// Called with the lock held.
func (s *Server) scheduleExport(row *stored) {
	switch {
	case s.cfg.ExportDelay < 0:
	case s.cfg.ExportDelay == 0:
		s.export(row, ExportSuccess, "")
	default:
		of := s.state
		time.AfterFunc(s.cfg.ExportDelay, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.state != of || s.ctx.Err() != nil || row.SynchronizationStatus != ExportPending {
				return // reset, closed, or ended by Export
			}
			s.export(row, ExportSuccess, "")
		})
	}
}

// export sets the outcome and tells it. An export that failed leaves the content without a foreign id.
func (s *Server) export(row *stored, status, text string) {
	row.SynchronizationStatus, row.SynchronizationError = status, Optional(text)
	if status == ExportSuccess && row.ForeignID == "" {
		row.ForeignID = Optional("ext-" + row.ID)
	}
	row.UpdatedAt = seconds(s.now())
	s.emitContent(EventExported, row, "")
}

// Export ends a content's export with a status (success, export_failure, export_aborted …) and an error text, and sends
// content.exported. It returns ErrNotFound for an unknown content.
func (s *Server) Export(id, status, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	row := s.state.contents[id]
	if row == nil {
		return ErrNotFound
	}
	s.export(row, status, text)
	return nil
}
