package poll

import (
	"context"
	"time"
)

// round reads what may be new, writes it, and moves the cursor.
func (s *stream) round(ctx context.Context) error {
	switch {
	case s.kind.keyset != nil:
		return s.keysetRound(ctx)
	case s.kind.synced:
		return s.syncRound(ctx)
	}
	return s.listRound(ctx)
}

// listRound does it for what is listed.
func (s *stream) listRound(ctx context.Context) error {
	began := time.Now()
	s.cursor.notAfter(began, s.cfg.Overlap)
	bound := s.cursor.bound(s.cfg.Overlap)
	if s.changesOnly() {
		// The order of another owner's rounds may have been another.
		bound = earlier(bound, s.cursor.Swept.Add(-s.cfg.Overlap))
	}
	why, sweep := s.sweeps.due(began, s.cursor)
	sweep = sweep && s.kind.late
	if sweep {
		// From the last sweep, not from now: so a row that came POLL_SWEEP late just
		// after that one is found, however long ago that is.
		bound = earlier(bound, s.cursor.Swept.Add(-s.cfg.Sweep-s.cfg.Overlap))
	}
	owed := s.cursor.Unseen
	late, err := s.catchUp(ctx, bound, sweep)
	if err != nil {
		return err
	}
	if sweep {
		s.finishSweep(why, began, owed, late)
	}
	if sweep || !s.kind.late {
		s.memory.forget(earlier(s.cursor.bound(s.cfg.Overlap), s.cursor.Swept.Add(-s.cfg.Sweep-s.cfg.Overlap)))
	}
	return nil
}

// catchUp makes passes until one has taken all there is.
func (s *stream) catchUp(ctx context.Context, bound time.Time, sweep bool) (late int, err error) {
	first := time.Now()
	for again := false; ; again = true {
		h, err := s.pass(ctx, bound, sweep)
		if err != nil {
			return late, err
		}
		late += h.late
		if !h.overflow {
			s.settle(h, first, sweep, again)
			return late, s.save(ctx)
		}
		if err := s.save(ctx); err != nil {
			return late, err
		}
		bound = later(bound, h.newestTaken().Add(-s.cfg.Overlap))
	}
}

// settle notes what is true when all there is was taken, by one pass or by several.
func (s *stream) settle(h *harvest, began time.Time, sweep, several bool) {
	if sweep || s.changesOnly() {
		s.cursor.Swept, s.cursor.Unseen = began.UTC().Round(0), 0
	}
	if !several { // else fresh rows can't be told from those that an earlier pass has written
		s.cursor.Unseen += s.cursor.Census.unseen(h.head, h.fresh)
	}
	s.cursor.Census, s.warm = h.head, true
}

// pass reads once down to bound and writes what it found.
func (s *stream) pass(ctx context.Context, bound time.Time, sweep bool) (*harvest, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, passTimeout, errPassTimeout)
	defer cancel()
	began := time.Now()
	h, err := s.gather(ctx, bound, sweep)
	if err != nil {
		return nil, err
	}
	if err := s.write(ctx, h); err != nil {
		return nil, err
	}
	s.advance(h, began)
	s.warnOfOrder()
	s.log.Debug("polled", "bound", bound, "sweep", sweep, "pages", h.pages, "rows_read", h.read, "rows_written", len(h.rows),
		"rows_left", h.overflow, "known", s.cursor.Known, "duration", time.Since(began))
	return h, nil
}

// advance moves what is known up to the newest row that was taken.
//
// While no rows come it moves with the time, or each round after a rush would read
// the whole of the rush again. It moves by the time that has passed, not to the
// time that it is: our clock may be ahead of the API's by more than POLL_OVERLAP.
func (s *stream) advance(h *harvest, began time.Time) {
	reached := h.newestTaken()
	if !h.overflow {
		reached = h.newest
		if !s.paced.IsZero() && !s.cursor.Known.IsZero() {
			reached = later(reached, s.cursor.Known.Add(began.Sub(s.paced)))
		}
		s.paced = began
	}
	// A date in the future would hide what comes until then.
	s.cursor.Known = later(s.cursor.Known, earlier(reached, began).UTC().Round(0))
}

func (s *stream) finishSweep(why cause, began time.Time, owed, late int) {
	s.swept = true
	s.sweeps.finish(began, time.Now(), owed, late)
	s.metrics.sweeps.WithLabelValues(s.kind.stream, string(why)).Inc()
	s.metrics.late.WithLabelValues(s.kind.stream).Add(float64(late))
	s.log.Info("swept", "cause", why, "late_rows", late, "duration", time.Since(began))
	if late < owed {
		s.log.Warn("the list has grown by rows that a sweep did not find: they are older than POLL_SWEEP, or belong to a source that was opened to the access token; backfill finds them",
			"rows", owed-late)
	}
}

// warnOfOrder tells once that a list is sorted by something else: a change of an
// old row is then found late or never.
func (s *stream) warnOfOrder() {
	if s.list.order == unordered && !s.warned {
		s.warned = true
		s.log.Warn("the list is not in the order that was asked for: changes may be found late")
	}
}
