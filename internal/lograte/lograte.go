// Package lograte bounds how often a log repeats lines of one kind. What is logged for each record
// or request would otherwise let one sender fill the disk.
package lograte

import (
	"sync"
	"time"
)

// Interval is the least time between two lines of one kind. Ten seconds show a new fault soon and
// leave six lines a minute of one that lasts.
const Interval = 10 * time.Second

// A Limiter lets one line of each kind pass in an Interval and counts the others. Kinds are kept for
// good, so they must be a small, closed set: reasons or results, never ids. The zero value is ready.
// It is safe for concurrent use.
type Limiter[K comparable] struct {
	mu    sync.Mutex
	kinds map[K]state
}

type state struct {
	passed     time.Time
	suppressed int
}

// Allow reports whether a line of the kind may be written now. If so, suppressed is how many were
// not written since the line before, and belongs into this one.
func (l *Limiter[K]) Allow(kind K) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	s, known := l.kinds[kind]
	if known && now.Sub(s.passed) < Interval {
		s.suppressed++
		l.kinds[kind] = s
		return 0, false
	}
	if l.kinds == nil {
		l.kinds = map[K]state{}
	}
	l.kinds[kind] = state{passed: now}
	return s.suppressed, true
}
