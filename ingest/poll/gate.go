package poll

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/internal/sleep"
)

// component begins the names on the health board: alone, it is that of Engage.
const component = "poll"

// A gate shuts when an API refuses the credential: every call would be refused, so
// all streams of that API wait, and one a minute is let through to see whether it is
// over. It is safe for concurrent use.
type gate struct {
	name   string // on the health board
	remedy string // what the operator is to do
	log    *slog.Logger
	health Health
	metric func(float64) // 1 while it is shut

	mu     sync.Mutex
	opened chan struct{} // closed when the gate opens; nil = it is open
	probe  time.Time     // when the next one may go through
	since  time.Time
}

// pass returns when the caller may go on; false means that ctx ended first.
func (g *gate) pass(ctx context.Context) bool {
	for {
		opened, after := g.turn()
		if opened == nil {
			return ctx.Err() == nil
		}
		if sleep.Unless(ctx, after, opened) != nil {
			return false
		}
	}
}

// turn returns nil when the caller may go, else what to wait for.
func (g *gate) turn() (<-chan struct{}, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	after := time.Until(g.probe)
	if g.opened == nil || after <= 0 {
		g.probe = time.Now().Add(probeInterval)
		return nil, 0
	}
	return g.opened, after
}

// shut closes the gate until open is called.
func (g *gate) shut(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		return
	}
	now := time.Now()
	g.opened, g.since, g.probe = make(chan struct{}), now, now.Add(probeInterval)
	g.metric(1)
	g.health.Set(g.name, "RingCentral refuses the credential: "+g.remedy)
	g.log.Error("polling halts: RingCentral refuses the credential", "remedy", g.remedy, "error", err, "probe_interval", probeInterval)
}

// open lets everyone go on.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		return
	}
	close(g.opened)
	g.opened = nil
	g.metric(0)
	g.health.Clear(g.name)
	g.log.Info("polling goes on", "component", g.name, "halted", time.Since(g.since))
}
