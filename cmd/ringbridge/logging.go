package main

import (
	"io"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kslog"
)

// The forms of LOG_FORMAT.
const (
	formatText = "text"
	formatJSON = "json"
)

// newLogger returns the process's logger. The configuration has been validated.
func newLogger(out io.Writer, cfg logConfig) *slog.Logger {
	level, _ := cfg.level()
	opts := &slog.HandlerOptions{Level: level}
	if cfg.Format == formatJSON {
		return slog.New(slog.NewJSONHandler(out, opts))
	}
	return slog.New(slog.NewTextHandler(out, opts))
}

// clientLogger hands the Kafka client's own lines to the log at LOG_LEVEL=debug.
// In an outage the client writes a line, an error even, each time it tries,
// while a stage says the same in one line at its start and one at its end.
type clientLogger struct{ *kslog.Logger }

func newClientLogger(logger *slog.Logger) kgo.Logger {
	return clientLogger{kslog.New(logger.With("component", "kafka_client"))}
}

// Level implements kgo.Logger.
func (l clientLogger) Level() kgo.LogLevel {
	if l.Logger.Level() == kgo.LogLevelDebug {
		return kgo.LogLevelInfo // what the client calls debug is each request
	}
	return kgo.LogLevelNone
}
