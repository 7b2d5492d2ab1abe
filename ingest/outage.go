package ingest

import (
	"log/slog"
	"sync"
	"time"
)

// outageQuiet is how long nothing may fail before an outage is over. One
// partition of many that is down would begin and end it with every item.
const outageQuiet = 5 * time.Second

// outage turns many failures into two log lines: one at the beginning and one at
// the end. It is safe for concurrent use.
type outage struct {
	log *slog.Logger

	mu         sync.Mutex
	since      time.Time // zero = none
	lastFailed time.Time
	failed     int
}

func (o *outage) saw(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	switch {
	case err != nil:
		if o.since.IsZero() {
			o.since, o.failed = now, 0
			o.log.Error("inbox cannot be written", "error", err)
		}
		o.lastFailed = now
		o.failed++
	case !o.since.IsZero() && now.Sub(o.lastFailed) >= outageQuiet:
		o.log.Info("inbox can be written again", "outage", now.Sub(o.since), "failed_writes", o.failed)
		o.since = time.Time{}
	}
}
