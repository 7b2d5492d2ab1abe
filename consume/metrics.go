package consume

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/internal/deadletter"
)

// metrics are the stage's. Every label value is there from the start, so that a
// rate is zero before the first event, not absent.
type metrics struct {
	attempts       *prometheus.CounterVec
	attemptSeconds prometheus.Histogram
	results        *prometheus.CounterVec
	letters        *prometheus.CounterVec
	duplicates     prometheus.Counter
	lookups        *prometheus.CounterVec
	inFlight       prometheus.Gauge
	inDoubt        prometheus.Gauge
	circuit        *prometheus.GaugeVec
	ledgerSeconds  prometheus.Histogram
	ledgerAborts   prometheus.Counter
	restarts       prometheus.Counter
}

// standing tells how the stage stands when metrics are collected.
type standing struct {
	open, lanes int
	oldest      time.Time
}

func newMetrics(reg prometheus.Registerer, now func() standing) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "ringbridge_replies_" + name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ringbridge_replies_" + name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "ringbridge_replies_" + name, Help: help})
	}
	gaugeOf := func(name, help string, read func(standing) float64) prometheus.GaugeFunc {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "ringbridge_replies_" + name, Help: help}, func() float64 { return read(now()) })
	}
	seconds := func(name, help string, buckets ...float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "ringbridge_replies_" + name, Help: help, Buckets: buckets})
	}
	m := &metrics{
		attempts:       counters("attempts_total", "Calls made for reply commands, by what was judged of them.", "verdict"),
		attemptSeconds: seconds("attempt_duration_seconds", "Duration of one call for a reply command.", .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60),
		results:        counters("results_total", "Final results of reply commands.", "state"),
		letters:        counters("dead_letters_total", "Reply commands given up, by reason.", "reason"),
		duplicates:     counter("duplicates_total", "Records whose command had its result already, or is being carried out."),
		lookups:        counters("lookups_total", "Look-ups after an unknown outcome, by what they found.", "found"),
		inFlight:       gauge("calls_in_flight", "Calls that are out."),
		inDoubt:        gauge("in_doubt", "Commands whose last call may have had its effect, being looked up."),
		circuit: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ringbridge_replies_circuit", Help: "1 for the state that the circuit before an API is in.",
		}, []string{"api", "state"}),
		ledgerSeconds: seconds("ledger_duration_seconds", "Time to put a batch of attempts and results on record.", .002, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30),
		ledgerAborts:  counter("ledger_aborts_total", "Transactions of the ledger that were refused and tried again."),
		restarts:      counter("restarts_total", "Times the stage started again with new clients."),
	}
	for _, verdict := range []string{"succeeded", Retry.String(), Wait.String(), LookUp.String(), Halt.String(), Leave.String(), DeadLetter.String()} {
		m.attempts.WithLabelValues(verdict)
	}
	for _, state := range []string{"succeeded", "recovered", "dead_lettered"} {
		m.results.WithLabelValues(state)
	}
	for _, reason := range deadletter.Reasons() {
		m.letters.WithLabelValues(string(reason))
	}
	for _, found := range []string{"found", "absent", "untellable"} {
		m.lookups.WithLabelValues(found)
	}
	for f := range flavours {
		m.circuitIs(f, gateClosed)
	}
	reg.MustRegister(m.attempts, m.attemptSeconds, m.results, m.letters, m.duplicates, m.lookups, m.inFlight, m.inDoubt, m.circuit, m.ledgerSeconds, m.ledgerAborts, m.restarts,
		gaugeOf("unfinished", "Commands read and not finished.", func(s standing) float64 { return float64(s.open) }),
		gaugeOf("conversations_waiting", "Conversations with commands that are not finished.", func(s standing) float64 { return float64(s.lanes) }),
		gaugeOf("oldest_unfinished_timestamp_seconds", "When the oldest command that is read and not finished was produced; 0 = there is none.", func(s standing) float64 {
			if s.oldest.IsZero() {
				return 0
			}
			return float64(s.oldest.UnixMilli()) / 1000
		}),
	)
	return m
}

func (m *metrics) circuitIs(f flavour, state gateState) {
	for _, s := range []gateState{gateClosed, gateOpen, gateHalted} {
		value := 0.0
		if s == state {
			value = 1
		}
		m.circuit.WithLabelValues(f.String(), s.String()).Set(value)
	}
}
