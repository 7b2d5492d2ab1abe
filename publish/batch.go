package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// A batch is what one transaction does.
type batch struct {
	units  []*unit          // in the order of their offsets within each partition
	stages map[int32]*stage // by partition
	met    []met
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

	spoiled map[position]error // records whose events cannot be written, and why
}

// A position is a record's place in the inbox.
type position struct {
	partition int32
	offset    int64
}

// errSpoiled means that a record of the batch turned out to be a letter after it
// was weighed: the batch must be made again, lest the state remember as
// published what was not.
var errSpoiled = errors.New("publish: an event cannot be written")

// make reads, weighs and enriches records. Every error but errEntry is worth a
// new try: the registry or the broker is out of reach, or errNotOurs.
func (m *maker) make(ctx context.Context, records []*kgo.Record) (*batch, error) {
	b := &batch{stages: map[int32]*stage{}}
	for _, record := range records {
		u, err := read(ctx, m.codec, record)
		if err != nil {
			return nil, err
		}
		if fault := m.spoiled[position{record.Partition, record.Offset}]; fault != nil {
			u.fault, u.finding = fault, nil
		}
		b.units = append(b.units, u)
	}
	for _, u := range b.units {
		s, err := m.stage(ctx, b, u.record)
		if err != nil {
			return nil, err
		}
		s.cause = position{u.record.Partition, u.record.Offset}
		if err := u.weigh(s); err != nil {
			return nil, err
		}
	}
	b.met = m.enricher.enrich(ctx, b.units)
	return b, ctx.Err()
}

// stage returns the batch's stage of a record's partition, over its loaded shard.
func (m *maker) stage(ctx context.Context, b *batch, record *kgo.Record) (*stage, error) {
	partition := record.Partition
	if s := b.stages[partition]; s != nil {
		return s, nil
	}
	shard, err := m.shards.get(partition)
	if err != nil {
		return nil, err
	}
	if shard.entries == nil {
		if err := m.load(ctx, shard, record.Offset); err != nil {
			return nil, fmt.Errorf("publish: load state of partition %d: %w", partition, err)
		}
	}
	b.stages[partition] = newStage(shard)
	return b.stages[partition], nil
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
// the order of the inbox, the identities met, and the state.
func (m *maker) records(b *batch, fit limits) ([]*kgo.Record, error) {
	var out []*kgo.Record
	for _, u := range b.units {
		made, err := m.made(u, fit)
		if err != nil {
			return nil, err
		}
		out = append(out, made...)
	}
	kept := b.met[:0]
	for _, met := range b.met {
		r, err := m.arrivalOf(met)
		if err != nil {
			return nil, err
		}
		if fit.fits(r) {
			out, kept = append(out, r), append(kept, met)
		}
	}
	b.met = kept
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
			m.spoiled[cause], err = errTooLarge, errSpoiled
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
			m.spoiled[position{u.record.Partition, u.record.Offset}] = err
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

// arrivalOf returns an identity met as an arrival, so that the owner of its own
// partition decides whether it is news: an author who writes in two
// conversations at once has one owner. It was read from the API, whatever brought
// its content in.
func (m *maker) arrivalOf(met met) (*kgo.Record, error) {
	cause := &met.cause.arrival
	origin := schemas.OriginPoll
	if cause.Origin == schemas.OriginBackfill {
		origin = schemas.OriginBackfill
	}
	key := met.author.key
	value, err := m.codec.Encode(&schemas.Arrival{
		ArrivalID: uuid.NewString(), Origin: origin, API: key.api, Account: key.account, Kind: kindIdentity, ResourceID: &key.id,
		ReceivedAt: time.Now().UTC(), ContentType: "application/json", Body: met.author.body,
	})
	if err != nil {
		return nil, fmt.Errorf("publish: encode identity: %w", err)
	}
	trace := kgo.RecordHeader{Key: traceHeader, Value: []byte(traceOf(met.cause.record))}
	return &kgo.Record{Topic: m.names.Inbox, Key: []byte(key.id), Value: value, Headers: []kgo.RecordHeader{trace}}, nil
}

// merge makes the batch's additions part of the state: its transaction has
// committed.
func (b *batch) merge() {
	for _, s := range b.stages {
		s.merge()
	}
	for _, met := range b.met {
		met.author.tell()
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
