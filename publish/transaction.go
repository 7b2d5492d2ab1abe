package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	// retryMin and retryMax bound the waits, doubling, before a batch is made
	// again while the registry is out of reach, and before one is redone after
	// transactions that did not commit.
	retryMin = 50 * time.Millisecond
	retryMax = 5 * time.Second
)

// publish turns the arrived records that are not held into one transaction. The
// error ends the session; a transaction that did not commit is none, as its
// records come again.
func (s *session) publish(ctx context.Context) error {
	b, out, err := s.prepare(ctx)
	switch {
	case errors.Is(err, errNotOurs):
		return s.abandon(ctx)
	case err != nil:
		return err
	case len(b.units) == 0 && (len(b.followers) == 0 || len(b.stops) == 0):
		// A transaction without offsets would take half a second: the client then
		// cannot know how old the broker is.
		s.metrics.held.Set(float64(s.polled.len()))
		return nil
	}
	begun := time.Now()
	graceful, cancel := withGrace(ctx)
	defer cancel()
	committed, err := s.transact(graceful, b, out)
	failpoint.Hit("publish/ended")
	s.ended = time.Now()
	s.metrics.duration.Observe(s.ended.Sub(begun).Seconds())
	s.report(b, committed, s.ended.Sub(begun))
	if !committed {
		// The broker may have committed all the same, if its answer was lost.
		b.forget()
		s.metrics.transactions.WithLabelValues(resultAborted).Inc()
		if err != nil {
			return fmt.Errorf("publish: transaction: %w", err)
		}
		s.rewind()
		return s.pause(ctx)
	}
	s.aborts = 0
	s.settle(b)
	s.kafka.over()
	return nil
}

// settle notes that a batch is published.
func (s *session) settle(b *batch) {
	b.merge()
	s.polled.published(b.published)
	e := s.maker.enricher
	for _, u := range b.units {
		for _, q := range u.wishes {
			e.wish(u, q)
		}
		e.leave(u.arrived)
		u.describe(u.arrived.span())
		u.arrived.span().End()
	}
	e.followed(len(b.followers))
	s.metrics.transactions.WithLabelValues(resultCommitted).Inc()
	s.metrics.committed(b, s.ended)
	s.metrics.held.Set(float64(s.polled.len()))
	s.metrics.stateEntries.Set(float64(s.maker.entries()))
}

// rewind gives back what comes again after a transaction that did not commit.
func (s *session) rewind() {
	offsets := s.kafkaSession.Client().CommittedOffsets()
	s.giveBack(s.polled.rewound(offsets[s.deps.Names.Inbox]))
	s.waker.wake() // what stays may be ready to go
}

// giveBack ends the work on records that will not be published from here.
func (s *session) giveBack(gone []*arrived) {
	for _, a := range gone {
		s.maker.enricher.leave(a)
		endUncommitted(a.span())
	}
	s.metrics.held.Set(float64(s.polled.len()))
}

// prepare makes the batch and its records. While the registry is out of reach it
// waits. errNotOurs means that a partition was taken away meanwhile.
func (s *session) prepare(ctx context.Context) (*batch, []*kgo.Record, error) {
	wait := retryMin
	for {
		var out []*kgo.Record
		s.pulse.beat("making events")
		b, err := s.maker.make(ctx, s.polled)
		if err == nil {
			out, err = s.maker.records(b, s.fit)
		}
		var unavailable *schemas.UnavailableError
		switch {
		case err == nil:
			s.schema.over()
			return b, out, nil
		case ctx.Err() != nil:
			return nil, nil, context.Cause(ctx)
		case errors.Is(err, errSpoiled):
			continue
		case !errors.As(err, &unavailable):
			return nil, nil, err
		}
		s.schema.felt("the schema registry is out of reach", err)
		if err := sleep.For(ctx, wait); err != nil {
			return nil, nil, err
		}
		wait = min(2*wait, retryMax)
	}
}

// transact writes the records and the inbox's offsets in one transaction, and
// tells whether it committed. Without an error it is certain that the next one
// can begin, not how this one ended.
func (s *session) transact(ctx context.Context, b *batch, records []*kgo.Record) (committed bool, err error) {
	if err := s.kafkaSession.Begin(); err != nil {
		return false, err
	}
	failpoint.Hit("publish/begun")
	var mu sync.Mutex
	var failed error
	var refused []*kgo.Record
	for _, r := range records {
		s.kafkaSession.Produce(ctx, r, func(r *kgo.Record, err error) {
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				if kafka.IsTooLarge(err) {
					refused = append(refused, r)
				}
				if failed == nil {
					failed = fmt.Errorf("write to %s: %w", r.Topic, err)
				}
			}
		})
	}
	if err := s.kafkaSession.Client().Flush(ctx); err != nil {
		return false, err
	}
	mu.Lock()
	defer mu.Unlock()
	s.refusals.Note(kafka.Limits(s.fit), refused...)
	failpoint.Hit("publish/produced")
	committed, err = s.kafkaSession.End(s.maker.shards.withOffsets(ctx, s.deps.Names.Inbox, s.inbox, b.stops), failed == nil)
	return committed, errors.Join(failed, err)
}

// abandon gives the polled records back: their partitions are being taken away.
// An empty transaction that is aborted takes the client back to the committed
// offsets.
func (s *session) abandon(ctx context.Context) error {
	s.metrics.transactions.WithLabelValues(resultAborted).Inc()
	if err := s.kafkaSession.Begin(); err != nil {
		return fmt.Errorf("publish: give back: %w", err)
	}
	graceful, cancel := withGrace(ctx)
	defer cancel()
	if _, err := s.kafkaSession.End(graceful, kgo.TryAbort); err != nil {
		return fmt.Errorf("publish: give back: %w", err)
	}
	s.rewind()
	return s.pause(ctx)
}

// pause waits after a transaction that did not commit, longer each time.
func (s *session) pause(ctx context.Context) error {
	d := min(retryMin<<min(s.aborts, 10), retryMax)
	s.aborts++
	_ = sleep.For(ctx, d) // the loop sees that ctx is done
	return nil
}

// report writes one line for the transaction and one for each letter. What
// customers wrote is in neither.
func (s *session) report(b *batch, committed bool, took time.Duration) {
	log := s.deps.Logger
	var events, letters, repetitions int
	for _, u := range b.units {
		switch {
		case u.fault != nil:
			letters++
			if committed {
				log.Warn("arrival given up", "reason", u.reason(), "error", u.fault, "arrival_id", u.arrival.ArrivalID, "kind", u.arrival.Kind,
					"resource_id", deref(u.arrival.ResourceID), "partition", u.record.Partition, "offset", u.record.Offset)
			}
		case len(u.events) == 0:
			repetitions++
		}
		events += len(u.events)
	}
	level := slog.LevelDebug
	if !committed {
		level = slog.LevelInfo
	}
	log.Log(context.Background(), level, "transaction ended", "committed", committed, "read", len(b.units), "events", events, "letters", letters,
		"repetitions", repetitions, "held", s.polled.len()-len(b.units), "followers", len(b.followers), "partitions", len(b.stages), "took", took)
}
