package ringcentral

import (
	"net/http"
	"sync/atomic"
	"time"
)

// apiClock is what the API's own clock shows, by the Date header of its answers (RFC 9110, section 6.6.1: whole seconds). It goes on by
// this process's monotonic clock, so that a machine whose time is wrong, or is set while it runs, still tells when a call went out as
// the API sees it. Safe for concurrent use.
type apiClock struct {
	last atomic.Pointer[reading]
}

type reading struct {
	date time.Time // as the API told it
	at   time.Time // when that was, by our clock
}

// learn takes the date of an answer that has just come.
func (c *apiClock) learn(answer http.Header) {
	if date, err := http.ParseTime(answer.Get("Date")); err == nil {
		c.last.Store(&reading{date: date, at: time.Now()})
	}
}

// now returns the API's time, or ours before the API has told its.
func (c *apiClock) now() time.Time {
	last := c.last.Load()
	if last == nil {
		return time.Now()
	}
	return last.date.Add(time.Since(last.at))
}
