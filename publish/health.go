package publish

import (
	"log/slog"
	"sync"
	"time"
)

// Health is told while the stage can't do its work. Safe for concurrent use,
// never blocks.
type Health interface {
	Set(component, reason string)
	Clear(component string)
}

// noHealth is told for nothing.
type noHealth struct{}

func (noHealth) Set(string, string) {}
func (noHealth) Clear(string)       {}

// Components on the board of health.
const (
	componentKafka    = "publish/kafka"
	componentRegistry = "publish/registry"
)

// A trouble is something the stage waits out: one line in the log when it
// begins, one when it ends, and a line on the board meanwhile. Safe for
// concurrent use.
type trouble struct {
	component string
	health    Health
	log       *slog.Logger

	mu    sync.Mutex
	since time.Time // zero = there is none
	last  time.Time // when it was felt last
}

// felt begins the trouble, or says that it goes on.
func (t *trouble) felt(reason string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = time.Now()
	if t.since.IsZero() {
		t.since = t.last
		t.log.Warn("waiting for it to pass", "trouble", t.component, "reason", reason, "error", err)
	}
	t.health.Set(t.component, reason)
}

// over ends the trouble, if there was any.
func (t *trouble) over() { t.quietFor(0) }

// quietFor ends the trouble if it was not felt for d.
func (t *trouble) quietFor(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since.IsZero() || time.Since(t.last) < d {
		return
	}
	t.log.Info("it has passed", "trouble", t.component, "after", time.Since(t.since).Round(time.Millisecond))
	t.since = time.Time{}
	t.health.Clear(t.component)
}
