package console_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/console"
)

// gauge and count set a metric of the bench before or while it is looked at.
func (b *bench) gauge(name string, value float64, pairs ...string) {
	promauto.With(b.metrics).NewGauge(prometheus.GaugeOpts{Name: "ringbridge_" + name, ConstLabels: labelled(pairs)}).Set(value)
}

func labelled(pairs []string) prometheus.Labels {
	labels := prometheus.Labels{}
	for i := 0; i+1 < len(pairs); i += 2 {
		labels[pairs[i]] = pairs[i+1]
	}
	return labels
}

func TestTheFirstPageSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	minutesAgo := func(n int) float64 { return float64(time.Now().Add(-time.Duration(n) * time.Minute).Unix()) }
	for fact, test := range map[string]struct {
		make    func(*bench)
		verdict string
		says    []string
	}{
		"all is well":          {func(*bench) {}, "Working", []string{"Nothing is wrong"}},
		"Kafka is away":        {func(b *bench) { b.board.Set("kafka", "cannot reach k1:9092") }, "Not working", []string{"cannot reach k1:9092", "Bring the brokers back", "both ways", "Kafka is out of reach"}},
		"the registry is away": {func(b *bench) { b.board.Set("publish/registry", "refused") }, "Not working", []string{"Bring the schema registry back"}},
		"the credential":       {func(b *bench) { b.board.Set("replies.engage", "the API refuses the credential") }, "Not working", []string{"Make a new token", "· since"}},
		"a circuit is open":    {func(b *bench) { b.board.Set("replies.engage", "the API is down") }, "Not working", []string{"status page", "Replies through engage wait", "replies.engage"}},
		"a stream is refused":  {func(b *bench) { b.board.Set("poll engage/contents", "refused") }, "Not working", []string{"give the token&#39;s user the permission", "engage/contents is not polled"}},
		"replies wait":         {func(b *bench) { b.gauge("replies_oldest_unfinished_timestamp_seconds", minutesAgo(3)) }, "Working, with trouble", []string{"Replies wait", "not finished is 3 min"}},
		"replies wait long":    {func(b *bench) { b.gauge("replies_oldest_unfinished_timestamp_seconds", minutesAgo(30)) }, "Not working", []string{"not finished is 30 min"}},
		"the spool is in use": {func(b *bench) {
			b.gauge("spool_active", 1)
			b.gauge("spool_records", 41)
			b.gauge("spool_oldest_timestamp_seconds", minutesAgo(2))
		}, "Working, with trouble", []string{"41 records wait in SPOOL_DIR"}},
		"a stream is not polled": {func(b *bench) {
			b.gauge("poll_owned", 1, "stream", "engage/contents")
			b.gauge("poll_last_success_timestamp_seconds", minutesAgo(45), "stream", "engage/contents")
		}, "Not working", []string{"Not polled: engage/contents"}},
		"another replica polls": {func(b *bench) {
			b.gauge("poll_owned", 0, "stream", "engage/contents")
			b.gauge("poll_last_success_timestamp_seconds", minutesAgo(45), "stream", "engage/contents")
		}, "Working", []string{"polled by another replica"}},
		"a part of a list can't be read for long": {func(b *bench) {
			b.gauge("poll_owned", 1, "stream", "engage/contents")
			b.gauge("poll_incomplete_since_timestamp_seconds", minutesAgo(75), "stream", "engage/contents")
		}, "Working, with trouble", []string{"A part of engage/contents can&#39;t be read", "The newest come in"}},
		"a part of a list can't be read for a moment": {func(b *bench) {
			b.gauge("poll_owned", 1, "stream", "engage/contents")
			b.gauge("poll_incomplete_since_timestamp_seconds", minutesAgo(5), "stream", "engage/contents")
		}, "Working", []string{"Nothing is wrong"}},
		"transactions hang": {func(b *bench) { b.gauge("kafka_hanging_transactions", 2) }, "Not working", []string{"2 transactions", "ringbridge doctor"}},
		"a penalty window": {func(b *bench) {
			b.gauge("api_budget_calls_per_minute", 500, "api", "engage", "group", "all")
			b.gauge("api_hold_until_timestamp_seconds", minutesAgo(-2), "api", "engage", "group", "all")
		}, "Working, with trouble", []string{"No calls to engage", "429"}},
		"the subscription fails":   {func(b *bench) { b.gauge("subscription_failing", 1) }, "Working, with trouble", []string{"The subscription is not kept"}},
		"notifications stay away":  {func(b *bench) { b.gauge("subscription_silent", 1) }, "Working, with trouble", []string{"Notifications stay away"}},
		"the subscription expires": {func(b *bench) { b.gauge("subscription_expiry_timestamp_seconds", minutesAgo(-90)) }, "Working, with trouble", []string{"The subscription expires in 1 h"}},
	} {
		t.Run(fact, func(t *testing.T) {
			b := set(t)
			(&fakeData{}).connect(b)
			test.make(b)
			for _, said := range append(test.says, ">"+test.verdict+"</h2>") {
				b.until("/", func(page string) bool { return strings.Contains(page, said) }) // it may have been read half-way
			}
		})
	}
}

