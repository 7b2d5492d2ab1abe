package main_test

import (
	"cmp"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/require"

	ringbridge "github.com/ringbridge/ringbridge/cmd/ringbridge"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

var update = flag.Bool("update", false, "write deploy/metrics.md anew")

// deploy is what operators are given.
const deploy = "../../deploy"

// A metric is one row of the table.
type metric struct {
	name, kind, help string
	labels           []string
	values           map[string]map[string]bool // that have been seen, by label
}

// observed is a bridge with everything on, and what it tells.
type observed struct {
	*world
	account  *sandbox.Server
	public   string
	registry *prometheus.Registry
}

// observe runs a bridge with every stage, both APIs, a subscription and a spool, and
// returns once it is in health: with a spool it is ready before it has every metric.
func observe(t *testing.T) *observed {
	t.Helper()
	o := &observed{world: newWorld(t)}
	o.account = o.withAccount(t, sandbox.Config{})
	o.public = freeAddress(t)
	maps.Copy(o.env, map[string]string{
		"HTTP_ADDR": o.public, "ADMIN_ADDR": freeAddress(t), "SPOOL_DIR": filepath.Join(t.TempDir(), "spool"), "POLL_INTERVAL": "1s",
		"ENGAGE_WEBHOOK_SECRET": "s3cret", "RINGCENTRAL_WEBHOOK_TOKEN": "t0ken", "RINGCENTRAL_WEBHOOK_URL": "http://" + o.public + "/webhooks/ringcentral",
		"REPLIES_CIRCUIT_FAILURES": "2", "REPLIES_BACKOFF_MIN": "100ms",
	})
	var log buffer
	registry, stop, err := ringbridge.Observed(t.Context(), envconfig.MapLookuper(o.env), slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stop(), "%s", &log) })
	o.registry = registry
	o.eventually(t, "ringbridge_ready", 1)
	o.eventually(t, "ringbridge_kafka_hanging_transactions", 0)
	o.eventually(t, `ringbridge_poll_last_success_timestamp_seconds{stream="engage/identities"}`, 1)
	o.eventually(t, "ringbridge_subscription_active", 1)
	return o
}

// sample is the value of a series, which is written as in a rule, with its labels in
// the order of the alphabet; false while there is none.
func (o *observed) sample(t *testing.T, series string) (float64, bool) {
	t.Helper()
	for _, family := range o.gather(t) {
		for _, m := range family.GetMetric() {
			if seriesOf(family, m) == series {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue(), true
			}
		}
	}
	return 0, false
}

func seriesOf(family *dto.MetricFamily, m *dto.Metric) string {
	var labels []string
	for _, pair := range m.GetLabel() {
		labels = append(labels, pair.GetName()+"="+strconv.Quote(pair.GetValue()))
	}
	if len(labels) == 0 {
		return family.GetName()
	}
	return family.GetName() + "{" + strings.Join(labels, ",") + "}"
}

// eventually waits until a series has at least that value; 0 = exactly that.
func (o *observed) eventually(t *testing.T, series string, value float64) {
	t.Helper()
	require.Eventually(t, func() bool {
		got, ok := o.sample(t, series)
		return ok && got >= value && (value > 0 || got == 0)
	}, 30*time.Second, 50*time.Millisecond, "%s", series)
}

func (o *observed) gather(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	families, err := o.registry.Gather()
	require.NoError(t, err)
	return families
}

