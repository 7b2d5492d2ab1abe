package spool

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Why the spool did not take something: metric labels.
const (
	refusedFull    = "full"     // as many bytes as it may have
	refusedFailed  = "failed"   // the disk said no
	refusedTooSlow = "too_slow" // the disk said nothing
)

type metrics struct {
	bytes   prometheus.Gauge
	records prometheus.Gauge
	oldest  prometheus.Gauge
	active  prometheus.Gauge
	written prometheus.Counter
	drained prometheus.Counter
	damaged prometheus.Counter
	refused *prometheus.CounterVec
	fsync   prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	auto := promauto.With(reg)
	gauge := func(name, help string) prometheus.Gauge {
		return auto.NewGauge(prometheus.GaugeOpts{Name: "ringbridge_spool_" + name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return auto.NewCounter(prometheus.CounterOpts{Name: "ringbridge_spool_" + name, Help: help})
	}
	m := &metrics{
		bytes:   gauge("bytes", "Bytes that wait on disk for Kafka."),
		records: gauge("records", "Records that wait on disk for Kafka."),
		oldest:  gauge("oldest_timestamp_seconds", "When the oldest waiting segment's first record came in; 0 = nothing waits."),
		active:  gauge("active", "1 while webhooks go through the disk."),
		written: counter("written_records_total", "Records made durable on disk."),
		drained: counter("drained_records_total", "Records of the disk that Kafka has acknowledged."),
		damaged: counter("damaged_total", "Places in segments that could not be read or delivered; their files are kept as .corrupt."),
		refused: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "ringbridge_spool_refused_records_total", Help: "Records that the disk did not take; their senders were answered 503.",
		}, []string{"reason"}),
		fsync: auto.NewHistogram(prometheus.HistogramOpts{
			Name: "ringbridge_spool_fsync_duration_seconds", Help: "Time of one fsync, which requests that come together share.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}),
	}
	for _, reason := range []string{refusedFull, refusedFailed, refusedTooSlow} {
		m.refused.WithLabelValues(reason)
	}
	return m
}
