package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Fault spoils calls of the API. Faults come before the token, the limit and the handler; of those that match a call, the
// first added that is neither used up nor spared by its rate applies, alone. Those with a Quirk
// apply besides, all of them, in the order of their adding: a quirk changes what the API asks or
// answers, after the token and the limit.
type Fault struct {
	ID string `json:"id"` // given by the sandbox
	// Route is a method and path: a pattern such as "GET /1.0/contents/{id}", or an address. Empty means all.
	Route string `json:"route"`
	// Match are parameters the call must have, by name; also id (of the path) and thread_id (of the parent). The suffix
	// _contains asks for a part of the value.
	Match map[string]string `json:"match,omitempty"`
	// Per counts hits for each value of that parameter on its own: with in_reply_to_id, Times 1 fails each first answer.
	Per string `json:"per,omitempty"`
	// Status is sent instead of an answer; Statuses is a sequence, one a hit, in which 0 and 200 let the call pass.
	Status   int   `json:"status,omitempty"`
	Statuses []int `json:"statuses,omitempty"`
	// Times is how often it applies; 0 is always, or once through Statuses.
	Times int `json:"times,omitempty"`
	// Rate is the share of calls it applies to, 0 to 1; 0 is all of them.
	Rate float64 `json:"rate,omitempty"`
	// Delay waits before the effect, which comes even if the client has gone by then; with AfterEffect it waits after it.
	Delay Duration `json:"delay,omitempty"`
	// Hang never answers: until the client leaves, then the connection is cut. Without effect, unless AfterEffect.
	Hang bool `json:"hang,omitempty"`
	// Reset cuts the TCP connection "before" the effect or "after" it.
	Reset string `json:"reset,omitempty"`
	// AfterEffect lets the call take effect first: the content is made, and the client sees the fault.
	AfterEffect bool `json:"after_effect,omitempty"`
	// RetryAfter is sent as that header: seconds or a date.
	RetryAfter string `json:"retry_after,omitempty"`
	// Body is sent with the status: a JSON string as that text, other JSON as it is. Empty is the API's own error body.
	Body json.RawMessage `json:"body,omitempty"`
	// Quirk is the name of a deviation from the documentation; see [Quirks]. It goes with Route,
	// Match, Per, Times and Rate, and with none of the other fields.
	Quirk string `json:"quirk,omitempty"`
	// Value is what the quirk takes: a JSON string is its text, other JSON as it is.
	Value json.RawMessage `json:"value,omitempty"`
	// Hits counts the calls it applied to.
	Hits int `json:"hits"`
}

// AddFault adds a fault and returns it with its id, or ErrInvalid.
func (s *Server) AddFault(f Fault) (Fault, error) {
	if err := f.validate(); err != nil {
		return Fault{}, err
	}
	f.ID = s.ids.next()
	f.Hits = 0
	s.faults.add(f)
	return f, nil
}

// Faults returns all faults with their hits.
func (s *Server) Faults() []Fault { return s.faults.list() }

// ClearFaults removes all faults. Calls delayed or hanging at this moment stay so.
func (s *Server) ClearFaults() { s.faults.clear() }

func (f *Fault) validate() error {
	method, path, _ := strings.Cut(f.Route, " ")
	spoils := f.Status != 0 || len(f.Statuses) > 0 || f.Delay > 0 || f.Hang || f.Reset != ""
	switch {
	case f.Route != "" && (method != strings.ToUpper(method) || !strings.HasPrefix(path, "/")):
		return fmt.Errorf("%w: fault route %q, want as in POST /1.0/contents", ErrInvalid, f.Route)
	case f.Quirk != "" && spoils:
		return fmt.Errorf("%w: fault with a quirk and something else", ErrInvalid)
	case f.Quirk == "" && !spoils:
		return fmt.Errorf("%w: fault without status, statuses, delay, hang, reset or quirk", ErrInvalid)
	case f.Reset != "" && f.Reset != "before" && f.Reset != "after":
		return fmt.Errorf("%w: fault reset %q, want before or after", ErrInvalid, f.Reset)
	case f.Rate < 0 || f.Rate > 1 || f.Times < 0:
		return fmt.Errorf("%w: fault rate or times", ErrInvalid)
	}
	for _, status := range append(slices.Clone(f.Statuses), f.Status) {
		if status != 0 && (status < 200 || status > 599) {
			return fmt.Errorf("%w: fault status %d", ErrInvalid, status)
		}
	}
	if f.Quirk != "" {
		return f.validateQuirk()
	}
	return nil
}

