package ringcentral

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are shared by all clients of a registry, which tell themselves apart by the label api, and their budgets by group.
type metrics struct {
	requests *prometheus.CounterVec   // api, op, status
	duration *prometheus.HistogramVec // api, op
	wait     *prometheus.HistogramVec // api, group, priority
	waiting  *prometheus.GaugeVec     // api, group, priority
	hold     *prometheus.GaugeVec     // api, group
	budget   *prometheus.GaugeVec     // api, group
	used     *prometheus.CounterVec   // api, group

	tokenExpiry *prometheus.GaugeVec // api
}

// Labels of calls that got no status.
const (
	statusNone   = "none"   // sent, and no answer came
	statusUnsent = "unsent" // never sent
)

// statusLabels lists what statusLabel returns.
func statusLabels() []string {
	return []string{"2xx", "3xx", "401", "403", "404", "422", "429", "4xx", "5xx", statusNone, statusUnsent}
}

// statusLabel folds a status: single codes where an operator acts on that code, classes otherwise.
func statusLabel(status int) string {
	switch status {
	case 401, 403, 404, 422, 429:
		return strconv.Itoa(status)
	}
	switch status / 100 {
	case 2, 3, 4, 5:
		return strconv.Itoa(status/100) + "xx"
	}
	return statusNone
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ringbridge_api_" + name, Help: help}, labels))
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "ringbridge_api_" + name, Help: help}, labels))
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		// From a call to a server next door to one that ran into its time-out.
		buckets := []float64{.005, .025, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
		return register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "ringbridge_api_" + name, Help: help, Buckets: buckets}, labels))
	}
	return &metrics{
		requests: counter("requests_total", "Calls by how they ended: a status, none (sent, no answer), unsent.", "api", "op", "status"),
		duration: histogram("request_duration_seconds", "From the budget's permission to the end of the answer.", "api", "op"),
		wait:     histogram("wait_seconds", "Time spent waiting for budget.", "api", "group", "priority"),
		waiting:  gauge("waiting_calls", "Calls that wait for budget now.", "api", "group", "priority"),
		hold:     gauge("hold_until_timestamp_seconds", "End of the last penalty window; 0 if there was none.", "api", "group"),
		budget:   gauge("budget_calls_per_minute", "Our part of the rate limit; 0 with no limit of our own, or no part.", "api", "group"),
		used:     counter("budget_used_calls_total", "Calls that the budget has let go: what is used of it.", "api", "group"),

		tokenExpiry: gauge("token_expiry_timestamp_seconds", "When the access token is not used any more, where it is renewed; 0 = there is none yet.", "api"),
	}
}

// prefill makes every series of an API's calls exist from the start, so that a rate over the first failure isn't missing.
func (m *metrics) prefill(api string, ops []string) {
	for _, op := range ops {
		m.duration.WithLabelValues(api, op)
		for _, status := range statusLabels() {
			m.requests.WithLabelValues(api, op, status)
		}
	}
}

// prefillGroup does the same for one of its budgets.
func (m *metrics) prefillGroup(api, group string) {
	for _, p := range priorities() {
		m.wait.WithLabelValues(api, group, p.String())
		m.waiting.WithLabelValues(api, group, p.String())
	}
	m.hold.WithLabelValues(api, group)
	m.budget.WithLabelValues(api, group)
	m.used.WithLabelValues(api, group)
}

// observe counts a call that ended with status, or with err and none.
func (m *metrics) observe(api, op string, status int, err error, took time.Duration) {
	label := statusLabel(status)
	if failure, ok := errors.AsType[*Error](err); ok && failure.Outcome == NotSent {
		label = statusUnsent
	} else {
		m.duration.WithLabelValues(api, op).Observe(took.Seconds())
	}
	m.requests.WithLabelValues(api, op, label).Inc()
}

// register adds c to reg, or returns the one that an earlier client of the same registry added. Nil registers nowhere.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	if reg == nil {
		return c
	}
	if err := reg.Register(c); err != nil {
		if earlier, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
			if same, ok := earlier.ExistingCollector.(C); ok {
				return same
			}
		}
		panic(err) // two metrics of one name: a mistake in this program
	}
	return c
}
