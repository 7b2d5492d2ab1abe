package publish

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/internal/deadletter"
)

// What is enriched, and how it ended: label values.
const (
	enrichAuthor  = "author"
	enrichContent = "content"

	outcomeCached     = "cached"     // known from before
	outcomeFetched    = "fetched"    // the API told
	outcomeAbsent     = "absent"     // the API knows no such thing
	outcomeLate       = "late"       // the bound was reached
	outcomeFailed     = "failed"     // the API refused or was out of reach
	outcomeUnreadable = "unreadable" // the answer has another form
	outcomeNoBudget   = "no_budget"  // not asked: the API's limits leave no call within the bound
	outcomeSkipped    = "skipped"    // not asked: the API has not answered lately
)

// What becomes of an answer that an event went out without: label values.
const (
	completionQueued  = "queued"  // the API is to be asked
	completionDone    = "done"    // the answer follows by the inbox
	completionAbsent  = "absent"  // the API knows no such thing
	completionDropped = "dropped" // given up: too many wait, it cannot be read, or it failed again and again
)

// metrics are the stage's; their names are part of its surface.
type metrics struct {
	events       *prometheus.CounterVec // topic, class
	repaired     prometheus.Counter
	repetitions  *prometheus.CounterVec // class
	letters      *prometheus.CounterVec // reason
	oddFields    *prometheus.CounterVec // class
	transactions *prometheus.CounterVec // result
	restarts     prometheus.Counter
	duration     prometheus.Histogram
	lag          prometheus.Histogram
	enrichment   *prometheus.CounterVec // what, outcome
	completions  *prometheus.CounterVec // what, result
	wishes       prometheus.Gauge
	held         prometheus.Gauge
	stateEntries prometheus.Gauge
	stateLoad    prometheus.Histogram
}

// Results of transactions.
const (
	resultCommitted = "committed"
	resultAborted   = "aborted"
)

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ringbridge_publish_" + name, Help: help}, labels))
	}
	histogram := func(name, help string, buckets ...float64) prometheus.Histogram {
		return register(reg, prometheus.NewHistogram(prometheus.HistogramOpts{Name: "ringbridge_publish_" + name, Help: help, Buckets: buckets}))
	}
	m := &metrics{
		events:       counter("events_total", "Events published, by topic (without its prefix) and class of type.", "topic", "class"),
		repetitions:  counter("repetitions_total", "Arrivals dropped because what they tell was published before.", "class"),
		letters:      counter("letters_total", "Arrivals given up to inbox.dlq, by reason.", "reason"),
		oddFields:    counter("odd_fields_total", "Fields left empty because no reading fits their values, by class of arrival; what was received goes out with the event.", "class"),
		transactions: counter("transactions_total", "Transactions by how they ended; aborted ones are redone.", "result"),
		enrichment:   counter("enrichment_total", "Authors and contents asked for, by how it ended.", "what", "outcome"),
		completions:  counter("completions_total", "What events went out without and is asked for afterwards, by what became of it.", "what", "result"),
		wishes: register(reg, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_publish_completions_waiting", Help: "Events whose author or completion is still to be asked for.",
		})),
		held: register(reg, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_publish_held_records", Help: "Arrivals that wait for their author or completion, for ENRICH_TIMEOUT at most, or for one before them.",
		})),
		repaired: register(reg, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ringbridge_publish_repaired_events_total", Help: "Events published because a poll found them: their webhook was lost or is late.",
		})),
		restarts: register(reg, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ringbridge_publish_session_restarts_total", Help: "Kafka sessions given up after a fault and begun again.",
		})),
		stateEntries: register(reg, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ringbridge_publish_state_entries", Help: "Entries of dedupe state in memory.",
		})),
		duration:  histogram("transaction_duration_seconds", "From the begin of a transaction to its end.", .001, .0025, .005, .01, .025, .05, .1, .25, 1, 2.5, 10),
		lag:       histogram("lag_seconds", "From an arrival's receipt to the commit of its event.", .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 600, 3600),
		stateLoad: histogram("state_load_seconds", "Reading the dedupe state of one partition.", .01, .1, .5, 1, 2.5, 5, 10, 30, 60),
	}
	m.prefill()
	return m
}

// prefill makes every series exist from the start, so that a rate can be taken
// of the first event.
func (m *metrics) prefill() {
	for _, class := range []string{typeImported, typeReplied, typeInitiated, typeApproved, typeExported, typeUpdated, classContentOther} {
		m.events.WithLabelValues(targetContents, class)
	}
	for _, class := range []string{typeReceived, typeSent, typeStatusChanged, typeMessageUpdated, typeDeleted} {
		m.events.WithLabelValues(targetMessages, class)
	}
	m.events.WithLabelValues(targetActivity, classActivity)
	m.events.WithLabelValues(targetIdentities, classIdentity)
	for _, class := range []string{classContent, classMessage, classActivity, classIdentity} {
		m.repetitions.WithLabelValues(class)
		m.oddFields.WithLabelValues(class)
	}
	for _, reason := range []deadletter.Reason{deadletter.Undecodable, deadletter.Internal} {
		m.letters.WithLabelValues(string(reason))
	}
	for _, result := range []string{resultCommitted, resultAborted} {
		m.transactions.WithLabelValues(result)
	}
	for _, what := range []string{enrichAuthor, enrichContent} {
		for _, result := range []string{completionQueued, completionDone, completionAbsent, completionDropped} {
			m.completions.WithLabelValues(what, result)
		}
		for _, outcome := range []string{outcomeCached, outcomeFetched, outcomeAbsent, outcomeLate, outcomeFailed, outcomeUnreadable, outcomeNoBudget, outcomeSkipped} {
			m.enrichment.WithLabelValues(what, outcome)
		}
	}
}

func (m *metrics) enriched(what, outcome string) { m.enrichment.WithLabelValues(what, outcome).Inc() }

func (m *metrics) completed(what, result string, n int) {
	m.completions.WithLabelValues(what, result).Add(float64(n))
}

// committed counts what a committed transaction published.
func (m *metrics) committed(b *batch, at time.Time) {
	for _, u := range b.units {
		if class, fields := oddOf(u.finding); len(fields) > 0 {
			m.oddFields.WithLabelValues(class).Add(float64(len(fields)))
		}
		switch {
		case u.fault != nil:
			m.letters.WithLabelValues(string(u.reason())).Inc()
		case len(u.events) == 0:
			m.repetitions.WithLabelValues(u.repeat).Inc()
		}
		for _, e := range u.events {
			m.events.WithLabelValues(e.topic, e.class).Inc()
			m.lag.Observe(at.Sub(u.arrival.ReceivedAt).Seconds())
			if e.repaired {
				m.repaired.Inc()
			}
		}
	}
}

// register adds a collector, or returns the one of that name that is there.
func register[T prometheus.Collector](reg prometheus.Registerer, c T) T {
	if reg == nil {
		return c
	}
	if err := reg.Register(c); err != nil {
		if there, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
			if same, ok := there.ExistingCollector.(T); ok {
				return same
			}
		}
		panic("publish: register metrics: " + err.Error()) // two metrics of one name: a mistake in this program
	}
	return c
}