// hit is a fault as it applies to one call. Nil means none.
type hit struct {
	Fault
	status int
	after  bool
}

// String describes the hit for the call log.
func (h *hit) String() string {
	if h == nil {
		return ""
	}
	when := "before"
	if h.after {
		when = "after"
	}
	switch {
	case h.Reset != "":
		return "reset " + when
	case h.Hang:
		return "hang " + when
	case h.status != 0:
		return strconv.Itoa(h.status) + " " + when
	case h.Delay > 0:
		return "delay " + when
	}
	return "pass"
}

// faultList holds the faults and how often each was met. Safe for concurrent use.
type faultList struct {
	chance *chance

	mu     sync.Mutex
	faults []*activeFault
}

type activeFault struct {
	Fault
	quirk  quirk          // of its name; of a fault without one the zero value
	text   string         // of Value
	hits   map[string]int // by the value of Per
	memory string         // what a quirk keeps from one call to the next
}

func newFaultList(c *chance) *faultList { return &faultList{chance: c} }

// take finds the fault for a call, and the quirks, and counts them. value gives the call's
// parameters.
func (l *faultList) take(route, address string, value func(string) string) (*hit, []*oddity) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first *hit
	var odd []*oddity
	for _, f := range l.faults {
		quirky := f.Quirk != ""
		if !quirky && first != nil || !f.matches(route, address, value) {
			continue
		}
		nth, applies := l.count(f, value(f.Per))
		switch {
		case !applies:
		case quirky:
			odd = append(odd, &oddity{list: l, fault: f})
		default:
			first = &hit{Fault: f.Fault, status: f.Status, after: f.AfterEffect || f.Reset == "after"}
			if n := len(f.Statuses); n > 0 {
				first.status = f.Statuses[nth%n]
			}
			if first.status == http.StatusOK {
				first.status = 0
			}
		}
	}
	return first, odd
}

// count counts a hit of a fault that matches, unless it is used up or spared by its rate. nth are
// the hits before, of the same value of Per. Called with the lock held.
func (l *faultList) count(f *activeFault, per string) (nth int, applies bool) {
	nth = f.hits[per]
	times := f.Times
	if times == 0 {
		times = len(f.Statuses)
	}
	if times > 0 && nth >= times || f.Rate > 0 && !l.chance.hit(f.Rate) {
		return nth, false
	}
	f.hits[per]++
	f.Hits++
	return nth, true
}

func (f *activeFault) matches(route, address string, value func(string) string) bool {
	if f.Route != "" && f.Route != route && f.Route != address {
		return false
	}
	for name, want := range f.Match {
		if part, found := strings.CutSuffix(name, "_contains"); found {
			if !strings.Contains(value(part), want) {
				return false
			}
		} else if value(name) != want {
			return false
		}
	}
	return f.quirk.meets == nil || f.quirk.meets(value, f.text)
}

func (l *faultList) add(f Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, &activeFault{Fault: f, quirk: quirks()[f.Quirk], text: textOf(f.Value), hits: map[string]int{}})
}

func (l *faultList) list() []Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Fault, len(l.faults))
	for i, f := range l.faults {
		out[i] = f.Fault
	}
	return out
}

func (l *faultList) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = nil
}
