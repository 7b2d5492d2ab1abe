package publish

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
	"github.com/ringbridge/ringbridge/internal/tracing"
	"github.com/ringbridge/ringbridge/schemas"
)

// stageName is the stage's part of its consumer group's name.
const stageName = "publish"

const (
	// restartMin and restartMax bound the wait before a new session after a
	// fault, which doubles each time.
	restartMin = 250 * time.Millisecond
	restartMax = 15 * time.Second
	// healthy is how long a session must last for the wait to begin anew.
	healthy = time.Minute
)

// Deps are what the stage works with.
type Deps struct {
	Kafka      []kgo.Opt             // reach the brokers; used for the session's client and for short-lived ones that read state
	Session    []kgo.Opt             // for the session's client alone, such as the hooks of its metrics; applied last
	Names      kafka.Names           // of the topics
	Codec      Codec                 // of the values
	API        API                   // completes contents of Engage Digital; nil = they go out as they came
	Social     API                   // completes those of Social and Advanced Messaging; nil as above
	Health     Health                // nil = nobody is told
	Logger     *slog.Logger          // nil = silence
	Registerer prometheus.Registerer // nil = unregistered
	Tracer     trace.Tracer          // nil = no spans
}

// A Publisher runs the stage. Make it with New.
type Publisher struct {
	deps   Deps
	txnID  string
	kafka  trouble
	schema trouble
	maker  *maker

	refusals kafka.Refusals
	pulse    pulse
	waker    waker
	metrics  *metrics
	tracer   trace.Tracer
}

// New returns a publisher; cfg must be valid. It makes no call.
func New(deps Deps, cfg Config) *Publisher {
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Health == nil {
		deps.Health = noHealth{}
	}
	m := newMetrics(deps.Registerer)
	p := &Publisher{
		deps: deps,
		// One id for the life of the process: a session that follows a broken one
		// ends its transaction at once instead of waiting for its time-out.
		txnID:   deps.Names.Group(stageName) + "-" + uuid.NewString(),
		kafka:   trouble{component: componentKafka, health: deps.Health, log: deps.Logger},
		schema:  trouble{component: componentRegistry, health: deps.Health, log: deps.Logger},
		metrics: m,
		tracer:  tracing.OrNoop(deps.Tracer),
	}
	p.maker = &maker{
		names: deps.Names, codec: deps.Codec, shards: &shards{}, read: p.readTo, log: deps.Logger, metrics: m,
		enricher: &enricher{
			bound: cfg.EnrichTimeout, wake: p.waker.wake, log: deps.Logger, metrics: m,
			sources: sourcesOf(map[schemas.Api]API{schemas.ApiEngage: deps.API, schemas.ApiSocial: deps.Social}),
			authors: newAuthors(authorsKept), underWay: map[question]*call{},
		},
	}
	return p
}

// Run publishes until ctx is done, then ends the transaction under way, leaves
// the group and returns nil; that takes stopBound at most. Outages are waited
// out. The error is one that waiting does not heal. Run may be called once.
func (p *Publisher) Run(ctx context.Context) error {
	defer p.enrich(ctx)()
	wait := restartMin
	for ctx.Err() == nil {
		begun := time.Now()
		err := p.session(ctx)
		if errors.Is(err, errEntry) || errors.Is(err, errOptions) || errors.Is(err, kafka.ErrStuck) {
			return err
		}
		if ctx.Err() != nil {
			break
		}
		p.metrics.restarts.Inc()
		p.kafka.felt("cannot work with Kafka: "+err.Error(), err)
		if time.Since(begun) > healthy || kafka.IsTooLarge(err) { // the same bytes are not sent again
			wait = restartMin
		}
		_ = sleep.For(ctx, wait) // the loop sees that ctx is done
		wait = min(2*wait, restartMax)
	}
	return nil
}

// enrich lets contents be completed in the background until the function that it
// returns is called, which waits for the end of all calls.
func (p *Publisher) enrich(ctx context.Context) (stop func()) {
	e := p.maker.enricher
	ctx, cancel := context.WithCancel(ctx)
	e.run(ctx)
	if len(e.sources) > 0 {
		e.wait.Go(func() { p.warm(ctx) })
	}
	return func() {
		cancel()
		e.wait.Wait()
	}
}

// readTo reads a partition with clients of its own.
func (p *Publisher) readTo(ctx context.Context, topic string, partition int32, until int64, each func(*kgo.Record)) (int64, error) {
	return kafka.ReadTo(ctx, p.deps.Kafka, topic, partition, until, func(r *kgo.Record) {
		p.pulse.beat("loading state")
		each(r)
	})
}
