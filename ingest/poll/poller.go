package poll

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// A Source is the API. It is used by several goroutines at once; every method
// returns when ctx ends, and its errors are *ringcentral.Error.
type Source interface {
	Contents(ctx context.Context, q ringcentral.ContentsQuery) (ringcentral.Page, error)
	Identities(ctx context.Context, q ringcentral.IdentitiesQuery) (ringcentral.Page, error)
}

// A Platform is the API of the RingCentral platform, used in the same way.
type Platform interface {
	// Contents and Identities list Social Messaging's. If a list is not ordered as it
	// was asked for, the error is ringcentral.ErrFilterIgnored.
	Contents(ctx context.Context, q ringcentral.SocialQuery) (ringcentral.SocialPage, error)
	Identities(ctx context.Context, q ringcentral.SocialIdentitiesQuery) (ringcentral.SocialPage, error)
	// SyncMessages reads the message store, or what changed in it since a token. If the
	// token is not known any more, the error is ringcentral.ErrSyncTokenLost.
	SyncMessages(ctx context.Context, q ringcentral.SyncQuery) (ringcentral.SyncAnswer, error)
	// Messages lists the message store, and Message reads one of it.
	Messages(ctx context.Context, q ringcentral.MessagesQuery) (ringcentral.MessagePage, error)
	Message(ctx context.Context, id string) (json.RawMessage, error)
}

// An Inbox keeps what was found. Accept is used by several goroutines at once, and
// returns nil only for what is safe; see ingest.Inbox for its errors.
type Inbox interface {
	Accept(ctx context.Context, items ...ingest.Item) error
}

// Health is told why polling can't do its work. It is used by several goroutines.
type Health interface {
	Set(component, reason string)
	Clear(component string)
}

// A Duty is something else that one replica alone is to do: who owns the partition
// of its name does it. Run returns soon after its context ends.
type Duty struct {
	Name string
	Run  func(ctx context.Context)
}

// Deps are what a Poller uses of its surroundings.
type Deps struct {
	Options    []kgo.Opt   // how to reach the brokers; the poller adds its own
	Topics     kafka.Names // where the cursors are
	Source     Source      // Engage Digital; nil = off
	Platform   Platform    // the RingCentral platform; nil = off
	Social     bool        // the platform's contents and identities are polled, too
	Duties     []Duty
	Inbox      Inbox
	Health     Health                // nil = nobody listens
	Logger     *slog.Logger          // nil = silence
	Registerer prometheus.Registerer // nil = unregistered
	Jitter     func() float64        // in [0, 1), safe for concurrent use; nil = random
}

// A Poller runs the streams whose cursors' partitions its consumer group gives it.
type Poller struct {
	deps    Deps
	cfg     Config
	kinds   []kind
	gates   map[string]*gate // by API
	wakes   map[string]chan struct{}
	metrics *metrics

	maxHarvest, maxRemembered int // less in tests
}

const (
	// stopTimeout bounds the wait for a stream to stop before its partition goes to
	// another owner. A stream stops at once unless a call hangs.
	stopTimeout = 10 * time.Second
	// leaveTimeout bounds the leaving of the group. Without it the others wait for
	// the session to time out, which is worse than bad manners but loses nothing.
	leaveTimeout = 3 * time.Second
	// complainInterval is the least time between two log lines about the group.
	complainInterval = time.Minute
)

// New returns a Poller for cfg, which must be valid.
func New(deps Deps, cfg Config) *Poller {
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Health == nil {
		deps.Health = nobody{}
	}
	if deps.Jitter == nil {
		deps.Jitter = rand.Float64
	}
	p := &Poller{
		deps: deps, cfg: cfg, maxHarvest: maxHarvest, maxRemembered: maxRemembered,
		kinds: deps.kinds(), gates: map[string]*gate{}, wakes: map[string]chan struct{}{},
	}
	p.metrics = newMetrics(deps.Registerer, p.kinds)
	for _, k := range p.kinds {
		p.wakes[k.stream] = make(chan struct{}, 1)
		if api := k.owner(); p.gates[api] == nil {
			p.gates[api] = &gate{
				name: k.remedies().component, remedy: k.remedies().credential, log: deps.Logger, health: deps.Health,
				metric: p.metrics.refused.WithLabelValues(api).Set,
			}
		}
	}
	return p
}

// Hint says that the message store has changed: the stream is polled now, if this
// process runs it. It does not block and is safe for concurrent use.
func (p *Poller) Hint() { p.poke(messagesStream) }

// Wake polls all streams of the platform now that this process runs: notifications
// may have been missed.
func (p *Poller) Wake() {
	for _, k := range p.kinds {
		if k.owner() == apiPlatform {
			p.poke(k.stream)
		}
	}
}

func (p *Poller) poke(stream string) {
	select {
	case p.wakes[stream] <- struct{}{}:
	default: // it will be polled anyway, or there is no such stream
	}
}

// Run polls until ctx ends, then stops its streams, leaves the group and returns
// nil. Outages of the brokers and of the API are waited out: an error means that
// the client's options are wrong.
func (p *Poller) Run(ctx context.Context) error {
	o := newOwner(ctx, p)
	client, err := kgo.NewClient(slices.Concat(p.deps.Options, kafka.MemberOptions(), []kgo.Opt{
		kgo.ConsumerGroup(p.deps.Topics.Group("poll")),
		kgo.ConsumeTopics(p.deps.Topics.Cursors),
		kgo.DisableAutoCommit(), // partitions are shared by the group, not read
		kgo.OnPartitionsAssigned(func(_ context.Context, c *kgo.Client, got map[string][]int32) { o.assigned(c, got) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) { o.released(gone) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) { o.released(gone) }),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.AllowIdempotentProduceCancellation(), // a cursor may be written twice, but a stop must not wait
		kgo.ProducerLinger(0),
	})...)
	if err != nil {
		return fmt.Errorf("poll: kafka client: %w", err)
	}
	client.PauseFetchTopics(p.deps.Topics.Cursors)
	complain := rate.Sometimes{Interval: complainInterval}
	for ctx.Err() == nil {
		client.PollFetches(ctx).EachError(func(_ string, _ int32, err error) {
			if ctx.Err() == nil {
				complain.Do(func() { p.deps.Logger.Warn("poll group", "error", err) })
			}
		})
	}
	o.stop()
	return kafka.Leave(ctx, client, client.Close, leaveTimeout, p.deps.Logger)
}

// nobody is a Health that is not looked at.
type nobody struct{}

func (nobody) Set(string, string) {}
func (nobody) Clear(string)       {}
