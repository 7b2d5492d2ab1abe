package console

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

const (
	// sampleInterval is short enough to see a burst, and costs a few milliseconds of
	// gathering each time.
	sampleInterval = 5 * time.Second
	// keptSamples make an hour, in 4 bytes a number.
	keptSamples = int(time.Hour / sampleInterval)
	// rateWindow is what rates and quantiles are taken over: with less, a quiet
	// bridge would show nothing but single events.
	rateWindow = 30 * time.Second
	// maxColumns bounds the memory, should an API have more budgets than any has.
	maxColumns = 64
)

// history remembers the last hour of what the charts draw, in fixed memory. It is
// safe for concurrent use.
type history struct {
	mu      sync.Mutex
	recent  []reading // within rateWindow, the oldest first
	times   []time.Time
	columns map[column][]float32 // as long as times; NaN where there was nothing
	order   []column             // of the columns, as they were met
}

// column is one line of one chart.
type column struct{ chart, name string }

func newHistory() *history { return &history{columns: map[column][]float32{}} }

// sample keeps the history until ctx ends.
func (c *Console) sample(ctx context.Context) {
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()
	for {
		now, _ := c.now.get(ctx)
		c.history.add(now, c.lag(ctx))
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// add remembers a reading.
func (h *history) add(now reading, lag []Lag) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.recent) > 1 && now.at.Sub(h.recent[1].at) >= rateWindow {
		h.recent = h.recent[1:]
	}
	h.recent = append(slices.Clip(h.recent), now)
	h.times = append(h.times, now.at)
	since := stretch{from: h.recent[0], to: now}
	for _, chart := range charts() {
		for _, point := range chart.points(since, lag) {
			h.put(column{chart.ID, point.name}, point.value)
		}
	}
	for id, values := range h.columns {
		for len(values) < len(h.times) {
			values = append(values, float32(math.NaN()))
		}
		h.columns[id] = values[max(0, len(values)-keptSamples):]
	}
	h.times = h.times[max(0, len(h.times)-keptSamples):]
}

func (h *history) put(id column, value float64) {
	values, known := h.columns[id]
	if !known && len(h.columns) >= maxColumns {
		return
	}
	for len(values) < len(h.times)-1 {
		values = append(values, float32(math.NaN()))
	}
	if !known {
		h.order = append(h.order, id)
	}
	h.columns[id] = append(values, float32(value))
}

// stretch returns what happened lately, up to a reading that may be newer than the
// history's last.
func (h *history) stretch(now reading) stretch {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.recent) == 0 {
		return stretch{to: now}
	}
	return stretch{from: h.recent[0], to: now}
}
