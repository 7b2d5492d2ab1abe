// Package health keeps the reasons why the process can't do its work.
//
// Each part of the process (a stage, the prober of the broker) writes its own
// line on one Board: Set while something is wrong, Clear once it works again.
// The process is ready while the board is empty, or holds nothing that keeps it from
// its most urgent work: see Suffices.
//
//	Set("kafka", "broker unreachable") ──▶ not ready: kafka: broker unreachable
//	Clear("kafka")                     ──▶ ready
//
// The board decides nothing: what makes a part unwell is that part's judgement,
// and nothing here restarts or stops anything.
package health

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// A Reason is one line of the board.
type Reason struct {
	Component string    // the part that is unwell, such as "kafka"
	Reason    string    // what is wrong, for a person to read; no secrets
	Since     time.Time // when this component became unwell
}

// ChangeFunc is told what changed on the board: a new reason, or "" when the
// component is well again after being unwell since then. It is called in the
// order of the changes, one at a time, and must not call the board.
type ChangeFunc func(component, reason string, since time.Time)

// A Board holds at most one reason for each component. The zero value is an
// empty board that tells nobody. It is safe for concurrent use.
type Board struct {
	// OnChange is called for each change, for logs; set it before first use. A
	// reason that is set again is no change.
	OnChange ChangeFunc

	// Suffices, where set, decides whether the process is ready in spite of these
	// reasons; without it any reason is one too many. They are told all the same. It
	// must be pure; set it before first use.
	Suffices func(reasons []Reason) bool

	mu      sync.Mutex
	reasons map[string]Reason
}

// Set says that the component is unwell, and why. A component that was unwell
// already keeps its Since.
func (b *Board) Set(component, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, unwell := b.reasons[component]
	if unwell && old.Reason == reason {
		return
	}
	since := time.Now()
	if unwell {
		since = old.Since
	}
	if b.reasons == nil {
		b.reasons = map[string]Reason{}
	}
	b.reasons[component] = Reason{Component: component, Reason: reason, Since: since}
	b.tell(component, reason, since)
}

// Clear says that the component is well. Clearing a well one does nothing.
func (b *Board) Clear(component string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, unwell := b.reasons[component]
	if !unwell {
		return
	}
	delete(b.reasons, component)
	b.tell(component, "", old.Since)
}

// Reasons returns what is wrong, ordered by component; empty when nothing is.
func (b *Board) Reasons() []Reason {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Reason, 0, len(b.reasons))
	for _, reason := range b.reasons {
		out = append(out, reason)
	}
	slices.SortFunc(out, func(x, y Reason) int { return cmp.Compare(x.Component, y.Component) })
	return out
}

// Ready tells whether nothing is wrong, or nothing that matters.
func (b *Board) Ready() bool {
	reasons := b.Reasons()
	return len(reasons) == 0 || b.Suffices != nil && b.Suffices(reasons)
}

func (b *Board) tell(component, reason string, since time.Time) {
	if b.OnChange != nil {
		b.OnChange(component, reason, since)
	}
}
