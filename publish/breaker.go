package publish

import "time"

const (
	// breakAfter is how many calls in a row must fail before enrichment rests.
	breakAfter = 5
	// restMin and restMax bound a rest, which doubles each time: 5, 10, 20, 40,
	// 60 s. After it one call tries again.
	restMin = 5 * time.Second
	restMax = time.Minute
)

// A breaker lets enrichment rest while the API does not answer, so that events
// go out without waiting for the bound. The zero value is closed. Not safe for
// concurrent use.
type breaker struct {
	failures int
	rest     time.Duration // the last one; 0 = closed
	until    time.Time     // the end of the rest
	probing  bool          // the one call after a rest is under way
}

// open reports whether the API rests.
func (b *breaker) open() bool { return time.Now().Before(b.until) }

// allow reports whether a call may be made. After a rest that is one, whose
// outcome decides about the others: the caller must report it by success,
// failure or none.
func (b *breaker) allow() bool {
	if b.open() || b.probing {
		return false
	}
	b.probing = b.rest > 0
	return true
}

// success ends the count and the doubling.
func (b *breaker) success() { *b = breaker{} }

// failure counts one. While the breaker is open, calls that began before do not
// lengthen the rest.
func (b *breaker) failure() {
	if b.open() {
		return
	}
	b.probing = false
	if b.failures++; b.failures >= breakAfter || b.rest > 0 {
		b.trip()
	}
}

// none is the outcome of a call that shows nothing of the API's health.
func (b *breaker) none() { b.probing = false }

// trip opens the breaker, unless it is open.
func (b *breaker) trip() {
	if b.open() {
		return
	}
	b.rest = min(max(restMin, 2*b.rest), restMax)
	b.until = time.Now().Add(b.rest)
	b.failures, b.probing = 0, false
}
