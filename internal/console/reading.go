package console

import (
	"math"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

const (
	metricPrefix = "ringbridge_"
	// The client's own metrics are too many for a page, and /metrics has them.
	clientPrefix = "ringbridge_kafka_"
	hanging      = "ringbridge_kafka_hanging_transactions" // which is ours
	processStart = "process_start_time_seconds"
)

// reading is what the registry told at a moment. It is not changed any more.
type reading struct {
	at       time.Time
	families map[string]*dto.MetricFamily
}

// read gathers the registry. What can't be gathered is missing, and in the log.
func (c *Console) read() reading {
	r := reading{at: time.Now(), families: map[string]*dto.MetricFamily{}}
	families, err := c.deps.Gatherer.Gather()
	if err != nil {
		c.deps.Logger.Warn("metrics gathered in part", "error", err)
	}
	for _, family := range families {
		name := family.GetName()
		ours := strings.HasPrefix(name, metricPrefix) && !strings.HasPrefix(name, clientPrefix)
		if ours || name == hanging || name == processStart {
			r.families[name] = family
		}
	}
	return r
}

// labels are those of a metric, by name. Those that choose metrics leave out what
// they don't care for; "a|b" stands for either.
type labels map[string]string

func labelsOf(metric *dto.Metric) labels {
	found := labels{}
	for _, pair := range metric.GetLabel() {
		found[pair.GetName()] = pair.GetValue()
	}
	return found
}

func (l labels) match(metric *dto.Metric) bool {
	for _, pair := range metric.GetLabel() {
		if want, ok := l[pair.GetName()]; ok && !slices.Contains(strings.Split(want, "|"), pair.GetValue()) {
			return false
		}
	}
	return true
}

// each hands over the metrics of a family that have the labels.
func (r reading) each(name string, where labels, do func(labels, *dto.Metric)) {
	for _, metric := range r.families[name].GetMetric() {
		if where.match(metric) {
			do(labelsOf(metric), metric)
		}
	}
}

// has tells whether there is such a metric: a part that is switched off has none.
func (r reading) has(name string) bool { return len(r.families[name].GetMetric()) > 0 }

// values returns what a label of a family can be.
func (r reading) values(name, label string) (found []string) {
	r.each(name, nil, func(l labels, _ *dto.Metric) {
		if !slices.Contains(found, l[label]) {
			found = append(found, l[label])
		}
	})
	return found
}

// sum adds up the values of counters or gauges.
func (r reading) sum(name string, where labels) (total float64) {
	r.each(name, where, func(_ labels, m *dto.Metric) { total += valueOf(m) })
	return total
}

// most returns the largest value of counters or gauges, or 0.
func (r reading) most(name string, where labels) (most float64) {
	r.each(name, where, func(_ labels, m *dto.Metric) { most = max(most, valueOf(m)) })
	return most
}

func valueOf(m *dto.Metric) float64 { return m.GetCounter().GetValue() + m.GetGauge().GetValue() }

// time returns a moment that a gauge tells; zero = never, or nothing.
func (r reading) time(name string, where labels) time.Time { return moment(r.most(name, where)) }

func moment(unix float64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	whole, part := math.Modf(unix)
	return time.Unix(int64(whole), int64(part*1e9))
}

// stretch is what happened between two readings.
type stretch struct{ from, to reading }

// rate is how much counters grew, a second. Without two readings there is none.
func (s stretch) rate(name string, where labels) float64 {
	if took := s.seconds(); took > 0 {
		return max(0, s.to.sum(name, where)-s.from.sum(name, where)) / took
	}
	return math.NaN()
}

func (s stretch) seconds() float64 {
	if s.from.at.IsZero() {
		return 0
	}
	return s.to.at.Sub(s.from.at).Seconds()
}

// quantile estimates one from the buckets of histograms, as Prometheus does: evenly
// within a bucket. NaN where nothing was observed.
func (s stretch) quantile(q float64, name string, where labels) float64 {
	if s.seconds() == 0 {
		return math.NaN()
	}
	before, bounds := s.from.buckets(name, where), s.to.buckets(name, where)
	for bound, n := range before {
		bounds[bound] -= n
	}
	order := make([]float64, 0, len(bounds))
	for bound := range bounds {
		order = append(order, bound)
	}
	slices.Sort(order)
	if len(order) == 0 || bounds[order[len(order)-1]] <= 0 {
		return math.NaN()
	}
	rank, low, below := q*bounds[order[len(order)-1]], 0.0, 0.0
	for _, bound := range order {
		if n := bounds[bound]; n >= rank {
			if math.IsInf(bound, 1) {
				return low // the last bound: more cannot be told
			}
			return low + (bound-low)*(rank-below)/max(n-below, 1e-9)
		}
		low, below = bound, bounds[bound]
	}
	return low
}

// buckets returns how much was observed up to each bound, of all histograms together.
func (r reading) buckets(name string, where labels) map[float64]float64 {
	counts := map[float64]float64{}
	r.each(name, where, func(_ labels, m *dto.Metric) {
		for _, bucket := range m.GetHistogram().GetBucket() {
			counts[bucket.GetUpperBound()] += float64(bucket.GetCumulativeCount())
		}
		counts[math.Inf(1)] = counts[math.Inf(1)] + float64(m.GetHistogram().GetSampleCount())
	})
	return counts
}
