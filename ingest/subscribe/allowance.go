package subscribe

import (
	"time"

	"github.com/ringbridge/ringbridge/internal/failpoint"
)

// An allowance bounds calls that change something, whatever the API answers: so many in
// any hour, and after a failure not before a pause that doubles with each in a row.
type allowance struct {
	most     int // in any hour
	spent    []time.Time
	failures int
	next     time.Time
}

const (
	allowanceWindow = time.Hour / failpoint.Haste
	// The pauses after failures: a minute, doubling, 15 minutes at most.
	pauseMin = time.Minute / failpoint.Haste
	pauseMax = 15 * pauseMin
)

// ready reports whether a call may be made now.
func (a *allowance) ready(now time.Time) bool {
	for len(a.spent) > 0 && now.Sub(a.spent[0]) >= allowanceWindow {
		a.spent = a.spent[1:]
	}
	return len(a.spent) < a.most && !now.Before(a.next)
}

// take reports whether a call may be made now, and counts it.
func (a *allowance) take(now time.Time) bool {
	if !a.ready(now) {
		return false
	}
	a.spent = append(a.spent, now)
	return true
}

// failed notes that a call failed. wait is what the API asked for.
func (a *allowance) failed(now time.Time, wait time.Duration) {
	pause := pauseMin
	for range a.failures {
		pause = min(2*pause, pauseMax)
	}
	a.failures++
	a.next = now.Add(max(pause, wait))
}

// succeeded ends the pauses.
func (a *allowance) succeeded() { a.failures, a.next = 0, time.Time{} }
