//go:build real

package e2e_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

const rules = "../../deploy/alerts.yml"

// A recording is what a process told of itself, scrape by scrape, written down for promtool, whose samples are a minute
// apart. The process is asked more often, and its time is stretched to match: a rule that waits for a quarter of an hour
// then needs a quarter of a minute. All that is a time is stretched alike: Unix times, the bounds of histograms,
// calls a minute. Nothing else is touched.
type recording struct {
	asked  []selector
	every  time.Duration // from scrape to scrape
	began  time.Time     // 0 in the trial's time: before the process was started
	length int           // samples so far
	series map[string][]string
}

const (
	// notTold stands for a sample that is not there, gone for a series that ends.
	notTold = "_"
	gone    = "stale"

	// scrapeBound is how long an answer may take. What comes late is no failure: samples are missing, as with Prometheus.
	scrapeBound = 5 * time.Second
)

func newRecording(t *testing.T, every time.Duration) *recording {
	t.Helper()
	return &recording{asked: askedFor(t), every: every, began: time.Now().Truncate(time.Second), series: map[string][]string{}}
}

// A selector is what a rule asks for: the series of a metric whose labels match.
type selector struct {
	metric string
	labels map[string]*regexp.Regexp
}

// askedFor lists what the rules' expressions ask for.
func askedFor(t *testing.T) (all []selector) {
	t.Helper()
	text, err := os.ReadFile(rules)
	require.NoError(t, err)
	written := regexp.MustCompile(`\b((?:ringbridge|process)_[a-z_]+)(?:\{([^}]*)\})?`)
	matcher := regexp.MustCompile(`([a-z]+)=(~?)"([^"]*)"`)
	for _, rule := range strings.Split(string(text), "- alert: ")[1:] {
		expression, _, _ := strings.Cut(rule, "labels:")
		for _, found := range written.FindAllStringSubmatch(expression, -1) {
			s := selector{found[1], map[string]*regexp.Regexp{}}
			for _, m := range matcher.FindAllStringSubmatch(found[2], -1) {
				if m[2] == "" {
					m[3] = regexp.QuoteMeta(m[3])
				}
				s.labels[m[1]] = regexp.MustCompile("^(?:" + m[3] + ")$")
			}
			all = append(all, s)
		}
	}
	require.Greater(t, len(all), 20)
	return all
}

// asks tells whether a rule asks for the series.
func (r *recording) asks(metric string, labels []*dto.LabelPair) bool {
	return slices.ContainsFunc(r.asked, func(s selector) bool {
		return s.metric == metric && !slices.ContainsFunc(labels, func(l *dto.LabelPair) bool {
			wanted := s.labels[l.GetName()]
			return wanted != nil && !wanted.MatchString(l.GetValue())
		})
	})
}

// scrape takes the sample of this moment.
func (r *recording) scrape(admin string) {
	n := r.place()
	families, err := tell(admin)
	up := "1"
	if err != nil {
		up = "0"
		r.lose(n)
	}
	r.keep(r.name("up", nil, "", 0), n, up)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			r.take(n, family.GetName(), m)
		}
	}
	r.length = n + 1
}

// place is that of a sample of this moment.
func (r *recording) place() int { return int(time.Since(r.began).Round(r.every) / r.every) }

// lose ends the series of a process that does not answer, as Prometheus does: all but up, which says so.
func (r *recording) lose(n int) {
	for name, samples := range r.series {
		if last := samples[len(samples)-1]; last != notTold && last != gone && !strings.HasPrefix(name, "up{") {
			r.keep(name, n, gone)
		}
	}
}

// tell asks for the metrics, as Prometheus does.
func tell(admin string) (map[string]*dto.MetricFamily, error) {
	client := http.Client{Timeout: scrapeBound}
	resp, err := client.Get(admin + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(resp.Body)
}

// take keeps the samples of one metric that rules ask for, stretched.
func (r *recording) take(n int, name string, m *dto.Metric) {
	if h := m.GetHistogram(); h != nil {
		if !r.asks(name+"_bucket", nil) {
			return
		}
		for _, b := range h.GetBucket() {
			r.keep(r.name(name+"_bucket", m.GetLabel(), "le", b.GetUpperBound()*r.stretch()), n, number(float64(b.GetCumulativeCount())))
		}
		return
	}
	if !r.asks(name, m.GetLabel()) {
		return
	}
	value := m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
	switch {
	case strings.HasSuffix(name, "_timestamp_seconds") || name == "process_start_time_seconds":
		if value != 0 { // never
			value = (value - float64(r.began.Unix())) * r.stretch()
		}
	case strings.HasSuffix(name, "_per_minute"):
		value /= r.stretch()
	}
	r.keep(r.name(name, m.GetLabel(), "", 0), n, number(value))
}

func (r *recording) stretch() float64 { return float64(time.Minute) / float64(r.every) }

// keep puts a sample at its place; what was not told before it is missing. Of two for one place the first stays.
func (r *recording) keep(series string, n int, value string) {
	samples := r.series[series]
	if len(samples) > n {
		return
	}
	for len(samples) < n {
		samples = append(samples, notTold)
	}
	r.series[series] = append(samples, value)
}

// name writes a series with the labels that Prometheus adds, in the order of the alphabet.
func (r *recording) name(metric string, labels []*dto.LabelPair, label string, bound float64) string {
	pairs := map[string]string{"job": "ringbridge", "instance": "bridge-1:9090"}
	for _, l := range labels {
		pairs[l.GetName()] = l.GetValue()
	}
	if label != "" {
		pairs[label] = strings.Replace(number(bound), "Inf", "+Inf", 1)
	}
	var written []string
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		written = append(written, fmt.Sprintf("%s=%q", key, pairs[key]))
	}
	return metric + "{" + strings.Join(written, ",") + "}"
}

func number(value float64) string {
	if math.IsInf(value, 1) {
		return "Inf"
	}
	return strconv.FormatFloat(math.Round(value*1000)/1000, 'f', -1, 64)
}

// write writes the recording as a trial: all is quiet at the sample before the failure, and at the last one these alerts fire.
func (r *recording) write(name string, failsAt int, fires []string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "  - name: %s\n    interval: 1m\n    input_series:\n", name)
	for _, series := range slices.SortedFunc(maps.Keys(r.series), cmp.Compare) {
		fmt.Fprintf(&out, "      - {series: '%s', values: '%s'}\n", series, shortened(r.series[series]))
	}
	fmt.Fprintf(&out, "    promql_expr_test:\n      - expr: &firing 'group by (alertname) (ALERTS{alertstate=\"firing\"})'\n        eval_time: %dm\n", failsAt-1)
	fmt.Fprintf(&out, "      - expr: *firing\n        eval_time: %dm\n", r.length-1)
	if len(fires) > 0 {
		out.WriteString("        exp_samples:\n")
	}
	for _, alert := range fires {
		fmt.Fprintf(&out, "          - {labels: '{alertname=%q}', value: 1}\n", "Ringbridge"+alert)
	}
	return out.String()
}

// shortened writes equal samples once, with their number, as promtool does: axn is a and n more, and _xn is n.
func shortened(samples []string) string {
	var parts []string
	for at := 0; at < len(samples); {
		value, end := samples[at], at+1
		for end < len(samples) && samples[end] == value {
			end++
		}
		switch alike := end - at; {
		case alike == 1:
			parts = append(parts, value)
		case value == notTold:
			parts = append(parts, fmt.Sprintf("%sx%d", value, alike))
		default:
			parts = append(parts, fmt.Sprintf("%sx%d", value, alike-1))
		}
		at = end
	}
	return strings.Join(parts, " ")
}
