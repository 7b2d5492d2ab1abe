package poll_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/ingest/ingesttest"
	"github.com/ringbridge/ringbridge/ingest/poll"
)

func config() poll.Config {
	return poll.Config{Interval: 30 * time.Second, Overlap: 15 * time.Minute, SweepInterval: time.Hour, Sweep: 72 * time.Hour}
}

// bench is a poller at work, on fake time.
type bench struct {
	kafka  *ingesttest.Kafka
	source *fakeSource
	inbox  *fakeInbox
	health *fakeHealth
	reg    *prometheus.Registry
	cfg    poll.Config
	part   int       // bytes of a harvest; 0 = as many as ever
	opts   []kgo.Opt // of the pollers begun next; nil = the broker's

	mu   sync.Mutex
	last context.CancelFunc // of the poller begun last
}

// bubble runs a test on fake time with an account and a broker.
func bubble(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		bubbleTime()
		test(t, newBench(t))
	})
}

// bubbleTime brings a bubble to this decade: it begins in 2000, and no id of the
// API is from before 2010.
func bubbleTime() { time.Sleep(time.Until(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))) }

func newBench(t *testing.T) *bench {
	t.Helper()
	return &bench{kafka: ingesttest.Start(t), source: &fakeSource{}, inbox: &fakeInbox{}, health: &fakeHealth{}, cfg: config()}
}

// begin starts a poller; stop stops it and waits.
func (b *bench) begin(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	b.reg = prometheus.NewRegistry()
	opts := b.opts
	if opts == nil {
		opts = b.kafka.Options
	}
	p := poll.New(poll.Deps{
		Options: opts, Topics: b.kafka.Names, Source: b.source, Inbox: b.inbox, Health: b.health, Registerer: b.reg,
		Jitter: func() float64 { return 0.5 },
	}, b.cfg)
	if b.part > 0 {
		p.SetMaxHarvest(b.part)
	}
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	b.mu.Lock()
	b.last = cancel
	b.mu.Unlock()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	t.Cleanup(stop)
	return stop
}

// die stops the last poller from within one of its calls.
func (b *bench) die() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last()
}

// metric returns the value of a counter or gauge that has all of the labels.
func (b *bench) metric(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	families, err := b.reg.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() != "ringbridge_poll_"+name {
			continue
		}
		for _, m := range family.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if !contains(values, labels) {
				continue
			}
			if m.GetGauge() != nil {
				return m.GetGauge().GetValue()
			}
			return m.GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s %v", name, labels)
	return 0
}

func contains(values, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(w string) bool { return !slices.Contains(values, w) })
}

const settle = 10 * time.Second // for the group to form and the first round

func TestTheFirstStartLeavesHistoryToBackfill(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		before := b.source.arrive(3, time.Now())
		time.Sleep(16 * time.Minute) // imported before, too
		recent := b.source.arrive(3, time.Now().Add(-14*time.Minute))
		recent = append(recent, b.source.arrive(1, time.Now().Add(-71*time.Hour))...) // late, but not history
		stop := b.begin(t)
		time.Sleep(settle)
		require.ElementsMatch(t, recent, b.inbox.ids("content"))

		// After days of absence nothing of that time is missing, and nothing older comes.
		stop()
		missed := b.source.stream(400, time.Now().Add(96*time.Hour), 10*time.Minute)
		time.Sleep(96 * time.Hour)
		b.begin(t)
		time.Sleep(settle)
		require.Subset(t, b.inbox.ids("content"), missed)
		require.NotContains(t, b.inbox.ids("content"), before[0])
	})
}

func TestOnlyWhatIsNewOrChangedIsWrittenAgain(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.arrive(200, time.Now())
		b.begin(t)
		time.Sleep(settle)
		require.Len(t, b.inbox.ids("content"), 200)
		time.Sleep(2*time.Hour + time.Minute) // with two sweeps
		require.Len(t, b.inbox.ids("content"), 200)
		edited := b.source.all()[7].id
		b.source.change(func() { b.source.contents[7].text = "edited" })
		time.Sleep(time.Minute + time.Hour)
		require.Len(t, b.inbox.ids("content"), 201)
		require.Equal(t, edited, b.inbox.ids("content")[200])
		require.InDelta(t, 3, b.metric(t, "sweeps_total", "engage/contents", "schedule"), 0)
		require.InDelta(t, 0, b.metric(t, "sweeps_total", "engage/contents", "census"), 0)
		require.InDelta(t, 201, b.metric(t, "rows_written_total", "engage/contents"), 0)
	})
}

func TestTheMemoryIsBounded(t *testing.T) {
	require.Equal(t, 1000, poll.Remember(1000, 1000))
	require.Equal(t, 1000, poll.Remember(1100, 1000))
}

func TestAQuietAccountIsNotWrittenAgain(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.cfg.Sweep, b.cfg.SweepInterval = time.Hour, 30*time.Minute
		b.begin(t)
		time.Sleep(settle)
		b.source.arrive(10, time.Now())
		time.Sleep(4 * time.Hour) // the rows are older than what any sweep reads back to
		require.Len(t, b.inbox.ids("content"), 10)
	})
}

func TestWhatCameSinceTheFirstStartIsFoundEvenIfThatFailed(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.hook(func(ctx context.Context, _ string, _ int) error {
			<-ctx.Done()
			return ctx.Err()
		})
		stop := b.begin(t)
		time.Sleep(settle)
		stop()
		b.source.hook(nil)
		ids := b.source.arrive(200, time.Now())
		time.Sleep(2 * time.Hour)
		b.begin(t)
		time.Sleep(settle)
		require.ElementsMatch(t, ids, b.inbox.ids("content"))
	})
}

func TestRowsAreWrittenOldestFirst(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		ids := b.source.stream(700, time.Now(), time.Second/2) // two of each second
		older := b.source.stream(100, time.Now().Add(-12*time.Minute), time.Second)
		b.begin(t)
		time.Sleep(settle)
		require.Equal(t, append(older, ids...), b.inbox.ids("content"))
		for _, item := range b.inbox.all() {
			require.Contains(t, string(item.Arrival.Body), `"thread_id":"`+item.Key+`"`)
		}
	})
}
