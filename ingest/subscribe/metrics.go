package subscribe

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	expiry  prometheus.Gauge
	up      prometheus.Gauge
	failing prometheus.Gauge
	changes *prometheus.CounterVec
	failed  prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	auto := promauto.With(reg)
	m := &metrics{
		expiry: auto.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_subscription_expiry_timestamp_seconds",
			Help: "When the subscription expires unless it is renewed; 0 = there is none, or another replica keeps it.",
		}),
		up: auto.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_subscription_active", Help: "1 while this process keeps a subscription that is active.",
		}),
		failing: auto.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_subscription_failing", Help: "1 while the last check of the subscription by this process has failed.",
		}),
		changes: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "ringbridge_subscription_changes_total", Help: "What was done to the subscription, and what was found to have happened to it.",
		}, []string{"change"}),
		failed: auto.NewCounter(prometheus.CounterOpts{
			Name: "ringbridge_subscription_failures_total", Help: "Checks of the subscription that failed.",
		}),
	}
	for _, c := range changes() {
		m.changes.WithLabelValues(string(c))
	}
	return m
}

// A change is what happened to a subscription: a metric label.
type change string

// The changes.
const (
	changeCreated     change = "created"
	changeRenewed     change = "renewed"
	changeUpdated     change = "updated"     // its filters were others
	changeBlacklisted change = "blacklisted" // found so
	changeGone        change = "gone"        // was there, and is not: deleted, or expired
	changeTwin        change = "twin"        // a second one of our address, deleted
)

func changes() []change {
	return []change{changeCreated, changeRenewed, changeUpdated, changeBlacklisted, changeGone, changeTwin}
}