// A description is how the library prints what it knows of a metric: the only way to
// learn of one that has no series yet.
var description = regexp.MustCompile(`^Desc\{fqName: ("(?:[^"\\]|\\.)*"), help: ("(?:[^"\\]|\\.)*"), .*constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)

// inventory lists the program's own metrics by name, also those without a series.
func (o *observed) inventory(t *testing.T) map[string]*metric {
	t.Helper()
	found := map[string]*metric{}
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		o.registry.Describe(descriptions)
	}()
	for d := range descriptions {
		parts := description.FindStringSubmatch(d.String())
		require.NotNil(t, parts, d.String())
		name, help := unquote(t, parts[1]), unquote(t, parts[2])
		if !strings.HasPrefix(name, "ringbridge_") {
			continue
		}
		found[name] = &metric{name: name, help: help, kind: kindByName(name), labels: labelNames(parts[3], parts[4]), values: map[string]map[string]bool{}}
	}
	for _, family := range o.gather(t) {
		if m := found[family.GetName()]; m != nil {
			m.see(family)
		}
	}
	return found
}

func unquote(t *testing.T, text string) string {
	t.Helper()
	plain, err := strconv.Unquote(text)
	require.NoError(t, err)
	return plain
}

// labelNames joins the constant labels, which come with their values, and the others.
func labelNames(constant, variable string) (names []string) {
	for _, pair := range regexp.MustCompile(`([a-z_]+)="`).FindAllStringSubmatch(constant, -1) {
		names = append(names, pair[1])
	}
	for name := range strings.SplitSeq(variable, ",") {
		if name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// kindByName serves the metrics of the Kafka client that have no series before
// something happened: an error, say.
func kindByName(name string) string {
	if strings.HasSuffix(name, "_total") {
		return "counter"
	}
	return "histogram"
}

// see takes note of a family's type and label values.
func (m *metric) see(family *dto.MetricFamily) {
	m.kind = strings.ToLower(family.GetType().String())
	for _, series := range family.GetMetric() {
		for _, pair := range series.GetLabel() {
			if m.values[pair.GetName()] == nil {
				m.values[pair.GetName()] = map[string]bool{}
			}
			m.values[pair.GetName()][pair.GetValue()] = true
		}
	}
}

func sorted(metrics map[string]*metric) []*metric {
	return slices.SortedFunc(maps.Values(metrics), func(a, b *metric) int { return cmp.Compare(a.name, b.name) })
}

// TestMetrics holds what operators are given to what the program tells.
func TestMetrics(t *testing.T) {
	o := observe(t)
	metrics := o.inventory(t)
	t.Run("are those of the table", func(t *testing.T) {
		path := filepath.Join(deploy, "metrics.md")
		want := table(metrics)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
		}
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, string(got), "run go generate ./deploy")
	})
	t.Run("keep the conventions", func(t *testing.T) { keepConventions(t, o, metrics) })
	t.Run("are all that the alerts ask for", func(t *testing.T) { checkAlerts(t, metrics) })
	t.Run("are those the alerts are tried on", func(t *testing.T) { checkAlertSeries(t, metrics) })
	t.Run("are all that the dashboard asks for", func(t *testing.T) { checkDashboard(t, metrics) })
}

const preface = `# Metrics

<!-- Generated by go generate ./deploy from the running program; do not edit. -->

What ` + "`/metrics`" + ` on ` + "`ADMIN_ADDR`" + ` tells, besides what every Go process does (` + "`go_*`, `process_*`" + `). Names and labels are
part of the program's surface: [alerts](alerts.yml) and [dashboard](dashboards/ringbridge.json) rest on them.

Times are Unix times, so that an age is ` + "`time() - x`" + `, and 0 means never, or nothing: leave it out (` + "`x > 0`" + `). No label
holds an id. ` + "`ringbridge_kafka_*`" + ` with the label ` + "`client`" + ` are the Kafka client library's.

| metric | type | labels | what it tells |
| --- | --- | --- | --- |
`

func table(metrics map[string]*metric) string {
	var out strings.Builder
	out.WriteString(preface)
	for _, m := range sorted(metrics) {
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", m.name, m.kind, strings.Join(m.labels, ", "), strings.ReplaceAll(m.help, "|", `\|`))
	}
	return out.String()
}

// keepConventions checks names, units and labels by Prometheus' conventions.
func keepConventions(t *testing.T, o *observed, metrics map[string]*metric) {
	t.Helper()
	problems, err := promlint.NewWithMetricFamilies(o.gather(t)).Lint()
	require.NoError(t, err)
	for _, p := range problems {
		if !strings.HasPrefix(p.Metric, "ringbridge_kafka_buffered_") { // gauges called _total: the library's names
			require.False(t, strings.HasPrefix(p.Metric, "ringbridge_"), "%s: %s", p.Metric, p.Text)
		}
	}
	closed := strings.Fields("api cause change class client commit endpoint found go_version group node_id op origin outcome priority reason result state status stream topic verdict version what")
	for _, m := range metrics {
		require.NotEmpty(t, m.help, m.name)
		require.Subset(t, closed, m.labels, "%s: each label has a closed set of values, and ids are none", m.name)
		if m.kind == "counter" {
			require.True(t, strings.HasSuffix(m.name, "_total"), m.name)
		}
	}
}
