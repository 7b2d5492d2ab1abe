package consume

import "time"

// A backoff gives the bounds of the waits between attempts. It is pure; with
// the defaults (1 s, 1 min) the bounds are
//
//	after attempt   1   2   3   4    5    6    7
//	bound           1s  2s  4s  8s  16s  32s  60s
//	in all at most  1s  3s  7s 15s  31s  63s 123s
//
// and with full jitter the waits are half of that on average.
type backoff struct{ least, most time.Duration }

// bound returns the longest wait after the nth failure in a row, n from 1.
func (b backoff) bound(n int) time.Duration {
	d := b.least
	for ; n > 1 && d < b.most; n-- {
		d *= 2
	}
	return min(d, b.most)
}

// wait draws a wait with full jitter: evenly from zero to the bound, so that
// lanes that failed together do not come back together. What the API asked for
// is a floor: never earlier, and the jitter comes on top of it.
func (b backoff) wait(n int, floor time.Duration, random func() float64) time.Duration {
	jittered := time.Duration(random() * float64(b.bound(n)))
	if floor > 0 {
		return floor + min(jittered, b.least)
	}
	return jittered
}
