package console

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"
)

// drawn is what the script is given: the charts' lines, as far as it does not have
// them yet.
type drawn struct {
	Times  []int64               `json:"times"` // Unix seconds
	Charts map[string]drawnChart `json:"charts"`
}

type drawnChart struct {
	Order []string              `json:"order"` // of the lines' names
	Lines map[string][]*float64 `json:"lines"`
}

// historyJSON answers with what was sampled after ?since=, Unix seconds.
func (c *Console) historyJSON(w http.ResponseWriter, r *http.Request) {
	since, _ := strconv.ParseInt(r.URL.Query().Get("since"), 10, 64)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(c.history.drawn(time.Unix(since, 0)))
}

func (h *history) drawn(since time.Time) drawn {
	h.mu.Lock()
	defer h.mu.Unlock()
	first := 0
	for first < len(h.times) && h.times[first].Unix() <= since.Unix() {
		first++
	}
	d := drawn{Times: []int64{}, Charts: map[string]drawnChart{}}
	for _, at := range h.times[first:] {
		d.Times = append(d.Times, at.Unix())
	}
	for _, id := range h.order {
		chart, known := d.Charts[id.chart]
		if !known {
			chart.Lines = map[string][]*float64{}
		}
		line := make([]*float64, 0, len(d.Times))
		for _, value := range h.columns[id][first:] {
			line = append(line, told(value))
		}
		chart.Order, chart.Lines[id.name] = append(chart.Order, id.name), line
		d.Charts[id.chart] = chart
	}
	return d
}

// told rounds to what can be seen; nil is a gap.
func told(value float32) *float64 {
	v := float64(value)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	if v != 0 {
		scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
		v = math.Round(v*scale) / scale
	}
	return &v
}

// summary is a chart in words: the text that stands for the picture.
type summary struct {
	chart
	Lines []summaryLine
}

// summaryLine is what one line did within the hour.
type summaryLine struct{ Name, Now, Least, Most string }

func (h *history) summaries() (all []summary) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, chart := range charts() {
		s := summary{chart: chart}
		for _, id := range h.order {
			if id.chart == chart.ID {
				s.Lines = append(s.Lines, summarize(id.name, chart.Unit, h.columns[id]))
			}
		}
		all = append(all, s)
	}
	return all
}

func summarize(name, unit string, values []float32) summaryLine {
	least, most := math.NaN(), math.NaN()
	for _, value := range values {
		if v := float64(value); !math.IsNaN(v) {
			if math.IsNaN(least) {
				least, most = v, v
			}
			least, most = min(least, v), max(most, v)
		}
	}
	now := math.NaN()
	if len(values) > 0 {
		now = float64(values[len(values)-1])
	}
	return summaryLine{Name: name, Now: inUnit(now, unit), Least: inUnit(least, unit), Most: inUnit(most, unit)}
}

// inUnit writes a value as people do. The script's own does the same.
func inUnit(value float64, unit string) string {
	switch {
	case math.IsNaN(value):
		return "–"
	case unit == unitRate:
		return perSecond(value)
	case unit == unitSeconds && value == 0:
		return "0 s"
	case unit == unitSeconds:
		return took(value)
	case unit == unitPercent:
		return strconv.Itoa(int(math.Round(value))) + " %"
	}
	return count(value)
}
