package webhook

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// A result is what became of a request: a metric label and a log field.
type result string

// The results of a request.
const (
	handshake    result = "handshake"    // 200, the challenge
	accepted     result = "accepted"     // 200, its events are in the inbox
	deadLettered result = "deadlettered" // 200, it held no events
	unauthorized result = "unauthorized" // 401
	badRequest   result = "bad_request"  // 400: a handshake without a challenge, a body cut short
	tooLarge     result = "too_large"    // 413
	unavailable  result = "unavailable"  // 503: the inbox did not take it
	panicked     result = "panicked"     // 500: a fault of this program
)

type metrics struct {
	requests     *prometheus.CounterVec
	events       prometheus.Counter
	lastAccepted prometheus.Gauge
	duration     prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	auto := promauto.With(reg)
	m := &metrics{
		requests: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "ringbridge_webhook_requests_total", Help: "Requests to the webhook address, by what became of them.",
		}, []string{"result"}),
		events: auto.NewCounter(prometheus.CounterOpts{
			Name: "ringbridge_webhook_events_total", Help: "Events of accepted webhooks.",
		}),
		lastAccepted: auto.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_webhook_last_accepted_timestamp_seconds", Help: "When a webhook was last accepted; 0 = not since the start.",
		}),
		duration: auto.NewHistogram(prometheus.HistogramOpts{
			Name: "ringbridge_webhook_request_duration_seconds", Help: "Time to answer a webhook.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
	}
	for _, r := range []result{handshake, accepted, deadLettered, unauthorized, badRequest, tooLarge, unavailable, panicked} {
		m.requests.WithLabelValues(string(r))
	}
	return m
}
