package sandbox

import (
	"slices"
)

// listContents is GET /1.0/contents. There is no filter for dates, parents, creators or origins: the API has none.
func (s *Server) listContents(c *call) reply {
	q, refused := parseSearch(c.params,
		"id", "intervention", "identity", "identity_group", "source", "status_in", "thread", "text")
	if refused != nil {
		return *refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var found []*Content
	for _, row := range s.state.byDate {
		if !row.visibleAt.After(now) && q.matches(func(k, v string) bool { return s.contentHas(row, k, v) }) {
			found = append(found, &row.Content)
		}
	}
	if !q.asc {
		slices.Reverse(found)
	}
	return page(c.params, found)
}

func (s *Server) contentHas(row *stored, keyword, value string) bool {
	switch keyword {
	case "id":
		return row.ID == value
	case "intervention":
		return string(row.InterventionID) == value
	case "identity":
		return row.AuthorID == value
	case "identity_group":
		author := s.state.identities[row.AuthorID]
		return author != nil && string(author.IdentityGroupID) == value
	case "source":
		return row.SourceID == value
	case "status_in":
		return row.Status == value
	case "thread":
		return row.ThreadID == value
	case "text":
		return hasText(row.BodyFormatted.Text, value)
	}
	return false
}

func (s *Server) getContent(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	row := s.state.contents[c.r.PathValue("id")]
	if row == nil {
		return notFound("Content")
	}
	return ok(row.Content)
}

// Contents returns everything ever written, in and out, oldest created_at first, whatever lists show yet.
func (s *Server) Contents() []Content {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Content, len(s.state.byDate))
	for i, row := range s.state.byDate {
		out[i] = row.Content
	}
	return out
}

// Content returns one content.
func (s *Server) Content(id string) (Content, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	row := s.state.contents[id]
	if row == nil {
		return Content{}, false
	}
	return row.Content, true
}

// getThread is GET /1.0/content_threads/{id}.
func (s *Server) getThread(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	thread := s.state.threads[c.r.PathValue("id")]
	if thread == nil {
		return notFound("ContentThread")
	}
	return ok(*thread)
}
