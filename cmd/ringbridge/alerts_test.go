package main_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A selector is where a rule or a panel names a metric: with what it asks of labels.
var (
	selector = regexp.MustCompile(`\b((?:ringbridge|process|go|up)[a-z0-9_]*)\b(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)\s*(=~|=|!=|!~)\s*"((?:[^"\\]|\\.)*)"`)
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
)

// given are metrics that are not this program's: Prometheus' own, and those of every Go process.
func given() []string {
	return []string{"up", "process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total", "go_goroutines"}
}

// scraped are the labels that Prometheus adds.
func scraped() []string { return []string{"job", "instance", "le"} }

// checkExpression fails for a metric, a label or a value that the program does not have.
func checkExpression(t *testing.T, metrics map[string]*metric, expression string) {
	t.Helper()
	var labels []string
	for _, found := range selector.FindAllStringSubmatch(expression, -1) {
		name := found[1]
		if slices.Contains(given(), name) {
			continue
		}
		m := family(metrics, name)
		require.NotNil(t, m, "%s is no metric of the program, in %s", name, expression)
		labels = append(labels, m.labels...)
		for _, asked := range matcher.FindAllStringSubmatch(found[2], -1) {
			checkMatcher(t, m, asked[1], asked[2], asked[3])
		}
	}
	for _, list := range grouping.FindAllStringSubmatch(expression, -1) {
		for label := range strings.SplitSeq(list[1], ",") {
			if label = strings.TrimSpace(label); label != "" {
				require.Contains(t, append(scraped(), labels...), label, expression)
			}
		}
	}
}

// family is the metric that a name of a rule means: of a histogram, it may be a part.
func family(metrics map[string]*metric, name string) *metric {
	if m := metrics[name]; m != nil {
		return m
	}
	for _, part := range []string{"_bucket", "_count", "_sum"} {
		if whole, ok := strings.CutSuffix(name, part); ok && metrics[whole] != nil && metrics[whole].kind == "histogram" {
			return metrics[whole]
		}
	}
	return nil
}

func checkMatcher(t *testing.T, m *metric, label, operator, value string) {
	t.Helper()
	if slices.Contains(scraped(), label) {
		return
	}
	require.Contains(t, m.labels, label, m.name)
	if strings.Contains(value, "$") {
		return // a variable of the dashboard
	}
	for alternative := range strings.SplitSeq(value, "|") {
		if !strings.HasSuffix(operator, "~") {
			alternative = value
		}
		require.Contains(t, slices.Collect(maps.Keys(m.values[label])), alternative, "%s{%s}", m.name, label)
	}
}

// An alert is what the rule file says of one.
type alert struct{ name, text string }

// readAlerts splits the rule file. promtool reads it as YAML: see make alerts.
func readAlerts(t *testing.T) (alerts []alert) {
	t.Helper()
	for part := range strings.SplitSeq(deployed(t, "alerts.yml"), "\n      - alert: ") {
		if name, text, ok := strings.Cut(part, "\n"); ok && !strings.HasPrefix(part, "#") {
			alerts = append(alerts, alert{name, text})
		}
	}
	require.Greater(t, len(alerts), 20)
	return alerts
}

func deployed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deploy, name))
	require.NoError(t, err)
	return string(text)
}

// trials are the series that the rules are tried on: by hand, and recorded.
func trials(t *testing.T) string {
	t.Helper()
	nights, err := filepath.Glob(filepath.Join(deploy, "nights", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, nights)
	text := deployed(t, "alerts_test.yml")
	for _, path := range nights { // in the order of their names, as make alerts has them
		text += deployed(t, filepath.Join("nights", filepath.Base(path)))
	}
	return text
}

// checkAlerts holds the rules to the metrics, and to what an operator needs at night.
func checkAlerts(t *testing.T, metrics map[string]*metric) {
	t.Helper()
	tests := trials(t)
	for _, a := range readAlerts(t) {
		expression, rest, ok := strings.Cut(a.text, "        labels:")
		require.True(t, ok, a.name)
		checkExpression(t, metrics, expression)
		require.Regexp(t, `severity: (critical|warning)\}`, rest, a.name)
		require.Regexp(t, `(?m)summary: ".{20,}"$`, rest, a.name)
		require.Regexp(t, `(?m)runbook: ".{60,}"$`, rest, a.name)
		if !strings.Contains(tests, `alertname="`+a.name+`"`) { // the text is too long to be shown
			require.FailNow(t, "each alert is seen firing", a.name)
		}
		for _, found := range selector.FindAllStringSubmatch(rest, -1) {
			if name := found[1]; strings.HasPrefix(name, "ringbridge_") && !strings.HasSuffix(name, "_") {
				require.NotNil(t, family(metrics, name), "%s, in the runbook of %s", name, a.name)
			}
		}
	}
	tried := sha256.Sum256([]byte(deployed(t, "alerts.yml") + tests))
	require.Equal(t, strings.TrimSpace(deployed(t, "alerts.tried")), hex.EncodeToString(tried[:]), "the rules or their tests changed: run make alerts")
}

// checkAlertSeries holds the series that the rules are tried on to those that the program exposes.
func checkAlertSeries(t *testing.T, metrics map[string]*metric) {
	t.Helper()
	tests := trials(t)
	found := regexp.MustCompile(`series: '([a-z_]+)\{(.*)\}'`).FindAllStringSubmatch(tests, -1)
	require.Len(t, found, strings.Count(tests, "series: "))
	for _, series := range found {
		if slices.Contains(given(), series[1]) {
			continue
		}
		m := family(metrics, series[1])
		require.NotNil(t, m, series[0])
		var labels []string
		for _, pair := range matcher.FindAllStringSubmatch(series[2], -1) {
			if !slices.Contains(scraped(), pair[1]) {
				labels = append(labels, pair[1])
			}
			checkMatcher(t, m, pair[1], pair[2], pair[3])
		}
		require.Equal(t, m.labels, slices.Sorted(slices.Values(labels)), "all labels and no other: %s", series[0])
	}
	// In health, each metric of a rule is there: a rule that is quiet as its series are missing proves nothing.
	health, _, _ := strings.Cut(tests, "promql_expr_test:")
	for _, a := range readAlerts(t) {
		expression, _, _ := strings.Cut(a.text, "        labels:")
		for _, named := range selector.FindAllStringSubmatch(expression, -1) {
			require.Contains(t, health, "'"+named[1]+"{", a.name)
		}
	}
}

// checkDashboard holds every question of the dashboard to the metrics.
func checkDashboard(t *testing.T, metrics map[string]*metric) {
	t.Helper()
	var board any
	require.NoError(t, json.Unmarshal([]byte(deployed(t, "dashboards/ringbridge.json")), &board))
	asked := expressions(board)
	require.Greater(t, len(asked), 20)
	for _, expression := range asked {
		checkExpression(t, metrics, expression)
	}
}

// expressions collects what a dashboard asks Prometheus, panels within rows and variables included.
func expressions(node any) (found []string) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			found = append(found, expressions(child)...)
		}
	case map[string]any:
		for key, child := range node {
			if text, ok := child.(string); ok && (key == "expr" || key == "query") {
				found = append(found, text)
			}
			found = append(found, expressions(child)...)
		}
	}
	return found
}
