package poll

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	owned       *prometheus.GaugeVec
	rounds      *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	read        *prometheus.CounterVec
	written     *prometheus.CounterVec
	tooLarge    *prometheus.CounterVec
	sweeps      *prometheus.CounterVec
	late        *prometheus.CounterVec
	known       *prometheus.GaugeVec
	lastSuccess *prometheus.GaugeVec
	halted      *prometheus.GaugeVec
	refused     *prometheus.GaugeVec
	unreadable  *prometheus.CounterVec
	incomplete  *prometheus.GaugeVec
	holedSince  *prometheus.GaugeVec
	tokensLost  prometheus.Counter
	fallback    *prometheus.GaugeVec
	gaps        *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, streams []kind) *metrics {
	auto := promauto.With(reg)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return auto.NewCounterVec(prometheus.CounterOpts{Name: "ringbridge_poll_" + name, Help: help}, append([]string{"stream"}, labels...))
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return auto.NewGaugeVec(prometheus.GaugeOpts{Name: "ringbridge_poll_" + name, Help: help}, []string{"stream"})
	}
	m := &metrics{
		owned:  gauge("owned", "1 while this process runs the stream."),
		rounds: counter("rounds_total", "Rounds, by how they ended.", "result"),
		duration: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ringbridge_poll_round_duration_seconds", Help: "Time of a round, sweeps included.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
		}, []string{"stream"}),
		read:        counter("rows_read_total", "Rows of the pages read, those that were read before included."),
		written:     counter("rows_written_total", "Rows written to the inbox: new, changed, or not known to be written before."),
		tooLarge:    counter("rows_too_large_total", "Rows that the inbox topic cannot hold. They are lost to the topics: raise max.message.bytes."),
		sweeps:      counter("sweeps_total", "Complete sweeps, by why they were made.", "cause"),
		late:        counter("late_rows_total", "Rows that only a sweep found: they were imported with an old date."),
		known:       gauge("known_timestamp_seconds", "Time up to which all rows are in the inbox."),
		lastSuccess: gauge("last_success_timestamp_seconds", "When a round last succeeded; 0 = not since the start."),
		halted:      gauge("halted", "1 while the API refuses to list the stream, with 403 or another 4xx: it is asked once a minute."),
		refused: auto.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ringbridge_poll_unauthorized",
			Help: "1 while the API refuses the credential: none of its streams is polled, and it is asked once a minute.",
		}, []string{"api"}),
		unreadable: counter("rows_unreadable_total", "Rows that the API did not give, each time they were asked for, and rows of null, by cause.", "cause"),
		incomplete: gauge("incomplete", "1 while a part of the list can't be read: the newest rows come in, and sweeps try to read the rest."),
		holedSince: gauge("incomplete_since_timestamp_seconds", "Since when a part of the list can't be read, as far as this process knows; 0 = all of it can be."),
		tokensLost: auto.NewCounter(prometheus.CounterOpts{
			Name: "ringbridge_poll_sync_tokens_lost_total",
			Help: "Sync tokens of the message store that the API did not know any more: each time all is read again from before the last safe time.",
		}),
		gaps: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "ringbridge_poll_messages_unread_total",
			Help: "Parts of the message store that could not be read, by what they are. The newest messages come in; what is missing is tried again with a growing pause.",
		}, []string{"what"}),
		fallback: gauge("unordered", "1 while the API does not list by modification: changes of old rows are found by sweeps."),
	}
	for _, api := range []string{apiEngage, apiPlatform} {
		m.refused.WithLabelValues(api)
	}
	for _, g := range gaps() {
		m.gaps.WithLabelValues(string(g))
	}
	for _, k := range streams {
		m.prefill(k.stream)
	}
	return m
}

// setIncomplete says whether a part of a stream's list can't be read.
func (m *metrics) setIncomplete(stream string, incomplete bool) {
	flag, since := m.incomplete.WithLabelValues(stream), m.holedSince.WithLabelValues(stream)
	if !incomplete {
		flag.Set(0)
		since.Set(0)
		return
	}
	flag.Set(1)
	since.SetToCurrentTime()
}

func (m *metrics) prefill(stream string) {
	for _, vec := range []*prometheus.GaugeVec{m.owned, m.known, m.lastSuccess, m.halted, m.fallback, m.incomplete, m.holedSince} {
		vec.WithLabelValues(stream)
	}
	for _, vec := range []*prometheus.CounterVec{m.read, m.written, m.tooLarge, m.late} {
		vec.WithLabelValues(stream)
	}
	for _, r := range results() {
		m.rounds.WithLabelValues(stream, string(r))
	}
	for _, c := range []cause{causeSchedule, causeCensus, causeMissing} {
		m.sweeps.WithLabelValues(stream, string(c))
	}
	for _, c := range unreadableCauses() {
		m.unreadable.WithLabelValues(stream, c)
	}
	m.duration.WithLabelValues(stream)
}
