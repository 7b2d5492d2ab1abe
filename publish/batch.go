package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// A batch is what one transaction does.
type batch struct {
	units     []*unit          // in the order of their offsets within each partition
	stages    map[int32]*stage // by partition
	published map[*arrived]bool
	stops     map[int32]kgo.EpochOffset // where the group is to go on, by partition
	followers []*follower               // for the inbox
}

// A maker makes batches of records and records of batches. It is used by one
// goroutine.
type maker struct {
	names    kafka.Names
	codec    Codec
	shards   *shards
	read     readFunc
	furthest func(ctx context.Context, partition int32) (int64, error) // by the session's client
	enricher *enricher
	log      *slog.Logger
	metrics  *metrics
}

// errSpoiled means that a record of the batch turned out to be a letter after it
// was weighed: the batch must be made again, lest the state remember as
// published what was not.
var errSpoiled = errors.New("publish: an event cannot be written")

// make makes a batch of the arrived records that are not held. Every error but
// errEntry is worth a new try: the registry or the broker is out of reach, or
// errNotOurs.
func (m *maker) make(ctx context.Context, polled *backlog) (*batch, error) {
	if err := polled.owned(); err != nil {
		return nil, err
	}
	now := time.Now()
	polled.trim(now)
	b := &batch{stages: map[int32]*stage{}, published: map[*arrived]bool{}, stops: map[int32]kgo.EpochOffset{}}
	for _, partition := range polled.sorted() {
		l := polled.lanes[partition]
		if err := m.sift(ctx, b, l, now); err != nil {
			return nil, err
		}
		b.stops[partition] = l.stop(b.published)
	}
	b.followers = m.enricher.followers()
	return b, ctx.Err()
}

// sift adds the records of a partition to the batch that are not held.
func (m *maker) sift(ctx context.Context, b *batch, l *lane, now time.Time) error {
	held := false               // a record before
	behind := map[string]bool{} // the conversations of those
	for _, a := range l.arrived {
		var u *unit
		if !behind[a.conversation()] {
			var err error
			if u, err = m.unit(ctx, b, l, a, held, now); err != nil {
				return err
			}
		}
		if u == nil {
			held = true
			if key := a.conversation(); key != "" {
				behind[key] = true
			}
			continue
		}
		b.units = append(b.units, u)
		b.published[a] = true
	}
	return nil
}

// unit returns what becomes of a record, or nil while the record is held. What a
// content lacks is asked for if it would be published: a repetition starts no
// call.
func (m *maker) unit(ctx context.Context, b *batch, l *lane, a *arrived, afterHeld bool, now time.Time) (*unit, error) {
	early := a.due.After(now)
	if early && m.enricher.waits(a) {
		return nil, nil
	}
	u, err := m.readUnit(ctx, a)
	if err != nil {
		return nil, err
	}
	if u.fault != nil && afterHeld {
		return nil, nil
	}
	s, err := m.stage(ctx, b, l)
	if err != nil {
		return nil, err
	}
	if early && !a.judged && m.enricher.incomplete(u) {
		a.judged = true
		if err := u.weigh(s.trial()); err != nil {
			return nil, err
		}
		if u.content() != nil {
			m.enricher.ask(ctx, u, a)
		}
		if m.enricher.waits(a) {
			return nil, nil
		}
		if u, err = m.readUnit(ctx, a); err != nil { // a unit is weighed once
			return nil, err
		}
	}
	m.enricher.fill(u)
	s.cause = a
	if err := u.weigh(s); err != nil {
		return nil, err
	}
	u.wishes = m.enricher.wishes(u)
	return u, nil
}

// readUnit reads a record.
func (m *maker) readUnit(ctx context.Context, a *arrived) (*unit, error) {
	u, err := read(ctx, m.codec, a.record)
	if err != nil {
		return nil, err
	}
	u.arrived = a
	if a.fault != nil {
		u.fault, u.finding = a.fault, nil
	}
	if class, fields := oddOf(u.finding); len(fields) > 0 {
		m.log.Debug("fields left empty because no reading fits their values", "class", class, "fields", fields,
			"partition", a.record.Partition, "offset", a.record.Offset)
	}
	return u, nil
}

// stage returns the batch's stage of a partition, over its loaded shard.
func (m *maker) stage(ctx context.Context, b *batch, l *lane) (*stage, error) {
	shard := l.shard
	if s := b.stages[shard.partition]; s != nil {
		return s, nil
	}
	if shard.entries == nil {
		if err := m.load(ctx, shard, l.arrived[0].record.Offset); err != nil {
			return nil, fmt.Errorf("publish: load state of partition %d: %w", shard.partition, err)
		}
	}
	b.stages[shard.partition] = newStage(shard)
	return b.stages[shard.partition], nil
}

