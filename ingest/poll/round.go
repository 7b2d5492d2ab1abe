package poll

import (
	"context"
	"errors"
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

// listRound does it for what is listed: first the newest, then some of a sweep that is due.
func (s *stream) listRound(ctx context.Context) error {
	s.readClock(ctx)
	until := time.Now().Add(s.cfg.Interval)
	began := s.now()
	s.boundCursor(began)
	bound := s.cursor.bound(s.cfg.Overlap)
	if s.changesOnly() {
		// The order of another owner's rounds may have been another.
		bound = earlier(bound, s.cursor.Swept.Add(-s.cfg.Overlap))
	}
	if err := s.catchUp(ctx, bound); err != nil {
		return err
	}
	if err := s.sweepOn(ctx, until); err != nil {
		return err
	}
	if s.sweep == nil && !s.kind.late {
		s.memory.forget(earlier(s.cursor.bound(s.cfg.Overlap), s.cursor.Swept.Add(-s.cfg.Sweep-s.cfg.Overlap)), s.memory.pass)
	}
	return nil
}

// catchUp makes passes until one has taken all there is.
func (s *stream) catchUp(ctx context.Context, bound time.Time) error {
	first := s.now()
	for again := false; ; again = true {
		h, err := s.pass(ctx, bound)
		if err != nil {
			return err
		}
		if !h.overflow {
			s.settle(h, first, again)
			return s.save(ctx)
		}
		if err := s.save(ctx); err != nil {
			return err
		}
		bound = later(bound, h.newestTaken().Add(-s.cfg.Overlap))
	}
}

// settle notes what is true when all there is was taken, by one pass or by several.
func (s *stream) settle(h *harvest, began time.Time, several bool) {
	if s.changesOnly() {
		s.cursor.Swept, s.cursor.Unseen = began.UTC().Round(0), 0
	}
	if !several { // else fresh rows can't be told from those that an earlier pass has written
		s.cursor.Unseen += s.cursor.Census.unseen(h.head, h.fresh)
	}
	s.cursor.Census, s.warm = h.head, true
}

// pass reads once down to bound and writes what it found. Where it fails, what it has read is
// written all the same, and the cursor stays.
func (s *stream) pass(ctx context.Context, bound time.Time) (*harvest, error) {
	began := s.now()
	sc := s.newScan(bound, false)
	h := sc.harvest
	reading, cancel := context.WithTimeoutCause(ctx, passTimeout, errPassTimeout)
	err := s.read(reading, sc, time.Time{})
	cancel()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := errors.Join(s.write(ctx, h), err); err != nil {
		return nil, err
	}
	s.advance(h, began)
	s.miss(h.missing)
	s.warnOfOrder()
	s.log.Debug("polled", "bound", bound, "pages", h.pages, "rows_read", h.read, "rows_written", len(h.rows),
		"rows_left", h.overflow, "rows_unreadable", h.holes, "known", s.cursor.Known, "duration", s.now().Sub(began))
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

// warnOfOrder tells once that a list is sorted by something else: a change of an
// old row is then found late or never.
func (s *stream) warnOfOrder() {
	if s.list.order == unordered && !s.warned {
		s.warned = true
		s.log.Warn("the list is not in the order that was asked for: changes may be found late")
	}
}
