package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/consume"
	"github.com/ringbridge/ringbridge/internal/console"
	"github.com/ringbridge/ringbridge/internal/health"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// Components on the board of health that are the process's own; the stages add
// theirs.
const (
	componentProcess  = "process"
	componentKafka    = "kafka"
	componentTopics   = "topics"
	componentRegistry = "schema_registry"
)

// bridge is the process that `run` runs.
//
//	listeners ─▶ Kafka ─▶ topics ─▶ registry ─▶ stages ─▶ (signal) ─▶ stop, newest first
//	   503         waits, and says so             ready       503
//
// With SPOOL_DIR it is ready as soon as webhooks can be kept on disk: see intake.
//
// Each part registers how it is undone the moment it exists, so that a start
// that fails half-way stops as cleanly as a run that is ended.
type bridge struct {
	cfg       config
	only      []string
	logger    *slog.Logger
	board     *health.Board
	metrics   *prometheus.Registry
	stages    stageList
	traces    traces
	undo      cleanups
	failed    context.CancelCauseFunc // ends the process because of a stage's fault
	public    lateHandler
	listener  *httpListener // the public one; nil without ingest
	opts      []kgo.Opt     // of every Kafka client
	client    *kgo.Client   // the process's own, for questions
	adm       *kadm.Client
	topics    *kafka.TopicWatch // from when they were found to keep the guarantees
	intake    intake
	registry  *schemas.Registry
	codec     *schemas.Codec
	platform  *ringcentral.Platform // all stages share it; nil where it is off
	news      *news                 // what all processes of the account have to know
	listeners listeners             // of the platform's notifications
	console   *console.Console      // what people see at the private listener
	consumer  *consume.Consumer     // nil where the stage is off
	stopped   error                 // what did not stop in order; set when Run has returned

	// Opened, where set, is told the addresses as soon as they are known.
	Opened func(addresses)
}

// addresses are where a process can be reached.
type addresses struct {
	Public, Private string
	Brokers         []string
	RegistryURL     string
}

func newBridge(cfg config, only []string, logger *slog.Logger) *bridge {
	b := &bridge{cfg: cfg, only: only, logger: logger, metrics: newMetricsRegistry(), undo: cleanups{logger: logger}}
	b.board = &health.Board{OnChange: b.logHealth}
	b.news = newNews(b.names(), logger.With("component", "news"))
	b.news.hinted = b.listeners.wakeStore
	if cfg.Process.SpoolDir != "" && slices.Contains(only, stageIngest) {
		b.board.Suffices = spoolSuffices
	}
	b.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ringbridge_ready",
		Help: "1 while the process can do its work, as /readyz says.",
	}, func() float64 {
		if b.board.Ready() {
			return 1
		}
		return 0
	}))
	return b
}

// Run runs the bridge until ctx ends, and returns nil after a clean stop. The
// error is one that waiting does not heal.
func (b *bridge) Run(ctx context.Context) (err error) {
	version, commit := buildInfo()
	b.logger.Info("starting", "version", version, "commit", commit, "stages", b.only)
	ctx, b.failed = context.WithCancelCause(ctx)
	defer b.failed(nil)
	b.board.Set(componentProcess, "starting")
	defer func() { err = errors.Join(err, b.stop()) }()
	for _, step := range []func(context.Context) error{b.openTraces, b.openListeners, b.openClients, b.openIntake, b.waitForBroker, b.prepareTopics, b.prepareSchemas, b.startStages} {
		if err := step(ctx); err != nil {
			return b.cause(ctx, err)
		}
	}
	b.board.Clear(componentProcess)
	b.logger.Info("running", "stages", b.only)
	<-ctx.Done()
	return b.cause(ctx, nil)
}