func TestAnAPIThatFailsIsToldAtOnce(t *testing.T) {
	for fact, test := range map[string]struct {
		ok, failed float64
		says       string
	}{
		"every call": {0, 3, "Every call to engage fails"},
		"some calls": {1, 1, "50 % of them got a 5xx"},
		"few calls":  {19, 1, "Nothing is wrong"},
		"no calls":   {0, 0, "Nothing is wrong"},
	} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMeters()
				calls := promauto.With(m.registry).NewCounterVec(prometheus.CounterOpts{Name: "ringbridge_api_requests_total"}, []string{"api", "op", "status"})
				good, bad := calls.WithLabelValues("engage", "list", "2xx"), calls.WithLabelValues("engage", "list", "5xx")
				c := m.show(t)
				time.Sleep(10 * time.Second)
				good.Add(test.ok)
				bad.Add(test.failed)
				time.Sleep(2 * time.Second)
				require.Contains(t, get(t, c, "/"), test.says)
			})
		})
	}
}

func TestAListThatAloneCannotBeReadIsReported(t *testing.T) {
	for fact, test := range map[string]struct {
		answers float64 // of the API, to other calls
		never   bool    // no round has succeeded since the start
		says    string
	}{
		"the API answers other calls": {1, false, "Nothing comes from engage/contents"},
		"no round since the start":    {1, true, "Nothing comes from engage/contents"},
		"an outage of the API":        {0, false, "Nothing is wrong"},
	} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMeters()
				auto := promauto.With(m.registry)
				stream := prometheus.Labels{"stream": "engage/contents"}
				auto.NewGaugeVec(prometheus.GaugeOpts{Name: "ringbridge_poll_owned"}, []string{"stream"}).With(stream).Set(1)
				last := auto.NewGaugeVec(prometheus.GaugeOpts{Name: "ringbridge_poll_last_success_timestamp_seconds"}, []string{"stream"}).With(stream)
				start := auto.NewGauge(prometheus.GaugeOpts{Name: "process_start_time_seconds"})
				start.Set(float64(time.Now().Add(-6 * time.Minute).Unix()))
				if !test.never {
					last.Set(float64(time.Now().Add(-6 * time.Minute).Unix()))
				}
				auto.NewCounterVec(prometheus.CounterOpts{Name: "ringbridge_poll_rounds_total"}, []string{"stream", "result"}).WithLabelValues("engage/contents", "unavailable").Add(9)
				calls := auto.NewCounterVec(prometheus.CounterOpts{Name: "ringbridge_api_requests_total"}, []string{"api", "op", "status"}).WithLabelValues("engage", "list", "2xx")
				c := m.show(t)
				time.Sleep(10 * time.Second)
				calls.Add(test.answers)
				time.Sleep(2 * time.Second)
				require.Contains(t, get(t, c, "/"), test.says)
			})
		})
	}
}

func TestAStageThatEndedIsTold(t *testing.T) {
	b := set(t, func(d *console.Deps) {
		d.Stages = func() []console.Stage {
			return []console.Stage{{Name: "publish", State: console.Stopped}, {Name: "consume", State: console.Off}}
		}
	})
	(&fakeData{}).connect(b)
	body := b.get("/").body
	require.Contains(t, body, "publish has stopped")
	require.Contains(t, body, fmt.Sprintf("<span class=%q>off</span> Out", "tag off"))
}
