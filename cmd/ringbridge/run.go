package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringbridge/ringbridge/consume"
	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/publish"
)

// config is everything that can be set: what `run` reads.
type config struct {
	Connection connectionConfig
	Listen     listenConfig
	Console    consoleConfig
	Webhook    webhook.Config
	Process    processConfig
	Engage     ringcentral.EngageConfig
	Platform   platformConfig
	Poll       poll.Config
	Publish    publish.Config
	Consume    consume.Config
}

// The stages that --only chooses from.
const (
	stageIngest  = "ingest"
	stagePublish = "publish"
	stageConsume = "consume"
)

func allStages() []string { return []string{stageIngest, stagePublish, stageConsume} }

func (p *program) runCommand() *cobra.Command {
	var only []string
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the bridge",
		Long: `Runs the bridge until SIGTERM or SIGINT, then stops within SHUTDOWN_TIMEOUT; a second
signal ends it at once.

Stages, each of which can run in a process of its own, in any number:
  ingest    takes webhooks in, polls what they miss, and keeps both in the inbox topic
  publish   turns the inbox into Avro events, each exactly once
  consume   carries out reply commands

Kafka and the registry may be missing at the start: it waits for them, says so in
the log and on /readyz, and answers webhooks 503 meanwhile, or with SPOOL_DIR 200,
once they are on disk. It ends only when no waiting helps: wrong settings, credentials that Kafka refuses, a topic whose
settings break a guarantee, an incompatible schema.

A topic that is deleted, or deleted and created again, while it runs: /readyz names it, and within half a minute the
bridge stops and starts again with new clients; a topic that is still missing then is created. If it cannot stop in
time, or the new topic breaks a guarantee, it ends with exit status 1.

` + settingsHelp(),
		Example: `  ringbridge run                                    # embedded broker and registry, for trying out
  KAFKA_BROKERS=k1:9092,k2:9092 SCHEMA_REGISTRY_URL=http://registry:8081 \
  ENGAGE_BASE_URL=https://acme.api.engagement.dimelo.com/1.0 ENGAGE_ACCESS_TOKEN_FILE=/run/secrets/engage \
  ENGAGE_WEBHOOK_SECRET_FILE=/run/secrets/webhook ringbridge run
  ringbridge run --only ingest`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.runBridge(c.Context(), only) },
	}
	c.Flags().StringSliceVar(&only, "only", allStages(), "stages to run")
	return c
}

func (p *program) runBridge(ctx context.Context, only []string) error {
	for _, stage := range only {
		if !slices.Contains(allStages(), stage) {
			return usageError("--only %q: want %s", stage, strings.Join(allStages(), ", "))
		}
	}
	var cfg config
	if err := load(ctx, &cfg, p.env); err != nil {
		return err
	}
	logger := newLogger(p.err, cfg.Connection.Broker.Log)
	warnAboutSettings(logger, cfg, p.env)
	for {
		b := newBridge(cfg, only, logger)
		err := b.Run(ctx)
		if !errors.Is(err, errTopicsChanged) || b.stopped != nil || ctx.Err() != nil {
			return err
		}
		logger.Error("the topics have changed: starting again with new clients", "error", err)
	}
}

// warnAboutSettings says what is set and has no effect, or not the effect that
// somebody may expect.
func warnAboutSettings(logger *slog.Logger, cfg config, env any) {
	if cfg.Engage.PlainText() {
		logger.Warn("ENGAGE_BASE_URL is http: the access token crosses the network unencrypted")
	}
	if cfg.Platform.Client.Enabled() && cfg.Platform.Client.PlainText() {
		logger.Warn("RINGCENTRAL_SERVER_URL is http: the credentials cross the network unencrypted")
	}
	if unknown := unknownSettings(env); len(unknown) > 0 {
		logger.Warn("variables that look like settings and are none; see `ringbridge run --help`", "variables", strings.Join(unknown, ", "))
	}
}
