package poll

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

// A stream polls one list for as long as its partition is ours. One goroutine runs
// it; nothing of it is shared but the gate.
type stream struct {
	kind       kind
	partition  int32
	cfg        Config
	source     Source
	platform   Platform
	wake       <-chan struct{} // cuts a pause short
	inbox      Inbox
	confirm    func(context.Context) (until time.Time, err error) // that the partition is still ours
	cursors    *cursors
	gate       *gate
	maxHarvest int
	log        *slog.Logger
	metrics    *metrics
	trouble    *trouble
	jitter     func() float64

	cursor cursor // as of what the inbox has
	saved  cursor // as of the topic
	list   *list
	memory *memory
	sweeps sweeps
	paced  time.Time // when the last complete pass of this owner began; zero = none
	warm   bool      // memory holds what a round reads
	swept  bool      // memory holds what a sweep reads
	warned bool      // of the list's order

	skew    time.Duration // how far the API's clock is ahead of this host's
	opened  time.Time     // when the first cursor was made without the API's clock; zero = otherwise
	sweep   *sweep        // the one under way; nil = none is
	fault   error         // the last that made a part of the list unreadable
	missing bool          // as last reported: a part of the list can't be read

	order keysetOrder // of a keyset list
	sync  syncState   // of the message store
}

// run polls until ctx ends. It returns at once then: what it had begun is begun
// again by the next owner.
func (s *stream) run(ctx context.Context) {
	if !s.begin(ctx) {
		return
	}
	owned := s.metrics.owned.WithLabelValues(s.kind.stream)
	owned.Set(1)
	defer func() {
		owned.Set(0)
		s.metrics.setIncomplete(s.kind.stream, false) // the next owner knows
	}()
	s.log.Info("stream begins", "since", s.cursor.Since, "known", s.cursor.Known, "swept", s.cursor.Swept)
	failures := 0
	for s.gate.pass(ctx) {
		began := time.Now()
		err := s.round(ctx)
		if ctx.Err() != nil {
			break
		}
		verdict := judge(err)
		s.metrics.rounds.WithLabelValues(s.kind.stream, string(verdict)).Inc()
		s.metrics.duration.WithLabelValues(s.kind.stream).Observe(time.Since(began).Seconds())
		if verdict == resultUnauthorized {
			s.gate.shut(err)
		}
		s.trouble.saw(verdict, err)
		pause := s.pause(began)
		if failures++; err != nil {
			pause = wait(err, failures, s.cfg.Interval, s.jitter())
		} else {
			failures = 0
			s.metrics.lastSuccess.WithLabelValues(s.kind.stream).SetToCurrentTime()
		}
		if verdict == resultUnauthorized {
			continue // the gate waits
		}
		if !s.rest(ctx, pause, err == nil) {
			break
		}
	}
	s.log.Info("stream ends", "known", s.cursor.Known)
}

// hintGap is the least time between two rounds of which hints demand one each: the
// messages of a lively hour bring a hint each, and the API grants fifty calls a minute.
const hintGap = 2 * time.Second

// rest waits, until it is woken where that is welcome: not after a failure, as the
// API may have asked for the pause. It returns false when ctx ended first.
func (s *stream) rest(ctx context.Context, pause time.Duration, wakeable bool) bool {
	gap := min(pause, hintGap)
	if sleep.For(ctx, gap) != nil {
		return false
	}
	if !wakeable {
		return sleep.For(ctx, pause-gap) == nil
	}
	return sleep.Unless(ctx, pause-gap, s.wake) == nil
}

// begin loads the cursor, or makes the first one. The beginning of the stream is
// written down before anything is read: what came after it must be found even if
// this process dies before its first round is over.
func (s *stream) begin(ctx context.Context) bool {
	for failures := 1; ; failures++ {
		err := s.open(ctx)
		if ctx.Err() != nil {
			return false
		}
		if err == nil {
			s.health().Clear(s.trouble.component())
			s.trouble.saw(resultOK, nil)
			return true
		}
		pause := wait(err, failures, s.cfg.Interval, s.jitter())
		if !errors.Is(err, errCursor) {
			// Not written by this program: to guess would leave a gap, or overwrite it.
			s.health().Set(s.trouble.component(), "the cursor of "+s.kind.stream+" cannot be read by this version")
			pause = probeInterval
		}
		s.trouble.saw(resultCursor, err)
		if sleep.For(ctx, pause) != nil {
			return false
		}
	}
}

func (s *stream) health() Health { return s.trouble.health }

func (s *stream) open(ctx context.Context) error {
	values, err := s.cursors.load(ctx, s.partition)
	if err != nil {
		return err
	}
	found, err := parseCursor(values[s.kind.stream])
	if err != nil {
		return err
	}
	if found != nil {
		s.cursor, s.saved = *found, *found
		s.reportMissing()
		return nil
	}
	s.opened = time.Time{}
	if !s.readClock(ctx) {
		s.opened = time.Now()
	}
	now := s.now().UTC().Round(0)
	s.cursor = cursor{Version: cursorVersion, Since: now.Add(-s.cfg.Overlap).Truncate(time.Second), Swept: now}
	return s.save(ctx)
}

// save writes the cursor where it has changed.
func (s *stream) save(ctx context.Context) error {
	if !s.cursor.Known.IsZero() {
		s.metrics.known.WithLabelValues(s.kind.stream).Set(float64(s.cursor.Known.Unix()))
	}
	if s.cursor == s.saved {
		return nil
	}
	failpoint.Hit("poll/cursor-moved")
	if err := s.cursors.save(ctx, s.partition, s.kind.stream, s.cursor); err != nil {
		return err
	}
	failpoint.Hit("poll/cursor-saved")
	s.saved = s.cursor
	return nil
}

// pause is what remains of the interval; nothing where a sweep is under way, or due.
func (s *stream) pause(began time.Time) time.Duration {
	if why, due := s.sweeps.due(s.now(), s.cursor); s.sweep != nil || due && (s.kind.late || why == causeMissing) {
		return 0
	}
	return max(time.Until(began.Add(s.cfg.Interval)), 0)
}
