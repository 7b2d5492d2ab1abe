package sandbox

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// state is all the account holds. Server.mu guards it.
type state struct {
	sources       map[string]*Source
	defaultSource string
	contents      map[string]*stored
	byDate        []*stored // by created_at, then id, ascending
	threads       map[string]*Thread
	identities    map[string]*Identity
	interventions []*Intervention // oldest first
	attachments   map[string]*upload
	journal       []JournalEntry // oldest first
	imported      int            // numbers the default texts and names
}

// stored is a content and what the API does not show of it.
type stored struct {
	Content
	visibleAt time.Time // to lists
}

// Thread is a conversation.
type Thread struct {
	ID                 string         `json:"id"`
	SourceID           string         `json:"source_id"`
	Title              string         `json:"title"`
	InterventionsCount int            `json:"interventions_count"`
	ContentsCount      int            `json:"contents_count"`
	Closed             bool           `json:"closed"`
	CategoryIDs        []string       `json:"category_ids"`
	ThreadCategoryIDs  []string       `json:"thread_category_ids"`
	ExtraData          map[string]any `json:"extra_data"`
	ForeignID          Optional       `json:"foreign_id"`
	CreatedAt          time.Time      `json:"created_at"`
	UpdatedAt          time.Time      `json:"updated_at"`

	customer string // identity that writes when an import names none
}

func (s *Server) freshState() *state {
	st := &state{
		sources:     map[string]*Source{},
		contents:    map[string]*stored{},
		threads:     map[string]*Thread{},
		identities:  map[string]*Identity{},
		attachments: map[string]*upload{},
	}
	for _, src := range s.cfg.Sources {
		st.sources[src.ID] = &src
	}
	st.defaultSource = s.cfg.Sources[0].ID
	return st
}

// byDateThenID orders contents as lists do, ascending. Ids break the tie of contents of one second.
func byDateThenID(a, b *stored) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
}

// insert adds a content to its thread and to the lists.
func (st *state) insert(c *stored) {
	st.contents[c.ID] = c
	at, _ := slices.BinarySearchFunc(st.byDate, c, byDateThenID)
	st.byDate = slices.Insert(st.byDate, at, c)
	thread := st.threads[c.ThreadID]
	c.FirstInThread = thread.ContentsCount == 0
	thread.ContentsCount++
	if c.UpdatedAt.After(thread.UpdatedAt) {
		thread.UpdatedAt = c.UpdatedAt
	}
}

// newThread starts a conversation; id may be empty.
func (s *Server) newThread(id, sourceID, title string, at time.Time) *Thread {
	if id == "" {
		id = s.ids.next()
	}
	t := &Thread{
		ID: id, SourceID: sourceID, Title: firstLine(title), CategoryIDs: []string{}, ThreadCategoryIDs: []string{},
		ExtraData: map[string]any{}, CreatedAt: seconds(at), UpdatedAt: seconds(at),
	}
	s.state.threads[id] = t
	return t
}

// maxTitle is where a thread's title, taken from its first message, is cut; in characters.
const maxTitle = 80

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	if r := []rune(line); len(r) > maxTitle {
		return string(r[:maxTitle])
	}
	return line
}