// load makes a shard know all that was published of its partition. The inbox is committed up to the offset.
func (m *maker) load(ctx context.Context, s *shard, committed int64) error {
	begun := time.Now()
	furthest, err := m.furthest(ctx, s.partition)
	if err != nil {
		return err
	}
	s.furthest = max(furthest, committed)
	whole, err := s.load(ctx, m.read, m.names.Seen)
	if err == nil && !whole {
		err = m.rebuild(ctx, s, s.furthest)
	}
	if err != nil {
		return err
	}
	m.metrics.stateLoad.Observe(time.Since(begun).Seconds())
	m.log.Info("state loaded", "partition", s.partition, "entries", len(s.entries), "took", time.Since(begun))
	return nil
}

// records returns everything the transaction writes: the events and letters in
// the order of the inbox, what follows events of before, and the state.
func (m *maker) records(b *batch, fit limits) ([]*kgo.Record, error) {
	var out []*kgo.Record
	for _, u := range b.units {
		made, err := m.made(u, fit)
		if err != nil {
			return nil, err
		}
		out = append(out, made...)
	}
	for _, f := range b.followers {
		r, err := f.record(m.names.Inbox, m.codec)
		if err != nil {
			return nil, fmt.Errorf("publish: encode arrival: %w", err)
		}
		if fit.fits(r) {
			out = append(out, r)
		}
	}
	for _, s := range b.stages {
		records, err := m.stateRecords(s, fit)
		if err != nil {
			return nil, err
		}
		out = append(out, records...)
	}
	return out, nil
}

// stateRecords returns what a stage writes to the topic seen. A unit whose entry does not fit is
// spoiled: what cannot be remembered must not be published.
func (m *maker) stateRecords(s *stage, fit limits) (out []*kgo.Record, err error) {
	for _, r := range s.records(m.names.Seen) {
		cause, added := s.causes[digestOf(r.Key)]
		switch {
		case fit.fits(r):
			out = append(out, r)
		case added:
			cause.fault, err = errTooLarge, errSpoiled
		default: // rebuilt, from when the topic took more
			m.log.Error("what was published of a resource is larger than the topic takes, and is forgotten with this process: raise max.message.bytes",
				"topic", r.Topic, "partition", r.Partition, "bytes", kafka.BatchBytes(r))
		}
	}
	return out, err
}

// made returns a unit's events or its letter; nothing when it is a repetition.
func (m *maker) made(u *unit, fit limits) ([]*kgo.Record, error) {
	var out []*kgo.Record
	for _, e := range u.events {
		r, err := m.eventRecord(u, e, fit)
		if _, ok := errors.AsType[*schemas.UnavailableError](err); ok {
			return nil, err
		}
		if err != nil {
			u.arrived.fault = err
			return nil, errSpoiled
		}
		out = append(out, r)
	}
	if u.fault == nil {
		return out, nil
	}
	return []*kgo.Record{u.letter(m.names, fit, time.Now())}, nil
}

// eventRecord encodes an event of a unit. One that does not fit goes out without
// what the receiver can do without: the content or message as received.
func (m *maker) eventRecord(u *unit, e *event, fit limits) (*kgo.Record, error) {
	r := &kgo.Record{Topic: topicOf(m.names, e.topic), Partition: u.record.Partition, Key: []byte(e.key), Headers: e.headers(u)}
	for {
		value, err := m.codec.Encode(e.value)
		if err != nil {
			return nil, fmt.Errorf("publish: encode event: %w", err)
		}
		r.Value = value
		if fit.fits(r) {
			return r, nil
		}
		if !withoutRaw(e.value) {
			return nil, errTooLarge
		}
	}
}

// withoutRaw takes what was received out of an event, and tells whether that
// made it smaller.
func withoutRaw(value schemas.Value) bool {
	var raw **string
	switch v := value.(type) {
	case *schemas.ContentEvent:
		raw = &v.Raw
	case *schemas.MessageEvent:
		raw = &v.Raw
	default:
		return false
	}
	there := *raw != nil
	*raw = nil
	return there
}

// merge makes the batch's additions part of the state: its transaction has
// committed.
func (b *batch) merge() {
	for _, s := range b.stages {
		s.merge()
	}
}

// forget makes the batch's shards load again: how its transaction ended is not
// known for certain.
func (b *batch) forget() {
	for _, s := range b.stages {
		s.shard.forget()
	}
}

// entries returns how much state is in memory.
func (m *maker) entries() int {
	n := 0
	for _, s := range m.shards.all() {
		n += len(s.entries)
	}
	return n
}
