package poll_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/ingest/internal/ingesttest"
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
	opts   []kgo.Opt // of the pollers begun next; nil = the broker's
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
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-done)
		}
	}
	t.Cleanup(stop)
	return stop
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
	found := 0
	for _, w := range wanted {
		for _, v := range values {
			if v == w {
				found++
				break
			}
		}
	}
	return found == len(wanted)
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
		b.source.arrive(400, time.Now())
		b.begin(t)
		time.Sleep(settle)
		require.Len(t, b.inbox.ids("content"), 400)
		time.Sleep(2*time.Hour + time.Minute) // with two sweeps
		require.Len(t, b.inbox.ids("content"), 400)
		b.source.mu.Lock()
		b.source.contents[7].text = "edited"
		edited := b.source.contents[7].id
		b.source.mu.Unlock()
		time.Sleep(time.Minute + time.Hour)
		require.Len(t, b.inbox.ids("content"), 401)
		require.Equal(t, edited, b.inbox.ids("content")[400])
		require.InDelta(t, 3, b.metric(t, "sweeps_total", "engage/contents", "schedule"), 0)
		require.InDelta(t, 0, b.metric(t, "sweeps_total", "engage/contents", "census"), 0)
		require.InDelta(t, 401, b.metric(t, "rows_written_total", "engage/contents"), 0)
	})
}

func TestRowsAreWrittenOldestFirst(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		ids := b.source.stream(700, time.Now(), time.Second)
		b.begin(t)
		time.Sleep(settle)
		require.Equal(t, ids, b.inbox.ids("content"))
		for _, item := range b.inbox.items {
			require.Contains(t, string(item.Arrival.Body), `"thread_id":"`+item.Key+`"`)
		}
	})
}
