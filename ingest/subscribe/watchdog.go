package subscribe

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const (
	// leastSilence is what no channel is blamed for.
	leastSilence = 15 * time.Minute
	// habitFactor is how much longer than usual a silence must be.
	habitFactor = 4
	// habitAge is how far back the habit is known, in habitSlots of equal length.
	habitAge   = 24 * time.Hour
	habitSlots = 24
	// leastSeen is how many notifications make a habit.
	leastSeen = 10
	// watchInterval is how often the silence is measured.
	watchInterval = time.Minute
)

// A Watchdog tells when notifications stay away for four times as long as the longest
// silence of the last day, and for 15 minutes at least. It learns while it runs, so
// it says nothing before ten notifications have come. Each process has its own, as
// each sees its part of the channel. It is safe for concurrent use.
type Watchdog struct {
	log    *slog.Logger
	alarm  func()
	silent prometheus.Gauge
	seen   prometheus.Gauge

	mu    sync.Mutex
	last  time.Time
	count int
	gaps  [habitSlots]time.Duration // the longest of each slot
	slot  int64                     // the newest
	quiet bool
}

// NewWatchdog returns a Watchdog that calls alarm when a silence begins to be too
// long. log and reg may be nil.
func NewWatchdog(alarm func(), log *slog.Logger, reg prometheus.Registerer) *Watchdog {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	auto := promauto.With(reg)
	return &Watchdog{
		log: log, alarm: alarm,
		silent: auto.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_subscription_silent", Help: "1 while notifications stay away for longer than is usual.",
		}),
		seen: auto.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_subscription_last_notification_timestamp_seconds", Help: "When this process last got a notification; 0 = not since the start.",
		}),
	}
}

// Saw takes note of a notification.
func (w *Watchdog) Saw() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if w.count++; w.count > 1 {
		w.turn(now)
		at := &w.gaps[w.slot%habitSlots]
		*at = max(*at, now.Sub(w.last))
	}
	w.last = now
	w.seen.Set(float64(now.Unix()))
	if w.quiet {
		w.quiet = false
		w.silent.Set(0)
		w.log.Info("notifications come again")
	}
}

// turn forgets the slots that are older than a day.
func (w *Watchdog) turn(now time.Time) {
	slot := now.UnixNano() / int64(habitAge/habitSlots)
	for s := max(w.slot+1, slot-habitSlots+1); s <= slot; s++ {
		w.gaps[s%habitSlots] = 0
	}
	w.slot = max(w.slot, slot)
}

// Run watches until ctx ends.
func (w *Watchdog) Run(ctx context.Context) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if w.look() {
				w.alarm()
			}
		}
	}
}

// look reports whether a silence has just become too long.
func (w *Watchdog) look() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	silence := time.Since(w.last)
	w.turn(time.Now())
	usual := leastSilence / habitFactor
	for _, gap := range w.gaps {
		usual = max(usual, gap)
	}
	if w.quiet || w.count < leastSeen || silence <= habitFactor*usual {
		return false
	}
	w.quiet = true
	w.silent.Set(1)
	w.log.Warn("no notification for much longer than usual: the subscription is checked, and all is polled", "silence", silence, "usual", usual)
	return true
}
