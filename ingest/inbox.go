package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/lograte"
	"github.com/ringbridge/ringbridge/internal/tracing"
	"github.com/ringbridge/ringbridge/schemas"
)

// ErrNotReady is returned by Accept until UseCodec was called: trying again later
// helps.
var ErrNotReady = errors.New("ingest: the schemas are not known yet")

// ErrTooLarge is returned, wrapped, for an item of which not even a stub fits into the topic of dead
// letters: trying again does not help.
var ErrTooLarge = errors.New("larger than the inbox takes")

// ErrUnfit is returned, wrapped, for an item that no record can be made of: trying
// again does not help.
var ErrUnfit = errors.New("cannot be encoded")

// A Codec turns an arrival into the bytes of the inbox topic. It is used by many
// goroutines at once.
type Codec interface {
	Encode(v schemas.Value) ([]byte, error)
}

// Deps are what an Inbox uses of its surroundings.
type Deps struct {
	Options    []kgo.Opt   // how to reach the brokers; the inbox adds its own
	Topics     kafka.Names // where to write
	Account    string      // the account's name, into every arrival
	Codec      Codec       // nil = not known yet: see UseCodec
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil = unregistered
	Tracer     trace.Tracer          // nil = no spans
}

// An Inbox writes what comes in to Kafka. It is safe for concurrent use.
//
// It tells of outages in the log, not on a health board: only the next item could
// clear such a mark, and a balancer that follows readiness would send none.
type Inbox struct {
	client  *kgo.Client
	codec   atomic.Pointer[Codec]
	topics  kafka.Names
	account string
	limits  *limits
	outage  outage
	log     *slog.Logger
	// warnings bounds the lines about letters, by their reason.
	warnings lograte.Limiter[deadletter.Reason]
	metrics  *metrics
	tracer   trace.Tracer
}

// NewInbox returns an Inbox. It does not reach for a broker: items given while
// there is none fail. Close it when done.
func NewInbox(deps Deps) (*Inbox, error) {
	sizes := &limits{topics: []string{deps.Topics.Inbox, deps.Topics.InboxDLQ}}
	client, err := kgo.NewClient(append(slices.Clone(deps.Options), producerOptions()...)...)
	if err != nil {
		return nil, fmt.Errorf("ingest: kafka client: %w", err)
	}
	log := deps.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	i := &Inbox{
		client:  client,
		topics:  deps.Topics,
		account: deps.Account,
		limits:  sizes,
		outage:  outage{log: log},
		log:     log,
		metrics: newMetrics(deps.Registerer),
		tracer:  tracing.OrNoop(deps.Tracer),
	}
	if deps.Codec != nil {
		i.UseCodec(deps.Codec)
	}
	return i, nil
}

// UseCodec makes the inbox ready, once the registry has told the schemas' ids.
func (i *Inbox) UseCodec(c Codec) { i.codec.Store(&c) }

// Close lets go of the client. Items not yet acknowledged fail.
func (i *Inbox) Close() { i.client.Close() }

// Accept writes the items and returns nil when the broker has acknowledged all of
// them. After an error some may have been written: give all of them again. Items
// with one key keep their order. An item that the inbox cannot hold becomes a dead
// letter instead: one that is larger than the topic takes, or that has a [Item.Fault].
//
// It blocks until ctx is done, or [DeliveryTimeout] at most. Where ctx has ended, or its deadline has passed, before the
// items are handed over, nothing is written; after that they may still be. Errors: ErrNotReady; ErrTooLarge and ErrUnfit,
// wrapped; all others mean that the broker did not take them in time.
func (i *Inbox) Accept(ctx context.Context, items ...Item) error {
	codec := i.codec.Load()
	if codec == nil {
		return ErrNotReady
	}
	out := make([]*outgoing, len(items))
	now := time.Now().UTC()
	for n, item := range items {
		record, err := i.outgoing(*codec, item, now)
		if err != nil {
			return err
		}
		out[n] = record
	}
	spans := make([]trace.Span, len(items))
	for n, item := range items {
		spans[n] = i.sending(out[n].record, item.TraceParent)
		spans[n].SetAttributes(tracing.Origin.String(string(item.Arrival.Origin)), tracing.API.String(strings.ToLower(string(item.Arrival.API))))
	}
	err := i.write(ctx, out, spans)
	for n, item := range items {
		if out[n].form == formItem {
			i.metrics.records.WithLabelValues(string(item.Arrival.Origin), result(err)).Inc()
		}
	}
	i.metrics.duration.Observe(time.Since(now).Seconds())
	return err
}

