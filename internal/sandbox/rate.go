package sandbox

import (
	"sync"
	"time"
)

// rateWindow allows so many calls over any minute. Refused calls do not count: nothing documents that they would.
type rateWindow struct {
	limit int
	now   func() time.Time

	mu    sync.Mutex
	times []time.Time // of the calls allowed within the last minute, oldest first
}

func newRateWindow(limit int, now func() time.Time) *rateWindow {
	return &rateWindow{limit: limit, now: now}
}

// allow counts a call, or says how long it takes until the next may be allowed.
func (w *rateWindow) allow() (wait time.Duration, allowed bool) {
	if w.limit <= 0 {
		return 0, true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget()
	now := w.now()
	if len(w.times) >= w.limit {
		return w.times[0].Add(time.Minute).Sub(now), false
	}
	w.times = append(w.times, now)
	return 0, true
}

// remaining tells how many calls are left of the minute.
func (w *rateWindow) remaining() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget()
	return max(0, w.limit-len(w.times))
}

// forget drops the calls that are older than a minute. Called with the lock held.
func (w *rateWindow) forget() {
	now := w.now()
	for len(w.times) > 0 && now.Sub(w.times[0]) >= time.Minute {
		w.times = w.times[1:]
	}
}

func (w *rateWindow) clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.times = nil
}
