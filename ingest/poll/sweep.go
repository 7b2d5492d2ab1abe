package poll

import "time"

// A cause is why a sweep is made: a metric label.
type cause string

// The causes of a sweep.
const (
	causeSchedule cause = "schedule" // POLL_SWEEP_INTERVAL has passed
	causeCensus   cause = "census"   // the list has grown by rows that no round saw
)

const (
	// sweepPause is the least time between two sweeps.
	sweepPause = 10 * time.Second
	// sweepShare bounds what sweeps for unseen rows may take: one part in so many
	// of the time. On a large account one costs thousands of calls.
	sweepShare = 5
)

// sweeps decides when a sweep is due. Unseen rows that sweeps do not find, such as
// an import older than POLL_SWEEP, would make one follow the other: each vain one
// doubles the pause before the next, up to the regular interval.
type sweeps struct {
	cfg   Config
	ended time.Time
	pause time.Duration
	vain  int // in a row
}

// due returns the cause when a sweep is due.
func (s *sweeps) due(now time.Time, c cursor) (cause, bool) {
	switch {
	case now.Sub(c.Swept) >= s.cfg.SweepInterval:
		return causeSchedule, true
	case c.Unseen > 0 && now.Sub(s.ended) >= s.pause:
		return causeCensus, true
	}
	return "", false
}

// finish notes a complete sweep: how many rows it was to find, and did.
func (s *sweeps) finish(began, now time.Time, unseen, found int) {
	s.vain++
	if found >= unseen || found > 0 {
		s.vain = 0
	}
	s.ended = now
	s.pause = max(s.cfg.Interval, sweepPause, (sweepShare-1)*now.Sub(began))
	for range s.vain {
		s.pause = min(2*s.pause, max(s.cfg.SweepInterval, s.pause))
	}
}
