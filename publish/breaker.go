package publish

import "time"

const (
	// breakAfter is how many calls in a row must fail before enrichment rests.
	breakAfter = 5
	// restMin and restMax bound a rest, which doubles each time: 5, 10, 20, 40,
	// 60 s. After it one batch tries again.
	restMin = 5 * time.Second
	restMax = time.Minute
)

// A breaker lets enrichment rest while the API does not answer, so that events
// go out without waiting for the bound. The zero value is closed. Not safe for
// concurrent use.
type breaker struct {
	failures int
	rest     time.Duration
	until    time.Time
}

// open tells whether enrichment is to be skipped.
func (b *breaker) open() bool { return time.Now().Before(b.until) }

// success ends the count and the doubling.
func (b *breaker) success() { *b = breaker{} }

// failure counts one. While the breaker has just opened, the rest of a batch's
// failures do not lengthen the rest.
func (b *breaker) failure() {
	if b.open() {
		return
	}
	if b.failures++; b.failures >= breakAfter || b.rest > 0 {
		b.trip()
	}
}

// trip opens the breaker, unless it is open.
func (b *breaker) trip() {
	if b.open() {
		return
	}
	b.rest = min(max(restMin, 2*b.rest), restMax)
	b.until = time.Now().Add(b.rest)
	b.failures = 0
}
