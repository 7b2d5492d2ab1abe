package subscribe

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

type metrics struct {
	expiry   prometheus.Gauge
	up       prometheus.Gauge
	failing  prometheus.Gauge
	refused  prometheus.Gauge
	disabled prometheus.Gauge
	changes  *prometheus.CounterVec
	failed   prometheus.Counter
	held     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	auto := promauto.With(reg)
	m := &metrics{
		expiry: auto.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_subscription_expiry_timestamp_seconds",
			Help: "When the subscription expires unless it is renewed; 0 = there is none, another replica keeps it, or the platform does not say.",
		}),
		up: auto.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_subscription_active", Help: "1 while this process keeps a subscription that is active.",
		}),
		failing: auto.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_subscription_failing", Help: "1 while the last check of the subscription by this process has failed.",
		}),
		refused: auto.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_subscription_filters_refused",
			Help: "Event filters that the platform refuses, so that the subscription is kept without them; they are tried again once a day.",
		}),
		disabled: auto.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_subscription_filters_disabled", Help: "Event filters of the subscription that the platform has, but does not serve.",
		}),
		changes: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "ringbridge_subscription_changes_total", Help: "What was done to the subscription, and what was found to have happened to it.",
		}, []string{"change"}),
		failed: auto.NewCounter(prometheus.CounterOpts{
			Name: "ringbridge_subscription_failures_total", Help: "Checks of the subscription that failed.",
		}),
		held: auto.NewCounter(prometheus.CounterOpts{
			Name: "ringbridge_subscription_changes_held_total",
			Help: "Checks in which a creation or an update had to wait: six are made within an hour, failed ones included, with a growing pause after a failure.",
		}),
	}
	for _, c := range changes() {
		m.changes.WithLabelValues(string(c))
	}
	return m
}

// show sets what a check has found.
func (m *metrics) show(s ringcentral.Subscription, t term, refused int, err error) {
	m.failing.Set(number(err != nil))
	m.up.Set(number(s.ID != "" && !blacklisted(s)))
	m.refused.Set(float64(refused))
	m.expiry.Set(0)
	if s.ID != "" && s.ID == t.id && !t.expiry.IsZero() {
		m.expiry.Set(float64(t.expiry.Unix()))
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
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
