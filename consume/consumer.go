package consume

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
	"github.com/ringbridge/ringbridge/internal/tracing"
	"github.com/ringbridge/ringbridge/schemas"
)

// Codec encodes results and decodes commands; *schemas.Codec is one. It is safe
// for concurrent use.
type Codec interface {
	Encode(schemas.Value) ([]byte, error)
	// Decode returns a *schemas.UndecodableError when the bytes are at fault; any
	// other error means that trying again may help.
	Decode(context.Context, []byte, schemas.Value) error
}

// Health takes what readiness should tell. It is safe for concurrent use.
type Health interface {
	Set(component, reason string) // the component cannot do its work, because
	Clear(component string)       // it can
}

// component is the stage's name to Health and in logs.
const component = "replies"

// Deps are what the stage works with.
type Deps struct {
	Options      []kgo.Opt // how to reach the brokers; the stage adds its own
	Topics       kafka.Names
	Group        string // the consumer group
	Codec        Codec
	Engage       Engage   // nil = off: its commands are refused as invalid; so with the next two, of which one at least is on
	Social       Social   // CreateContent with api SOCIAL
	Messages     Messages // SendSms, UpdateMessage, DeleteMessage
	Logger       *slog.Logger
	Registerer   prometheus.Registerer
	Health       Health        // nil = nobody asks
	Tracer       trace.Tracer  // nil = no spans
	DrainTimeout time.Duration // how long calls in flight may take when stopping; 0 = 8 s
}

// defaultDrain leaves room for the rest within a SHUTDOWN_TIMEOUT of 10 s.
const defaultDrain = 8 * time.Second

// A Consumer carries out reply commands. Make one with New, and run it once.
type Consumer struct {
	deps    Deps
	cfg     Config
	log     *slog.Logger
	metrics *metrics
	tracer  trace.Tracer

	apis   apis
	gates  [flavours]*gate
	admit  chan struct{} // commands with an attempt on record, at most twice the slots: so that a slot never waits for the ledger
	slots  chan struct{} // calls at once
	twins  *twins
	claims *claims
	pace   backoff
	random func() float64

	refusals kafka.Refusals // used by one session after the other

	mu      sync.Mutex
	session *session
}

// New returns a consumer. It reaches for no broker yet.
func New(deps Deps, cfg Config) (*Consumer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("consume: %w", err)
	}
	if deps.Engage == nil && deps.Social == nil && deps.Messages == nil {
		return nil, errors.New("consume: no API is on")
	}
	if deps.DrainTimeout == 0 {
		deps.DrainTimeout = defaultDrain
	}
	c := &Consumer{
		deps: deps, cfg: cfg, apis: apis{deps.Engage, deps.Social, deps.Messages}, log: deps.Logger.With("component", component), tracer: tracing.OrNoop(deps.Tracer),
		admit: make(chan struct{}, 2*cfg.Concurrency), slots: make(chan struct{}, cfg.Concurrency),
		twins: newTwins(), claims: newClaims(), random: rand.Float64,
		pace: backoff{least: cfg.BackoffMin, most: cfg.BackoffMax},
	}
	c.metrics = newMetrics(deps.Registerer, c.standing)
	for f := range flavours {
		c.gates[f] = newGate(cfg.CircuitFailures, c.pace, c.random, func(state gateState, why string) { c.gateChanged(f, state, why) })
	}
	return c, nil
}

// Run reads and carries out commands until ctx ends. Then it takes in no more,
// gives calls in flight DrainTimeout, commits, leaves the group and returns nil.
// Broker outages are waited out.
func (c *Consumer) Run(ctx context.Context) error {
	for {
		err := c.runSession(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // a stop is no failure, however the session took it
		}
		if !errors.Is(err, errRestart) {
			return err
		}
		// What is on record is not known: begin anew, as after a crash.
		c.metrics.restarts.Inc()
		c.log.Warn("starting again with new clients", "error", err)
		_ = sleep.For(ctx, c.pace.wait(1, time.Second, c.random))
	}
}

func (c *Consumer) gateChanged(f flavour, state gateState, why string) {
	c.metrics.circuitIs(f, state)
	log := c.log.With("api", f.String())
	switch state {
	case gateClosed:
		log.Info("calls go out again")
		c.clearHealth(f.component())
	case gateOpen:
		log.Error("the API is down: commands are kept, one probe at a time goes out", "error", why)
		c.setHealth(f.component(), "the API is down, commands are kept: "+why)
	case gateHalted:
		log.Error("the API refuses the credential: commands are kept, and it is tried once a minute; check the settings", "settings", f.credential(), "error", why)
		c.setHealth(f.component(), "the API refuses the credential ("+f.credential()+"), commands are kept: "+why)
	}
}

func (c *Consumer) setHealth(name, reason string) {
	if c.deps.Health != nil {
		c.deps.Health.Set(name, reason)
	}
}

func (c *Consumer) clearHealth(name string) {
	if c.deps.Health != nil {
		c.deps.Health.Clear(name)
	}
}

// owned returns the partitions that are this process's now.
func (c *Consumer) owned() []*partition {
	c.mu.Lock()
	session := c.session
	c.mu.Unlock()
	if session == nil {
		return nil
	}
	return session.owned()
}

func (c *Consumer) standing() (s standing) {
	for _, p := range c.owned() {
		open, lanes, oldest := p.standing()
		s.open += open
		s.lanes += lanes
		if !oldest.IsZero() && (s.oldest.IsZero() || oldest.Before(s.oldest)) {
			s.oldest = oldest
		}
	}
	return s
}
