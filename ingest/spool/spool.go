package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/internal/lograte"
)

const (
	// MaxBytes bounds the disk that the spool takes: half a million webhooks, or
	// 45 minutes of 200 a second. More is answered 503.
	MaxBytes = 1 << 30

	// directTimeout is how long the broker has before an item goes to the disk. A
	// broker that is well answers in milliseconds. Longer would make senders wait at
	// the beginning of every outage, shorter would spool because of one election.
	directTimeout = time.Second

	// keepTimeout is how long the disk has. With directTimeout it stays below the
	// 10 s in which the sender wants its answer.
	keepTimeout = 5 * time.Second
)

// errSlowBroker is why a direct try ends.
var errSlowBroker = errors.New("spool: the broker did not acknowledge in time")

// An Inbox is where the spool drains to; see ingest.Inbox. It is used by many
// goroutines at once, and its methods block until ctx ends at most.
type Inbox interface {
	Accept(ctx context.Context, items ...ingest.Item) error
	Refuse(ctx context.Context, refusals ...ingest.Refusal) error
}

// Health is told while the spool cannot take anything. Safe for concurrent use,
// never blocks.
type Health interface {
	Set(component, reason string)
	Clear(component string)
}

// Deps are what a Spool uses of its surroundings.
type Deps struct {
	Inbox      Inbox
	Health     Health                // nil = nobody is told
	Logger     *slog.Logger          // nil = silence
	Registerer prometheus.Registerer // nil = unregistered
}

// A Spool takes things in whether or not the broker is there. It is safe for
// concurrent use.
type Spool struct {
	inbox   Inbox
	journal *journal
	lock    *os.File // nil in tests without a directory
	log     *slog.Logger
	errors  lograte.Limiter[string] // bounds the lines about records
	metrics *metrics
	guard   guard
	writer  sync.WaitGroup

	mu       sync.Mutex
	spooling time.Time // since when everything goes through the disk; zero = direct
	underway []*try    // to the broker, in the order in which they came
}

// A try is one call that goes to the broker directly.
type try struct {
	entries  []entry
	cancel   context.CancelFunc
	diverted bool   // to the disk, by its own failure or another's
	batch    *batch // where it is then
	err      error  // why it is nowhere
}

// Open takes the directory for this process and finds what an earlier one left
// there. Run drains it; Close it when done. Errors name SPOOL_DIR.
func Open(dir string, deps Deps) (*Spool, error) {
	lock, err := lockDirectory(dir)
	if err != nil {
		return nil, err
	}
	s, err := open(directory(dir), bounds{total: MaxBytes, segment: segmentBytes}, deps)
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("SPOOL_DIR %s: %w", dir, err)
	}
	s.lock = lock
	return s, nil
}

func open(d disk, b bounds, deps Deps) (*Spool, error) {
	log := deps.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	m := newMetrics(deps.Registerer)
	j, err := openJournal(d, b, log, m)
	if err != nil {
		return nil, err
	}
	s := &Spool{inbox: deps.Inbox, journal: j, log: log, metrics: m, guard: guard{health: deps.Health}}
	if len(j.segments) > 0 {
		s.begin("an earlier process left something")
	}
	s.writer.Go(j.write)
	return s, nil
}

// Close ends writing, after what was taken, and lets go of the directory. End Run
// first. What comes later is refused.
func (s *Spool) Close() {
	s.journal.close()
	s.writer.Wait()
	s.journal.end()
	if s.lock != nil {
		_ = s.lock.Close()
	}
}

// Accept returns nil when the items are safe: acknowledged by the broker, or on
// disk. It blocks for some seconds at most. Items with one key reach the inbox in
// the order of the calls. Errors: ingest.ErrTooLarge, wrapped; all others mean
// that neither took them.
func (s *Spool) Accept(ctx context.Context, items ...ingest.Item) error {
	now := time.Now().UTC()
	entries := make([]entry, len(items))
	for i := range items {
		if items[i].Arrival.ReceivedAt.IsZero() {
			items[i].Arrival.ReceivedAt = now // not when it is drained
		}
		entries[i].item = &items[i]
		if fault := items[i].Fault(); fault != nil { // as the inbox would do, but for the disk
			refusal := items[i].Refusal(fault)
			entries[i] = entry{refusal: &refusal}
		}
	}
	return s.put(ctx, entries, func(ctx context.Context) error { return s.inbox.Accept(ctx, items...) })
}

// Refuse does the same for input that cannot be used.
func (s *Spool) Refuse(ctx context.Context, refusals ...ingest.Refusal) error {
	entries := make([]entry, len(refusals))
	for i := range refusals {
		entries[i].refusal = &refusals[i]
	}
	return s.put(ctx, entries, func(ctx context.Context) error { return s.inbox.Refuse(ctx, refusals...) })
}

// put gives the entries to the broker, or else to the disk.
func (s *Spool) put(ctx context.Context, entries []entry, direct func(context.Context) error) error {
	s.mu.Lock()
	if !s.spooling.IsZero() {
		b, err := s.join(entries)
		s.mu.Unlock()
		return s.kept(ctx, len(entries), b, err)
	}
	limited, cancel := context.WithTimeoutCause(ctx, directTimeout, errSlowBroker)
	defer cancel()
	t := &try{entries: entries, cancel: cancel}
	s.underway = append(s.underway, t)
	s.mu.Unlock()

	err := direct(limited)
	s.mu.Lock()
	if !t.diverted {
		if err != nil && !hopeless(err) && ctx.Err() == nil {
			s.divert(err)
		} else {
			s.forget(t)
		}
	}
	s.mu.Unlock()
	if t.diverted && err != nil && !hopeless(err) {
		return s.kept(ctx, len(entries), t.batch, t.err)
	}
	return err
}
