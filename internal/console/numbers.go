package console

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// metricGroup is the numbers of one part of the program.
type metricGroup struct {
	Name string
	Rows []metricRow
}

type metricRow struct{ Name, Labels, Value, Help string }

const timestampSuffix = "_timestamp_seconds"

// metricGroups picks what a person may look for besides what the page tells:
// counters that have counted, and times. The rest is on /metrics.
func metricGroups(r reading) []metricGroup {
	byName := map[string]*metricGroup{}
	for _, family := range r.families {
		part, name, _ := strings.Cut(strings.TrimPrefix(family.GetName(), metricPrefix), "_")
		name = strings.NewReplacer("_total", "", timestampSuffix, "", "_", " ").Replace(name)
		for _, metric := range family.GetMetric() {
			value, ok := shown(family, metric, r.at)
			if !ok {
				continue
			}
			if byName[part] == nil {
				byName[part] = &metricGroup{Name: part}
			}
			byName[part].Rows = append(byName[part].Rows, metricRow{Name: name, Labels: labelText(metric), Value: value, Help: family.GetHelp()})
		}
	}
	groups := make([]metricGroup, 0, len(byName))
	for _, group := range byName {
		slices.SortFunc(group.Rows, func(a, b metricRow) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Labels, b.Labels))
		})
		groups = append(groups, *group)
	}
	slices.SortFunc(groups, func(a, b metricGroup) int { return cmp.Compare(a.Name, b.Name) })
	return groups
}

// shown returns the metric's value as text, or false for one that tells nothing.
func shown(family *dto.MetricFamily, metric *dto.Metric, now time.Time) (string, bool) {
	switch family.GetType() {
	case dto.MetricType_COUNTER:
		value := metric.GetCounter().GetValue()
		return strconv.FormatFloat(value, 'f', -1, 64), value != 0
	case dto.MetricType_GAUGE:
		at := moment(metric.GetGauge().GetValue())
		if !strings.HasSuffix(family.GetName(), timestampSuffix) || at.IsZero() {
			return "", false
		}
		if at.After(now) {
			return "in " + span(at.Sub(now)), true
		}
		return span(now.Sub(at)) + " ago", true
	default:
		return "", false
	}
}

func labelText(metric *dto.Metric) string {
	var parts []string
	for _, pair := range metric.GetLabel() {
		if pair.GetValue() != "" {
			parts = append(parts, pair.GetName()+" "+pair.GetValue())
		}
	}
	return strings.Join(parts, ", ")
}
