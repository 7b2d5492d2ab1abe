package webhook

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// A result is what became of a request: a metric label and a log field.
type result string

// The results of a request.
const (
	handshake    result = "handshake"    // 200, the challenge or the validation token
	accepted     result = "accepted"     // 200, its events are in the inbox
	deadLettered result = "deadlettered" // 200, it held no events
	unauthorized result = "unauthorized" // 401
	badRequest   result = "bad_request"  // 400: a handshake that makes no sense, a body cut short
	tooLarge     result = "too_large"    // 413
	unavailable  result = "unavailable"  // 503: the inbox did not take it
	panicked     result = "panicked"     // 500: a fault of this program
)

// An endpoint is one of the addresses: a metric label and a log field.
type endpoint string

// The endpoints, by who sends to them.
const (
	engage   endpoint = "engage"
	platform endpoint = "ringcentral"
)

// metrics are by endpoint.
type metrics struct {
	requests     *prometheus.CounterVec // endpoint, result
	events       *prometheus.CounterVec
	lastAccepted *prometheus.GaugeVec
	duration     *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	auto := promauto.With(reg)
	m := &metrics{
		requests: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "ringbridge_webhook_requests_total", Help: "Requests to the webhook addresses, by who sends there and what became of them.",
		}, []string{"endpoint", "result"}),
		events: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "ringbridge_webhook_events_total", Help: "Events of accepted webhooks.",
		}, []string{"endpoint"}),
		lastAccepted: auto.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ringbridge_webhook_last_accepted_timestamp_seconds", Help: "When a webhook was last accepted; 0 = not since the start.",
		}, []string{"endpoint"}),
		duration: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ringbridge_webhook_request_duration_seconds", Help: "Time to answer a webhook.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"endpoint"}),
	}
	for _, e := range []endpoint{engage, platform} {
		for _, r := range []result{handshake, accepted, deadLettered, unauthorized, badRequest, tooLarge, unavailable, panicked} {
			m.requests.WithLabelValues(string(e), string(r))
		}
		m.events.WithLabelValues(string(e))
		m.lastAccepted.WithLabelValues(string(e))
		m.duration.WithLabelValues(string(e))
	}
	return m
}

// saw counts a request.
func (m *metrics) saw(e endpoint, a answer, took time.Duration) {
	m.requests.WithLabelValues(string(e), string(a.result)).Inc()
	m.duration.WithLabelValues(string(e)).Observe(took.Seconds())
	if a.result == accepted {
		m.events.WithLabelValues(string(e)).Add(float64(a.events))
		m.lastAccepted.WithLabelValues(string(e)).SetToCurrentTime()
	}
}
