package spool

import (
	"context"
	"errors"
	"slices"
	"time"
)

// begin says that from now on everything goes through the disk. The caller holds
// the lock, or is the only one.
func (s *Spool) begin(why string) {
	s.spooling = time.Now()
	s.metrics.active.Set(1)
	if s.guard.isUnwell() {
		return // told already, and they may not be kept
	}
	s.log.Warn("webhooks are kept on disk until the broker has taken them", "reason", why)
}

// divert moves all that is under way to the disk, in the order in which it came.
// What came first would otherwise be behind what comes now. The caller holds the
// lock.
func (s *Spool) divert(err error) {
	for _, t := range s.underway {
		t.diverted = true
		t.batch, t.err = s.join(t.entries)
		if t.batch != nil && s.spooling.IsZero() {
			s.begin(err.Error())
		}
		t.cancel()
	}
	s.underway = nil
}

// forget removes a try that has ended. The caller holds the lock.
func (s *Spool) forget(t *try) {
	if i := slices.Index(s.underway, t); i >= 0 {
		s.underway = slices.Delete(s.underway, i, i+1)
	}
}

// join puts the entries into the next batch. The caller holds the lock, so that
// the order of the calls is the order on disk.
func (s *Spool) join(entries []entry) (*batch, error) {
	now := time.Now().UTC()
	payloads := make([][]byte, len(entries))
	for i, e := range entries {
		payload, err := e.encode(now)
		if err != nil {
			return nil, err
		}
		payloads[i] = payload
	}
	return s.journal.join(payloads, now)
}

// kept waits until the batch is durable, and says what became of it.
func (s *Spool) kept(ctx context.Context, records int, b *batch, err error) error {
	if err == nil {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
		defer cancel()
		err = b.wait(limited)
	}
	switch {
	case err == nil:
		s.well()
		return nil
	case hopeless(err), errors.Is(err, errClosed):
		return err
	}
	reason := refusedFailed
	switch {
	case errors.Is(err, errFull):
		reason = refusedFull
	case errors.Is(err, errTooSlow):
		reason = refusedTooSlow
	}
	s.metrics.refused.WithLabelValues(reason).Add(float64(records))
	s.trouble(err.Error())
	return err
}

// settle goes back to the direct way when nothing waits any more.
func (s *Spool) settle() {
	s.mu.Lock()
	if s.spooling.IsZero() || !s.journal.empty() {
		s.mu.Unlock()
		return
	}
	since := s.spooling
	s.spooling = time.Time{}
	s.mu.Unlock()
	s.metrics.active.Set(0)
	if s.journal.wasUsed() { // else the disk took nothing
		s.log.Info("all that was kept on disk is in the inbox", "after", time.Since(since).Round(time.Millisecond))
	}
	s.journal.oldest() // deletes the last segment
}
