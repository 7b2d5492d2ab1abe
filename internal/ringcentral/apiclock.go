package ringcentral

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// apiClock is what the API's own clock shows, by the Date header of its answers (RFC 9110, section 6.6.1: whole seconds). It goes on by
// this process's monotonic clock, so that a machine whose time is wrong, or is set while it runs, still tells when a call went out as
// the API sees it. Safe for concurrent use.
type apiClock struct {
	last   atomic.Pointer[reading]
	asking singleflight.Group
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

// now returns the API's time. Where no answer has told it, ask makes a call, one for all who want to know; any answer will do. It
// fails, as not sent, where there was none. An API that answers without a date has our time.
func (c *apiClock) now(ask func() error) (time.Time, error) {
	if c.last.Load() == nil {
		_, err, _ := c.asking.Do("", func() (any, error) { return nil, ask() })
		if failure, ok := errors.AsType[*Error](err); ok && failure.Status == 0 && c.last.Load() == nil {
			unsent := *failure
			unsent.Outcome = NotSent
			return time.Time{}, &unsent
		}
		now := time.Now()
		c.last.CompareAndSwap(nil, &reading{date: now, at: now})
	}
	last := c.last.Load()
	return last.date.Add(time.Since(last.at)), nil
}
