package ingest

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/ringbridge/ringbridge/schemas"
)

// The results of a record.
const (
	resultWritten = "written"
	resultFailed  = "failed"
)

type metrics struct {
	records  *prometheus.CounterVec
	refused  *prometheus.CounterVec
	duration prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	auto := promauto.With(reg)
	m := &metrics{
		records: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "ringbridge_inbox_records_total", Help: "Records for the inbox, by where they came from and whether the broker acknowledged them.",
		}, []string{"origin", "result"}),
		refused: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "ringbridge_inbox_refused_total", Help: "Input for the inbox's dead letters: no parser understands it, or the inbox cannot hold it.",
		}, []string{"result"}),
		duration: auto.NewHistogram(prometheus.HistogramOpts{
			Name: "ringbridge_inbox_write_duration_seconds", Help: "Time from handing items over to their last acknowledgement.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
	}
	for _, result := range []string{resultWritten, resultFailed} {
		for _, origin := range []schemas.Origin{schemas.OriginWebhook, schemas.OriginPoll, schemas.OriginBackfill} {
			m.records.WithLabelValues(string(origin), result)
		}
		m.refused.WithLabelValues(result)
	}
	return m
}
