package console_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/console"
	"github.com/ringbridge/ringbridge/internal/health"
)

// drawn is what the script is given.
type drawn struct {
	Times  []int64 `json:"times"`
	Charts map[string]struct {
		Order []string              `json:"order"`
		Lines map[string][]*float64 `json:"lines"`
	} `json:"charts"`
}

// last is the newest value of a line; nil is a gap.
func (d drawn) last(chart, line string) *float64 {
	values := d.Charts[chart].Lines[line]
	return values[len(values)-1]
}

// meters are the process's, as far as the charts show them.
type meters struct {
	registry *prometheus.Registry
	gathered atomic.Int32
	events   prometheus.Counter
	lag      prometheus.Histogram
	limit    prometheus.Gauge
	used     prometheus.Counter
	oldest   prometheus.Gauge
}

func newMeters() *meters {
	registry := prometheus.NewRegistry()
	metric := promauto.With(registry)
	budget := prometheus.Labels{"api": "engage", "group": "all"}
	return &meters{
		registry: registry,
		events:   metric.NewCounter(prometheus.CounterOpts{Name: "ringbridge_publish_events_total"}),
		lag:      metric.NewHistogram(prometheus.HistogramOpts{Name: "ringbridge_publish_lag_seconds", Buckets: []float64{0.1, 1, 10}}),
		limit:    metric.NewGauge(prometheus.GaugeOpts{Name: "ringbridge_api_budget_calls_per_minute", ConstLabels: budget}),
		used:     metric.NewCounter(prometheus.CounterOpts{Name: "ringbridge_api_budget_used_calls_total", ConstLabels: budget}),
		oldest:   metric.NewGauge(prometheus.GaugeOpts{Name: "ringbridge_replies_oldest_unfinished_timestamp_seconds"}),
	}
}

// console returns one that reads the meters, and is not run yet.
func (m *meters) console(changes ...func(*console.Deps)) *console.Console {
	deps := console.Deps{
		Board: &health.Board{}, Stages: func() []console.Stage { return nil }, Logger: slog.New(slog.DiscardHandler),
		Gatherer: prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { m.gathered.Add(1); return m.registry.Gather() }),
	}
	for _, change := range changes {
		change(&deps)
	}
	return console.New(deps)
}

// show returns a console that keeps the history of the meters, within a bubble.
func (m *meters) show(t *testing.T) *console.Console {
	t.Helper()
	c := m.console()
	go c.Run(t.Context())
	time.Sleep(500 * time.Millisecond) // off the beat of the samples
	return c
}

func history(t *testing.T, c *console.Console, since int64) (d drawn) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(get(t, c, "/history.json?since="+strconv.FormatInt(since, 10))), &d))
	return d
}

func get(t *testing.T, c *console.Console, path string) string {
	t.Helper()
	answer := httptest.NewRecorder()
	c.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil))
	require.Equal(t, http.StatusOK, answer.Code)
	return answer.Body.String()
}

func TestTheHistoryTellsRatesLatenciesAndBudgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeters()
		m.limit.Set(120)
		c := m.show(t)
		require.Nil(t, history(t, c, 0).last("in-rate", "published"), "one reading makes no rate")
		for range 60 { // a minute: 2 events and 1 call a second
			m.events.Add(2)
			m.used.Inc()
			m.lag.Observe(0.05)
			m.oldest.Set(float64(time.Now().Unix() - 90))
			time.Sleep(time.Second)
		}
		d := history(t, c, 0)
		require.InDelta(t, 2, *d.last("in-rate", "published"), 0.1)
		require.InDelta(t, 50, *d.last("budget", "engage"), 2)
		require.InDelta(t, 0.05, *d.last("in-latency", "half"), 0.001)
		require.InDelta(t, 0.099, *d.last("in-latency", "99 of 100"), 0.001)
		require.InDelta(t, 95, *d.last("oldest", "oldest reply"), 5)
		require.Nil(t, d.last("webhook-latency", "half"), "nothing was observed")

		time.Sleep(time.Minute) // and nothing happens
		d = history(t, c, 0)
		require.Zero(t, *d.last("in-rate", "published"))
		require.Nil(t, d.last("in-latency", "half"))
		require.Contains(t, get(t, c, "/"), "Coming in over the last hour")
	})
}

func TestTheHistoryIsAnHourLongAndAskedForInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeters()
		c := m.show(t)
		begun := time.Now().Unix()
		time.Sleep(90 * time.Minute)
		d := history(t, c, 0)
		require.Len(t, d.Times, 720)
		require.InDelta(t, begun+1800, d.Times[0], 10)
		for id, chart := range d.Charts {
			for _, line := range chart.Order {
				require.Len(t, chart.Lines[line], 720, "%s %s", id, line)
			}
		}
		newer := history(t, c, d.Times[717])
		require.Equal(t, d.Times[718:], newer.Times)
		require.Len(t, newer.Charts["in-rate"].Lines["published"], 2)

		m.limit.Set(60) // a line that begins later
		time.Sleep(20 * time.Second)
		d = history(t, c, 0)
		require.Len(t, d.Charts["budget"].Lines["engage"], 720)
		require.Nil(t, d.Charts["budget"].Lines["engage"][0])
		require.NotNil(t, d.last("budget", "engage"))
	})
}

func TestTenViewersCostAsMuchAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeters()
		c := m.show(t)
		before := m.gathered.Load()
		for range 10 {
			get(t, c, "/")
		}
		require.Equal(t, before, m.gathered.Load(), "the sampler has just read")
		time.Sleep(1100 * time.Millisecond)
		for range 10 {
			get(t, c, "/")
		}
		require.Equal(t, before+1, m.gathered.Load())
	})
}
