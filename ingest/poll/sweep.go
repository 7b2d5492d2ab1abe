package poll

import (
	"context"
	"time"
)

// A cause is why a sweep is made: a metric label.
type cause string

// The causes of a sweep.
const (
	causeSchedule cause = "schedule" // POLL_SWEEP_INTERVAL has passed
	causeCensus   cause = "census"   // the list has grown by rows that no round saw
	causeMissing  cause = "missing"  // a part of the list could not be read
)

const (
	// sweepPause is the least time between two sweeps.
	sweepPause = 10 * time.Second
	// sweepShare bounds what sweeps for unseen rows may take: one part in so many
	// of the time. On a large account one costs thousands of calls.
	sweepShare = 5
	// Between two sweeps for a part of the list that could not be read: twice as long after each
	// that did not read it.
	missingPauseMin = time.Minute
	missingPauseMax = time.Hour
)

// sweeps decides when a sweep is due. Unseen rows that sweeps do not find, such as
// an import older than POLL_SWEEP, would make one follow the other: each vain one
// doubles the pause before the next, up to the regular interval.
type sweeps struct {
	cfg   Config
	ended time.Time
	pause time.Duration
	vain  int // in a row

	missing      time.Time // when the next sweep for an unreadable part may begin; zero = at once
	missingPause time.Duration
}

// due returns the cause when a sweep is due.
func (s *sweeps) due(now time.Time, c cursor) (cause, bool) {
	switch {
	case now.Sub(c.Swept) >= s.cfg.SweepInterval:
		return causeSchedule, true
	case c.Unseen > 0 && now.Sub(s.ended) >= s.pause:
		return causeCensus, true
	case !c.Missing.IsZero() && !now.Before(s.missing):
		return causeMissing, true
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

// postpone puts off the next sweep for an unreadable part.
func (s *sweeps) postpone(began, now time.Time) {
	s.missingPause = min(max(2*s.missingPause, missingPauseMin), missingPauseMax)
	s.missing = now.Add(max(s.missingPause, (sweepShare-1)*now.Sub(began)))
}

// A sweep is a scan that reads deep, over several rounds where it takes long: the newest rows do
// not wait for it.
type sweep struct {
	*scan

	why     cause
	began   time.Time
	first   uint32    // the number of its first scan
	owed    int       // rows that it is to find
	late    int       // that it has found
	known   time.Time // what was missing when it began
	missing time.Time // and what it could not read itself
}

// sweepOn begins a sweep where one is due, and goes on with it until the given time.
func (s *stream) sweepOn(ctx context.Context, until time.Time) error {
	if s.sweep == nil && !s.beginSweep() {
		return nil
	}
	for {
		sw := s.sweep
		if err := s.read(ctx, sw.scan, until); err != nil || !sw.done {
			return err
		}
		h := sw.harvest
		if err := s.write(ctx, h); err != nil {
			s.sweep = nil // it is due again
			return err
		}
		sw.late += h.late
		sw.missing = earliest(sw.missing, h.missing)
		if !h.overflow {
			return s.endSweep(ctx)
		}
		sw.scan = s.newScan(later(sw.bound, h.newestTaken().Add(-s.cfg.Overlap)), true)
	}
}

func (s *stream) beginSweep() bool {
	why, due := s.sweeps.due(s.now(), s.cursor)
	if !due || !s.kind.late && why != causeMissing {
		return false
	}
	// From the last sweep, not from now: so a row that came POLL_SWEEP late just
	// after that one is found, however long ago that is.
	bound := earlier(s.cursor.bound(s.cfg.Overlap), s.cursor.Swept.Add(-s.cfg.Sweep-s.cfg.Overlap))
	if !s.kind.late {
		bound = s.cursor.bound(s.cfg.Overlap)
	}
	bound = earliest(bound, s.cursor.Missing)
	sc := s.newScan(bound, true)
	s.sweep = &sweep{scan: sc, why: why, began: s.now(), first: sc.number, owed: s.cursor.Unseen, known: s.cursor.Missing}
	return true
}

// endSweep notes what is true when a sweep has taken all there is. What it could not read stays
// on record, so that the next sweep may begin later.
func (s *stream) endSweep(ctx context.Context) error {
	sw := s.sweep
	s.sweep = nil
	s.cursor.Swept = sw.began.UTC().Round(0)
	s.cursor.Unseen = max(s.cursor.Unseen-max(sw.owed, sw.late), 0)
	if s.cursor.Missing.Equal(sw.known) { // else a round has met another hole meanwhile
		s.cursor.Missing = time.Time{}
	}
	s.cursor.Missing = earliest(s.cursor.Missing, sw.missing).UTC()
	s.reportMissing()
	if s.cursor.Missing.IsZero() {
		s.sweeps.missingPause = 0
	} else {
		s.sweeps.postpone(sw.began, s.now())
	}
	s.finishSweep(sw.why, sw.began, sw.owed, sw.late)
	s.memory.forget(earlier(s.cursor.bound(s.cfg.Overlap), s.cursor.Swept.Add(-s.cfg.Sweep-s.cfg.Overlap)), sw.first)
	return s.save(ctx)
}

func (s *stream) finishSweep(why cause, began time.Time, owed, late int) {
	s.swept = true
	s.sweeps.finish(began, s.now(), owed, late)
	s.metrics.sweeps.WithLabelValues(s.kind.stream, string(why)).Inc()
	s.metrics.late.WithLabelValues(s.kind.stream).Add(float64(late))
	s.log.Info("swept", "cause", why, "late_rows", late, "duration", s.now().Sub(began))
	if late < owed {
		s.log.Warn("the list has grown by rows that a sweep did not find: they are older than POLL_SWEEP, or belong to a source that was opened to the access token; backfill finds them",
			"rows", owed-late)
	}
}