// cause tells a stop that was asked for, which is no error, from a stage's
// fault and from a start that failed.
func (b *bridge) cause(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func (b *bridge) stop() error {
	start := time.Now()
	b.board.Set(componentProcess, "stopping")
	ctx, cancel := context.WithTimeout(context.Background(), b.cfg.Process.ShutdownTimeout)
	defer cancel()
	b.failed(context.Canceled) // a start that failed has stages to end as well
	b.stopped = b.undo.run(ctx)
	b.logger.Info("stopped", "took", time.Since(start).Round(time.Millisecond))
	return b.stopped
}

// logHealth writes the process's own troubles to the log; the stages' are in
// their own lines.
func (b *bridge) logHealth(component, reason string, since time.Time) {
	own := slices.Contains([]string{componentKafka, componentTopics, componentRegistry}, component)
	switch {
	case own && reason != "":
		b.logger.Warn("waiting", "component", component, "reason", reason)
	case own:
		b.logger.Info("waiting is over", "component", component, "after", time.Since(since).Round(time.Millisecond))
	default:
		b.logger.Debug("health", "component", component, "reason", reason)
	}
}

// openTraces comes before all that makes spans, so that their last ones are sent when
// the rest has stopped.
func (b *bridge) openTraces(ctx context.Context) (err error) {
	b.traces, err = openTraces(ctx, b.cfg.Process.Traces, b.logger.With("component", "traces"))
	b.undo.add("traces", b.traces.stop)
	return err
}

// openListeners opens the addresses first: whoever looks at the process, and
// whoever sends to it, gets an answer from the first moment on.
func (b *bridge) openListeners(ctx context.Context) error {
	b.openConsole(ctx)
	private, err := listen(ctx, "ADMIN_ADDR", b.cfg.Listen.Private, newAdmin(adminDeps{
		Console: b.console, Board: b.board, Gatherer: b.metrics, Logger: b.logger,
	}), b.logger)
	if err != nil {
		return err
	}
	b.undo.add("private listener", private.stop)
	at := addresses{Private: dialable(private.addr)}
	if slices.Contains(b.only, stageIngest) {
		if b.listener, err = listen(ctx, "HTTP_ADDR", b.cfg.Listen.Public, &b.public, b.logger); err != nil {
			return err
		}
		b.undo.add("public listener", b.listener.stop)
		at.Public = dialable(b.listener.addr)
	}
	if err := b.openEmbedded(ctx, &at); err != nil {
		return err
	}
	b.logger.Info("listening", "public", at.Public, "console", "http://"+at.Private+"/")
	if b.Opened != nil {
		b.Opened(at)
	}
	return nil
}

// openEmbedded starts the embedded broker where no other is configured.
func (b *bridge) openEmbedded(ctx context.Context, at *addresses) error {
	connection := &b.cfg.Connection
	if len(connection.Broker.Kafka.Brokers) == 0 {
		e, err := startEmbedded(ctx, connection.Broker.Embedded.DataDir, b.logger)
		if err != nil {
			return err
		}
		b.undo.add("embedded broker", e.stop)
		connection.Broker.Kafka.Brokers = e.Brokers
		if connection.Registry.URL == "" {
			connection.Registry.URL = e.RegistryURL
		}
		b.logger.Info("KAFKA_BROKERS is empty: running the embedded broker, for trying out", "data_dir", e.dir,
			"kafka_brokers", e.Brokers[0], "schema_registry_url", connection.Registry.URL)
	}
	at.Brokers, at.RegistryURL = connection.Broker.Kafka.Brokers, connection.Registry.URL
	return nil
}

// openClients makes what talks to Kafka and the registry, and reaches for neither.
func (b *bridge) openClients(context.Context) (err error) {
	if b.opts, err = clientOptions(b.cfg.Connection.Broker, b.logger); err != nil {
		return err
	}
	client, err := kgo.NewClient(append(slices.Clone(b.opts), kgo.WithHooks(newClientMetrics("admin", b.metrics)))...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	b.undo.add("admin client", func(context.Context) error { client.Close(); return nil })
	b.client, b.adm = client, kadm.NewClient(client)
	b.registry, err = schemas.NewRegistry(b.cfg.Connection.Registry)
	return err
}

func (b *bridge) waitForBroker(ctx context.Context) error {
	return b.waitFor(ctx, componentKafka, pingTimeout, b.client.Ping, refused)
}

// prepareTopics creates the topics that are missing and refuses to start on
// settings that break a guarantee. From then on the topics are watched.
func (b *bridge) prepareTopics(ctx context.Context) error {
	cfg := b.cfg.Connection.Broker.Topics
	var faults []kafka.Fault
	err := b.waitFor(ctx, componentTopics, topicsTimeout, func(ctx context.Context) error {
		changes, err := kafka.Apply(ctx, b.adm, cfg)
		for _, change := range changes {
			if change.Created {
				b.logger.Info("topic created", "topic", change.Topic, "partitions", change.Partitions)
			}
		}
		if err == nil {
			faults, err = kafka.CheckTopics(ctx, b.adm, cfg)
		}
		if err == nil {
			b.topics, err = kafka.WatchTopics(ctx, b.adm, cfg)
		}
		return err
	}, hopeless)
	for _, fault := range faults {
		err = errors.Join(err, fault)
	}
	if err == nil {
		b.background(ctx, "topics", b.watchTopics)
	}
	return err
}

// prepareSchemas waits for the registry and gets the codec from it.
func (b *bridge) prepareSchemas(ctx context.Context) error {
	register := b.cfg.Connection.Registry.Register
	return b.waitFor(ctx, componentRegistry, registryTimeout, func(ctx context.Context) (err error) {
		b.codec, err = b.registry.Prepare(ctx, b.cfg.Connection.Broker.Topics.Prefix, register)
		return err
	}, func(err error) bool {
		var outage *schemas.UnavailableError
		return !errors.As(err, &outage)
	})
}