// outgoing returns the record of an item, or its letter where there is no such record.
func (i *Inbox) outgoing(codec Codec, item Item, now time.Time) (*outgoing, error) {
	if fault := item.Fault(); fault != nil {
		return i.letter(item.Refusal(fault)), nil
	}
	arrival := item.Arrival
	arrival.ArrivalID = uuid.Must(uuid.NewV7()).String()
	arrival.Account = i.account
	if arrival.ReceivedAt.IsZero() {
		arrival.ReceivedAt = now
	}
	value, err := codec.Encode(&arrival)
	if err != nil {
		return nil, fmt.Errorf("ingest: %w: %w", ErrUnfit, err)
	}
	record := &kgo.Record{Topic: i.topics.Inbox, Value: value}
	if item.Key != "" {
		record.Key = []byte(item.Key)
	}
	return &outgoing{record: record, form: formItem, refusal: item.Refusal(errItemTooLarge)}, nil
}

// Refuse writes the bytes to the inbox's dead letters, each with its reason. What
// their topic does not take is cut, and the letter's message says so. It blocks and
// fails as Accept does, and needs no codec.
func (i *Inbox) Refuse(ctx context.Context, refusals ...Refusal) error {
	out := make([]*outgoing, len(refusals))
	spans := make([]trace.Span, len(refusals))
	for n, refusal := range refusals {
		out[n] = i.letter(refusal)
		spans[n] = i.sending(out[n].record, refusal.TraceParent)
	}
	return i.write(ctx, out, spans)
}

// write writes the records, each in the largest form that its topic takes.
func (i *Inbox) write(ctx context.Context, out []*outgoing, spans []trace.Span) error {
	until := time.Now().Add(DeliveryTimeout)
	i.limits.learn(ctx, i.client)
	for _, o := range out {
		for !i.limits.fits(o.record) {
			if !i.shrink(o) {
				break // the broker decides
			}
		}
	}
	err := i.deliver(ctx, until, out)
	sent(spans, err)
	for _, o := range out {
		if o.form == formItem {
			continue
		}
		i.metrics.refused.WithLabelValues(result(err)).Inc()
		if err != nil || o.form == formLetter && o.refusal.Reason == "" { // its caller says so
			continue
		}
		if suppressed, ok := i.warnings.Allow(o.refusal.Reason); ok {
			i.log.Warn("input dead-lettered: the inbox cannot hold it", "reason", o.refusal.Reason, "error", o.refusal.Message,
				"bytes", len(o.refusal.Body), "suppressed", suppressed)
		}
	}
	return err
}

// deliver produces the records. The broker says of a whole batch that it is too large, so those of
// which it does are halved until the ones at fault are known. Those shrink: the same bytes are never
// taken.
func (i *Inbox) deliver(ctx context.Context, until time.Time, out []*outgoing) error {
	tooLarge, err := i.produce(ctx, until, out)
	switch {
	case err != nil:
		return err
	case len(tooLarge) == 0:
		return nil
	case len(tooLarge) > 1:
		half := len(tooLarge) / 2
		if err := i.deliver(ctx, until, tooLarge[:half]); err != nil {
			return err
		}
		return i.deliver(ctx, until, tooLarge[half:])
	}
	o := tooLarge[0]
	if o.tries++; len(out) > 1 || o.tries < maxTries && size(o.record) <= leastLimit {
		return i.deliver(ctx, until, tooLarge) // it may be another of the batch
	}
	i.limits.ask(ctx, i.client) // so that the next one is measured
	if !i.shrink(o) {
		return fmt.Errorf("ingest: write: %w", ErrTooLarge)
	}
	return i.deliver(ctx, until, tooLarge)
}

// result is that of a record's metric.
func result(err error) string {
	if err != nil {
		return resultFailed
	}
	return resultWritten
}
