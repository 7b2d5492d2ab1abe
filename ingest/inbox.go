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
	"github.com/ringbridge/ringbridge/internal/tracing"
	"github.com/ringbridge/ringbridge/schemas"
)

// ErrNotReady is returned by Accept until UseCodec was called: trying again later
// helps.
var ErrNotReady = errors.New("ingest: the schemas are not known yet")

// ErrTooLarge is returned, wrapped, for an item that the inbox topic cannot hold:
// trying again does not help.
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
	outage  outage
	metrics *metrics
	tracer  trace.Tracer
}

// NewInbox returns an Inbox. It does not reach for a broker: items given while
// there is none fail. Close it when done.
func NewInbox(deps Deps) (*Inbox, error) {
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
		outage:  outage{log: log},
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
// with one key keep their order.
//
// It blocks until ctx is done, or [DeliveryTimeout] at most. Where ctx has ended, or its deadline has passed, before the
// items are handed over, nothing is written; after that they may still be. Errors: ErrNotReady; ErrTooLarge and ErrUnfit,
// wrapped; all others mean that the broker did not take them in time.
func (i *Inbox) Accept(ctx context.Context, items ...Item) error {
	codec := i.codec.Load()
	if codec == nil {
		return ErrNotReady
	}
	records := make([]*kgo.Record, len(items))
	now := time.Now().UTC()
	for n, item := range items {
		record, err := i.record(*codec, item, now)
		if err != nil {
			return err
		}
		records[n] = record
	}
	spans := make([]trace.Span, len(items))
	for n, item := range items {
		spans[n] = i.sending(records[n], item.TraceParent)
		spans[n].SetAttributes(tracing.Origin.String(string(item.Arrival.Origin)), tracing.API.String(strings.ToLower(string(item.Arrival.API))))
	}
	err := i.produce(ctx, records)
	sent(spans, err)
	result := resultWritten
	if err != nil {
		result = resultFailed
	}
	for _, item := range items {
		i.metrics.records.WithLabelValues(string(item.Arrival.Origin), result).Inc()
	}
	i.metrics.duration.Observe(time.Since(now).Seconds())
	return err
}

func (i *Inbox) record(codec Codec, item Item, now time.Time) (*kgo.Record, error) {
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
	return record, nil
}

// Refuse writes the bytes to the inbox's dead letters: no key, the bytes as they
// are, reason undecodable. It blocks and fails as Accept does, and needs no codec.
func (i *Inbox) Refuse(ctx context.Context, refusal Refusal) error {
	record := &kgo.Record{Topic: i.topics.InboxDLQ, Value: refusal.Body}
	span := i.sending(record, refusal.TraceParent)
	for _, h := range refusal.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Name, Value: []byte(h.Value)})
	}
	letter := deadletter.Letter{
		Attempts: 1,
		Message:  refusal.Message,
		Reason:   deadletter.Undecodable,
		FailedAt: time.Now(),
	}
	record.Headers = letter.Headers(record.Headers)
	err := i.produce(ctx, []*kgo.Record{record})
	sent([]trace.Span{span}, err)
	result := resultWritten
	if err != nil {
		result = resultFailed
	}
	i.metrics.refused.WithLabelValues(result).Inc()
	return err
}
