package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/ringbridge/ringbridge/internal/health"
)

//go:embed status.html
var statusHTML string

//go:embed status.css
var statusCSS string

// statusPage is one page that says how the process is: no script, nothing from
// elsewhere, so that it works through the poorest tunnel at night.
type statusPage struct {
	deps    adminDeps
	page    *template.Template
	policy  string
	version string
	started time.Time
}

func newStatusPage(deps adminDeps) *statusPage {
	sum := sha256.Sum256([]byte(statusCSS))
	version, _ := buildInfo()
	return &statusPage{
		deps: deps,
		page: template.Must(template.New("status").Parse(statusHTML)),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		version: version,
		started: time.Now(),
	}
}

// statusView is what the template shows.
type statusView struct {
	CSS     template.CSS
	Version string
	Uptime  string
	Ready   bool
	Reasons []health.Reason // also of a process that is ready in spite of them
	Stages  []stageState
	Groups  []metricGroup
}

// ServeHTTP implements http.Handler.
func (s *statusPage) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	view := statusView{
		CSS:     template.CSS(statusCSS), //nolint:gosec // our own file
		Version: s.version,
		Uptime:  time.Since(s.started).Round(time.Second).String(),
		Ready:   s.deps.Board.Ready(),
		Reasons: s.deps.Board.Reasons(),
		Stages:  s.deps.Stages(),
	}
	families, err := s.deps.Gatherer.Gather()
	if err != nil {
		s.deps.Logger.Warn("metrics gathered in part", "error", err)
	}
	view.Groups = metricGroups(families, time.Now())
	var body bytes.Buffer
	if err := s.page.Execute(&body, view); err != nil {
		s.deps.Logger.Error("status page", slog.Any("error", err))
		http.Error(w, "the page can't be shown; see the log", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", s.policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	_, _ = w.Write(body.Bytes())
}

// metricGroup is the numbers of one part of the program.
type metricGroup struct {
	Name string
	Rows []metricRow
}

type metricRow struct{ Name, Labels, Value, Help string }

const (
	metricPrefix    = "ringbridge_"
	clientPrefix    = "ringbridge_kafka_" // the client's own metrics: too many for a page
	timestampSuffix = "_timestamp_seconds"
)

// metricGroups picks from the registry what a person looks for: counters that
// have counted, and times. The rest is on /metrics.
func metricGroups(families []*dto.MetricFamily, now time.Time) []metricGroup {
	byName := map[string]*metricGroup{}
	for _, family := range families {
		rest, ok := strings.CutPrefix(family.GetName(), metricPrefix)
		if !ok || strings.HasPrefix(family.GetName(), clientPrefix) {
			continue
		}
		part, name, _ := strings.Cut(rest, "_")
		for _, metric := range family.GetMetric() {
			value, ok := shown(family, metric, now)
			if !ok {
				continue
			}
			if byName[part] == nil {
				byName[part] = &metricGroup{Name: part}
			}
			name := strings.NewReplacer("_total", "", timestampSuffix, "", "_", " ").Replace(name)
			byName[part].Rows = append(byName[part].Rows, metricRow{Name: name, Labels: labels(metric), Value: value, Help: family.GetHelp()})
		}
	}
	groups := make([]metricGroup, 0, len(byName))
	for _, group := range byName {
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
		value := metric.GetGauge().GetValue()
		if !strings.HasSuffix(family.GetName(), timestampSuffix) || value == 0 {
			return "", false
		}
		whole, part := math.Modf(value)
		at := time.Unix(int64(whole), int64(part*1e9))
		return ago(now.Sub(at)), true
	default:
		return "", false
	}
}

func ago(d time.Duration) string {
	if d < 0 {
		return "in " + (-d).Round(time.Second).String()
	}
	return d.Round(time.Second).String() + " ago"
}

func labels(metric *dto.Metric) string {
	var parts []string
	for _, pair := range metric.GetLabel() {
		if pair.GetValue() != "" {
			parts = append(parts, pair.GetName()+" "+pair.GetValue())
		}
	}
	return strings.Join(parts, ", ")
}
