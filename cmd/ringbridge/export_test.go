package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sethvargo/go-envconfig"
	"github.com/twmb/franz-go/pkg/kadm"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/internal/console"
	"github.com/ringbridge/ringbridge/internal/health"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/secret"
)

// What the tests of this package reach behind run.

var (
	Run          = run
	SettingsHelp = settingsHelp
	ParseTime    = parseTime
)

// SettingNames returns every variable of the configuration.
func SettingNames() (names []string) {
	var cfg config
	for _, s := range settingsOf(&cfg) {
		names = append(names, s.name)
	}
	return names
}

// DocumentedSettings returns every variable of the help.
func DocumentedSettings() (names []string) {
	for _, group := range settingDocs() {
		for _, doc := range group.settings {
			names = append(names, doc.name)
		}
	}
	return names
}

// LoadAll loads the whole configuration.
func LoadAll(ctx context.Context, env envconfig.Lookuper) error {
	var cfg config
	return load(ctx, &cfg, env)
}

// Admin returns the private listener's handler.
func Admin(token string, board *health.Board, registry *prometheus.Registry, logger *slog.Logger) http.Handler {
	return newAdmin(adminDeps{
		Board: board, Gatherer: registry, Logger: logger,
		Console: console.New(console.Deps{
			Token: secret.String(token), Board: board, Gatherer: registry, Logger: logger,
			Stages: func() []console.Stage {
				return []console.Stage{{Name: "publish", State: console.Running, About: "turns the inbox into events"}}
			},
		}),
	})
}

// Cleanups returns what registers and what runs cleanups.
func Cleanups(logger *slog.Logger) (add func(string, func(context.Context) error), run func(context.Context) error) {
	c := &cleanups{logger: logger}
	return c.add, c.run
}

// Confirm asks as a command does, and returns nil after a yes.
func Confirm(ctx context.Context, in io.Reader, out io.Writer, question string) error {
	return (&program{in: in, err: out}).confirm(ctx, question)
}

// Matches tells whether a printed record passes the filters.
func Matches(value any, headers map[string]any, given ...string) (bool, error) {
	filters, err := parseFilters(given)
	return matches(shownRecord{Value: value, Headers: headers}, filters), err
}

// Since parses a --from and returns the time it means.
func Since(text string, now time.Time) (time.Time, error) {
	p, err := parseFrom(text, now)
	return p.since, err
}

// StartEmbedded starts the embedded broker and registry on dir and returns the
// settings that lead to them, and what stops them.
func StartEmbedded(dir string) (env map[string]string, stop func(), err error) {
	e, err := startEmbedded(context.Background(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	env = map[string]string{}
	for _, line := range e.environment() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return env, func() { _ = e.stop(context.Background()) }, nil
}

// SpoolSuffices decides about readiness with a spool.
func SpoolSuffices(components ...string) bool {
	var reasons []health.Reason
	for _, component := range components {
		reasons = append(reasons, health.Reason{Component: component})
	}
	return spoolSuffices(reasons)
}

// RoomBeside returns what a backfill leaves to the bridge.
func RoomBeside(ctx context.Context, adm *kadm.Client, prefix string) (float64, error) {
	return roomBeside(ctx, adm, kafka.TopicNames(prefix))
}

// Bar is what shows progress.
type Bar struct{ p *progress }

// Progress makes one.
func Progress(out io.Writer, terminal bool, now func() time.Time) Bar {
	return Bar{&progress{out: out, terminal: terminal, now: now}}
}

// Show draws a state.
func (b Bar) Show(name string, fraction float64, rows int, note string) {
	b.p.show(name, fraction, rows, note)
}

// End leaves a last line.
func (b Bar) End(line string) { b.p.end(line) }

// Observed starts the whole bridge of the environment, and returns its metrics and
// what stops it.
func Observed(ctx context.Context, env envconfig.Lookuper, logger *slog.Logger) (*prometheus.Registry, func() error, error) {
	var cfg config
	if err := load(ctx, &cfg, env); err != nil {
		return nil, nil, err
	}
	b := newBridge(cfg, allStages(), logger)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	return b.metrics, func() error { cancel(); return <-done }, nil
}

// OpenTraces sets the SDK up as `run` does, and returns a stage's tracer and what stops it.
func OpenTraces(ctx context.Context, endpoint string, logger *slog.Logger) (trace.Tracer, func(context.Context) error, error) {
	t, err := openTraces(ctx, endpoint, logger)
	return t.tracer("test"), t.stop, err
}

// Losses returns the handler of what a collector does not take.
func Losses(logger *slog.Logger) otel.ErrorHandler { return &losses{logger: logger} }
