package sandbox

import (
	"fmt"
	"maps"
	"net/url"
	"sync"
	"time"
)

// maxCalls bounds the call log; the oldest go first, the counters stay. At 200 bytes a call it is about 20 MB.
const maxCalls = 100_000

// Call is one call of the API as the sandbox saw it.
type Call struct {
	Seq    int       `json:"seq"` // from 1
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query,omitempty"` // without the token
	Route  string    `json:"route"`
	// Auth tells where the token stood: bearer, parameter, basic (the platform's authentications) or none.
	Auth string `json:"auth"`
	// Status is what was sent; 0 while under way, and when the connection was cut.
	Status int `json:"status"`
	// Done is false while the call is under way: delayed or hanging.
	Done bool `json:"done"`
	// Fault tells which fault applied.
	Fault             string   `json:"fault,omitempty"`
	InReplyToID       string   `json:"in_reply_to_id,omitempty"`
	ThreadID          string   `json:"thread_id,omitempty"` // of that parent
	SourceID          string   `json:"source_id,omitempty"`
	IdentityForeignID string   `json:"identity_foreign_id,omitempty"`
	Body              string   `json:"body,omitempty"`
	ContentID         string   `json:"content_id,omitempty"` // what the call made, also when a fault hid it
	MessageID         string   `json:"message_id,omitempty"` // the same of a text message
	From              string   `json:"from,omitempty"`       // of a text message
	To                []string `json:"to,omitempty"`         // of a text message
	RateGroup         string   `json:"rate_group,omitempty"` // of the platform's calls
	Offender          bool     `json:"offender,omitempty"`   // came inside a penalty window
	Took              Duration `json:"took"`
}

// Calls returns the calls of the API so far, oldest first; at most the last 100,000.
func (s *Server) Calls() []Call { return s.calls.since(0) }

// CallsSince returns the calls with a higher Seq.
func (s *Server) CallsSince(seq int) []Call { return s.calls.since(seq) }

// CallCounts returns how many calls ended how, by "POST /1.0/contents 200"; a status of 0 is a cut connection.
func (s *Server) CallCounts() map[string]int { return s.calls.counts() }

// describe makes the log's entry of a call that has just come in.
func (s *Server) describe(at time.Time, route string, c *call) Call {
	e := Call{
		At: at, Method: c.r.Method, Path: c.r.URL.Path, Query: withoutToken(c.r.URL.Query()), Route: route,
	}
	c.api.describe(c, &e)
	return e
}

func withoutToken(query url.Values) string {
	if query.Has("access_token") {
		query.Set("access_token", "redacted")
	}
	return query.Encode()
}

// threadOf returns the thread of a content, or "".
func (s *Server) threadOf(contentID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.state.contents[contentID]; c != nil {
		return c.ThreadID
	}
	return ""
}

// callLog keeps the calls. Safe for concurrent use.
type callLog struct {
	mu     sync.Mutex
	seq    int
	calls  []*Call
	totals map[string]int
}

func newCallLog() *callLog { return &callLog{totals: map[string]int{}} }

// logged is one entry of the log, to be completed as the call goes on.
type logged struct {
	log   *callLog
	entry *Call
}

func (l *callLog) begin(e Call) *logged {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	e.Seq = l.seq
	if len(l.calls) >= maxCalls {
		l.calls = l.calls[1:]
	}
	l.calls = append(l.calls, &e)
	return &logged{log: l, entry: &e}
}

// set changes the entry and returns a copy of it.
func (g *logged) set(change func(*Call)) Call {
	g.log.mu.Lock()
	defer g.log.mu.Unlock()
	change(g.entry)
	return *g.entry
}

func (l *callLog) count(e Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals[fmt.Sprintf("%s %d", e.Route, e.Status)]++
}

// since returns the calls with a higher seq.
func (l *callLog) since(seq int) []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Call, 0, len(l.calls))
	for _, c := range l.calls {
		if c.Seq > seq {
			out = append(out, *c)
		}
	}
	return out
}

func (l *callLog) counts() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.totals)
}

func (l *callLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls, l.totals = nil, map[string]int{}
}
