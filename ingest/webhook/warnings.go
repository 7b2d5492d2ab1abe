package webhook

import (
	"log/slog"
	"sync"
	"time"
)

// warnInterval is the least time between two warnings of one kind: who is refused
// can come a thousand times a second, and a log is not there to count.
const warnInterval = 10 * time.Second

// A warning is a kind of them.
type warning struct {
	at     endpoint
	result result
}

// warnings lets one line of each kind through in a while. It is safe for
// concurrent use.
type warnings struct {
	log *slog.Logger

	mu   sync.Mutex
	kept map[warning]*kept
}

// kept is what was told and what was not.
type kept struct {
	last       time.Time
	suppressed int
}

// warn writes the line, or counts it for the next one.
func (w *warnings) warn(kind warning, attrs ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kept == nil {
		w.kept = map[warning]*kept{}
	}
	k := w.kept[kind]
	now := time.Now()
	if k == nil {
		k = &kept{}
		w.kept[kind] = k
	} else if now.Sub(k.last) < warnInterval {
		k.suppressed++
		return
	}
	w.log.Warn("webhook refused", append(attrs, "suppressed", k.suppressed)...)
	*k = kept{last: now}
}
