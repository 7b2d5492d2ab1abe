package spool

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Component is the spool's name on the board of health.
const Component = "spool"

// probeInterval is how often a spool that takes nothing is tried: while it is
// unwell nobody may send anything that could show that it is well again.
const probeInterval = time.Second

// probeName and probeBytes are the file by which it is tried.
const (
	probeName  = "probe"
	probeBytes = 4096
)

// A guard tells the board whether the spool takes anything. It is safe for
// concurrent use.
type guard struct {
	health Health

	mu     sync.Mutex
	unwell bool
}

// set reports whether this is news.
func (g *guard) set(reason string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	news := !g.unwell
	g.unwell = true
	if g.health != nil {
		g.health.Set(Component, reason)
	}
	return news
}

// clear reports whether this is news.
func (g *guard) clear() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	news := g.unwell
	if news && g.health != nil {
		g.health.Clear(Component)
	}
	g.unwell = false
	return news
}

func (g *guard) isUnwell() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.unwell
}

// trouble says that the spool cannot take anything, and why.
func (s *Spool) trouble(reason string) {
	if s.guard.set(reason) {
		s.log.Error("the spool cannot take webhooks; they are answered 503", slog.String("reason", reason))
	}
}

// well says that the spool takes something.
func (s *Spool) well() {
	if s.guard.clear() {
		s.log.Info("the spool can take webhooks again")
	}
}

// probe finds out whether a spool that was unwell takes something again, until ctx
// ends.
func (s *Spool) probe(ctx context.Context) {
	ticker := time.NewTicker(probeInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if s.guard.isUnwell() && s.journal.takes() {
			s.well()
		}
	}
}

// takes tries the disk, and the limit.
func (j *journal) takes() bool {
	j.mu.Lock()
	full := j.bytes+j.bounds.segment > j.bounds.total
	j.mu.Unlock()
	if full {
		return false
	}
	f, err := j.disk.Create(probeName)
	if err != nil {
		_ = j.disk.Remove(probeName) // of a process that was killed at this place
		return false
	}
	_, err = f.Write(make([]byte, probeBytes))
	if err == nil {
		err = f.Sync()
	}
	_ = f.Close()
	return j.disk.Remove(probeName) == nil && err == nil
}
