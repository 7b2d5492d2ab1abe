package poll

import (
	"context"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	// clockTimeout bounds the call that asks for the API's time, of which a process makes one.
	clockTimeout = 10 * time.Second
	// clockSlack is how far two clocks may differ and count as the same: the API's is known to the
	// second.
	clockSlack = 2 * time.Second
)

var (
	_ clock = (*ringcentral.Engage)(nil)
	_ clock = (*ringcentral.Platform)(nil)
)

// A clock is an API that knows its own time. A Source or Platform may be one.
type clock interface {
	Now(ctx context.Context) (time.Time, error)
}

// readClock notes how far the API's clock is from this host's, and reports whether it is known.
// Rows are dated by the API, so that where a list was read to has to be measured by its clock.
func (s *stream) readClock(ctx context.Context) bool {
	var api any = s.source
	if s.kind.owner() == apiPlatform {
		api = s.platform
	}
	c, ok := api.(clock)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(ringcentral.WithPriority(ctx, ringcentral.Poll), clockTimeout)
	defer cancel()
	now, err := c.Now(ctx)
	if err != nil {
		return false // the next call fails as well, and says so
	}
	s.skew = time.Until(now)
	if s.skew.Abs() <= clockSlack {
		s.skew = 0
	}
	return true
}

// now returns the time by the API's clock, by this host's while that is not known.
func (s *stream) now() time.Time { return time.Now().Add(s.skew) }

// boundCursor takes back what a wrong clock has put into the future; now is the API's time.
func (s *stream) boundCursor(now time.Time) {
	s.cursor.notAfter(now, s.cfg.Overlap)
	if !s.opened.IsZero() {
		// The first cursor was made by this host's clock, as the API had not answered yet.
		s.cursor.Since = earlier(s.cursor.Since, now.Add(-time.Since(s.opened)-s.cfg.Overlap).UTC().Truncate(time.Second))
	}
}
