package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

const (
	// tracesFlush is how long a stop waits for the last spans to be taken. A collector
	// next door takes milliseconds, and one that is down must not hold up a roll-out.
	tracesFlush = time.Second
	// tracesTold is how often it is told that spans are lost.
	tracesTold = time.Minute
	// serviceName is OTEL_SERVICE_NAME where that is not set.
	serviceName = "ringbridge"
)

// The standard's variables that are looked at here. All others, for headers, certificates,
// sampling, batching, are the SDK's to read.
const (
	otelTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	otelProtocol       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	otelTracesProtocol = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	otelExporter       = "OTEL_TRACES_EXPORTER"
	otelDisabled       = "OTEL_SDK_DISABLED"
)

// traces are the process's way to a collector. The zero value is none, and its tracer
// records nothing.
type traces struct {
	provider *sdktrace.TracerProvider
	exporter *otlptrace.Exporter
	losses   *losses
}

// openTraces sets the SDK up where an address for traces is set, given is
// OTEL_EXPORTER_OTLP_ENDPOINT. It reaches for nobody. The errors name their variable.
//
// It sets the SDK's own log and error handler, which are the process's: there is one
// bridge in a process, but for tests.
func openTraces(ctx context.Context, given string, logger *slog.Logger) (traces, error) {
	if (given == "" && os.Getenv(otelTracesEndpoint) == "") || strings.EqualFold(os.Getenv(otelDisabled), "true") || os.Getenv(otelExporter) == "none" {
		return traces{}, nil
	}
	if err := checkTraces(); err != nil {
		return traces{}, err
	}
	t := traces{losses: &losses{logger: logger}}
	otel.SetLogger(logr.FromSlogHandler(wordless{logger.Handler()}))
	otel.SetErrorHandler(t.losses)
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return traces{}, fmt.Errorf("traces: %w", err)
	}
	t.exporter = exporter
	t.provider = sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(aboutUs(ctx, logger)))
	logger.Info("traces are exported")
	return t, nil
}

// checkTraces finds what the SDK would pass over with a line in the log.
func checkTraces() error {
	for _, name := range []string{otelProtocol, otelTracesProtocol} {
		switch os.Getenv(name) {
		case "", "http/protobuf", "http/json":
		default:
			return errors.New(name + ": want http/protobuf or http/json")
		}
	}
	return addressFault(otelTracesEndpoint, os.Getenv(otelTracesEndpoint), "put them into OTEL_EXPORTER_OTLP_HEADERS")
}

// aboutUs says who made the spans; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come
// last, and win. The process's arguments are left out.
func aboutUs(ctx context.Context, logger *slog.Logger) *resource.Resource {
	version, _ := buildInfo()
	us, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName(serviceName), semconv.ServiceVersion(version)), resource.WithFromEnv())
	if err != nil {
		logger.Warn("traces are marked incompletely; look at OTEL_RESOURCE_ATTRIBUTES", "error", err)
	}
	return us
}

// tracer returns what a stage makes its spans with, nil for none.
func (t traces) tracer(stage string) trace.Tracer {
	if t.provider == nil {
		return nil
	}
	return t.provider.Tracer("github.com/ringbridge/ringbridge/" + stage)
}

// stop sends what is left. That it can't be sent is told, and is no error: nothing that
// was promised depends on it.
func (t traces) stop(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, tracesFlush)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.losses.Handle(err)
		_ = t.exporter.Shutdown(ctx) // cuts the request short that it waits for
	}
	return nil
}

// losses tells in the log what becomes of spans that the collector does not take, once a
// minute at most. It is the SDK's error handler; safe for concurrent use.
type losses struct {
	logger *slog.Logger

	mu     sync.Mutex
	told   time.Time
	silent int // losses since
}

// Handle implements otel.ErrorHandler.
func (l *losses) Handle(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.told.IsZero() && time.Since(l.told) < tracesTold {
		l.silent++
		return
	}
	l.logger.Warn("traces are lost: the collector did not take them", "error", err, "failures_untold", l.silent)
	l.told, l.silent = time.Now(), 0
}

// wordless is a log without values. The SDK writes what it can't read of its variables,
// and of those OTEL_EXPORTER_OTLP_HEADERS holds credentials.
type wordless struct{ slog.Handler }

// Handle implements slog.Handler.
func (w wordless) Handle(ctx context.Context, r slog.Record) error {
	return w.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, "OpenTelemetry: "+r.Message, r.PC))
}

// WithAttrs implements slog.Handler.
func (w wordless) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup implements slog.Handler.
func (w wordless) WithGroup(string) slog.Handler { return w }
