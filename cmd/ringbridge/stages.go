package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/consume"
	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/console"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/publish"
)

// The parts of ingest, as the console and metrics name them. The poller's
// consumer group has its name too.
const (
	stagePoll    = "poll"
	stageWebhook = "webhook"
)

// stageList remembers the states. It is safe for concurrent use.
type stageList struct {
	mu     sync.Mutex
	states []console.Stage
}

func (l *stageList) list() []console.Stage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.states)
}

func (l *stageList) set(state console.Stage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, s := range l.states {
		if s.Name == state.Name {
			l.states[i] = state
			return
		}
	}
	l.states = append(l.states, state)
}

// startStages starts what was chosen, the ends of the flow first: what comes in
// finds somebody to pass it on.
func (b *bridge) startStages(ctx context.Context) error {
	engage := b.openEngage()
	b.platform = b.openPlatform()
	b.shareQuota(ctx, engage)
	if err := b.shareNews(ctx); err != nil {
		return err
	}
	b.background(ctx, "prober", b.watch)
	b.background(ctx, "transactions", b.watchTransactions)
	office := newOffice(b.cfg.Connection.Broker, reach{opts: b.opts, adm: b.adm}, b.codec, b.logger)
	b.background(ctx, "letters", func(ctx context.Context) { b.keepLetters(ctx, office) })
	for _, stage := range []struct {
		name  string
		start func(context.Context, *ringcentral.Engage) error
	}{{stageConsume, b.startConsume}, {stagePublish, b.startPublish}, {stageIngest, b.startIngest}} {
		if !slices.Contains(b.only, stage.name) {
			continue
		}
		if err := stage.start(ctx, engage); err != nil {
			return err
		}
	}
	b.connectConsole(ctx, office)
	return nil
}

// openEngage returns the client of the API that all stages share, or nil where
// Engage is off.
func (b *bridge) openEngage() *ringcentral.Engage {
	if !b.cfg.Engage.Enabled() {
		b.logger.Warn("Engage Digital is off: it is not polled, events are not enriched, commands for it are refused; set ENGAGE_BASE_URL")
		return nil
	}
	engage := ringcentral.NewEngage(b.cfg.Engage, ringcentral.Deps{
		Logger: b.logger.With("component", "engage"), Registerer: b.metrics, Penalized: b.news.window,
	})
	b.news.add(engage)
	b.undo.add("Engage client", func(context.Context) error { engage.Close(); return nil })
	return engage
}

// shareNews waits for the penalty windows that are open, and keeps the process told of
// what the others hear.
func (b *bridge) shareNews(ctx context.Context) error {
	if len(b.news.apis) == 0 {
		return nil
	}
	err := b.waitFor(ctx, componentTopics, topicsTimeout, func(ctx context.Context) error { return b.news.open(ctx, b.adm, b.opts) }, hopeless)
	if err != nil {
		return err
	}
	b.undo.add("client of the news", func(context.Context) error { b.news.close(); return nil })
	b.background(ctx, "news", b.news.run)
	b.news.await(ctx)
	return nil
}

// shareQuota divides the quotas of the APIs among the replicas.
func (b *bridge) shareQuota(ctx context.Context, engage *ringcentral.Engage) {
	var apis []sharer
	if engage != nil {
		apis = append(apis, engage)
	}
	if b.platform != nil {
		apis = append(apis, b.platform)
	}
	if len(apis) == 0 {
		return
	}
	shares := newShares(b, apis...)
	shares.set(leastShare)
	b.opts = append(b.opts, kgo.WithHooks(shares))
	b.background(ctx, "rate shares", shares.run)
}

func (b *bridge) startConsume(ctx context.Context, engage *ringcentral.Engage) error {
	const about = "carries out reply commands"
	if engage == nil && b.platform == nil {
		b.stages.set(console.Stage{Name: stageConsume, State: console.Off, About: "ENGAGE_BASE_URL and RINGCENTRAL_CLIENT_ID are empty; commands wait on the topic"})
		return nil
	}
	names := b.names()
	deps := consume.Deps{
		Options: b.stageOptions(stageConsume), Topics: names, Group: names.Group(topicReplies), Codec: b.codec,
		Logger: b.logger, Registerer: b.metrics, Health: b.board, Tracer: b.traces.tracer(stageConsume),
		// Something is left for the commit and the other stages.
		DrainTimeout: b.cfg.Process.ShutdownTimeout * 7 / 10,
	}
	b.replyAPIs(&deps, engage)
	stage, err := consume.New(deps, b.cfg.Consume)
	if err != nil {
		return err
	}
	b.consumer = stage
	b.runStage(ctx, console.Stage{Name: stageConsume, About: about}, stage.Run)
	return nil
}

func (b *bridge) startPublish(ctx context.Context, engage *ringcentral.Engage) error {
	deps := publish.Deps{
		Kafka: b.opts, Session: []kgo.Opt{kgo.WithHooks(newClientMetrics(stagePublish, b.metrics))},
		Names: b.names(), Codec: b.codec, Health: b.board, Logger: b.logger.With("component", stagePublish), Registerer: b.metrics,
		Tracer: b.traces.tracer(stagePublish),
	}
	about := "turns the inbox into events"
	if engage != nil {
		deps.API = engage
	} else {
		about += "; not enriched, as ENGAGE_BASE_URL is empty"
	}
	if b.platform != nil && b.cfg.Platform.Client.Contents() {
		deps.Social = b.platform
	}
	b.runStage(ctx, console.Stage{Name: stagePublish, About: about}, publish.New(deps, b.cfg.Publish).Run)
	return nil
}

func (b *bridge) startIngest(ctx context.Context, engage *ringcentral.Engage) error {
	b.intake.inbox.UseCodec(b.codec)
	b.startPoll(ctx, engage, b.intake.inbox)
	b.public.set(b.intake.receiver)
	b.undo.add("intake of webhooks", b.listener.drain) // the first to stop
	state := console.Stage{Name: stageWebhook, State: console.Running, About: "takes in what is sent to " + strings.Join(webhookPaths(b.cfg.Webhook), " and ")}
	if !b.cfg.Webhook.Enabled() {
		state = console.Stage{Name: stageWebhook, State: console.Off, About: "ENGAGE_WEBHOOK_SECRET and RINGCENTRAL_WEBHOOK_TOKEN are empty"}
		b.logger.Warn("webhooks are off; set ENGAGE_WEBHOOK_SECRET, or RINGCENTRAL_WEBHOOK_TOKEN for the platform's")
	}
	b.stages.set(state)
	return nil
}

// webhookPaths returns the addresses that are open.
func webhookPaths(cfg webhook.Config) (open []string) {
	if cfg.EngageEnabled() {
		open = append(open, webhook.Path)
	}
	if cfg.PlatformEnabled() {
		open = append(open, webhook.PlatformPath)
	}
	return open
}

func (b *bridge) startPoll(ctx context.Context, engage *ringcentral.Engage, inbox *ingest.Inbox) {
	if engage == nil && b.platform == nil {
		b.stages.set(console.Stage{Name: stagePoll, State: console.Off, About: "ENGAGE_BASE_URL and RINGCENTRAL_CLIENT_ID are empty"})
		return
	}
	deps := poll.Deps{
		Options: b.stageOptions(stagePoll), Topics: b.names(), Inbox: inbox,
		Health: b.board, Logger: b.logger.With("component", stagePoll), Registerer: b.metrics,
	}
	if engage != nil {
		deps.Source = engage
	}
	b.pollPlatform(ctx, &deps)
	poller := poll.New(deps, b.cfg.Poll)
	b.listeners.poller.Store(poller)
	b.runStage(ctx, console.Stage{Name: stagePoll, About: "finds what webhooks miss"}, poller.Run)
}

func (b *bridge) names() kafka.Names {
	return kafka.TopicNames(b.cfg.Connection.Broker.Topics.Prefix)
}

// stageOptions returns the client options of a stage, with metrics of its own.
func (b *bridge) stageOptions(stage string) []kgo.Opt {
	return append(slices.Clone(b.opts), kgo.WithHooks(newClientMetrics(stage, b.metrics)))
}

// runStage runs a stage until ctx ends; its fault ends the process.
func (b *bridge) runStage(ctx context.Context, state console.Stage, stage func(context.Context) error) {
	state.State = console.Running
	b.stages.set(state)
	b.background(ctx, state.Name, func(ctx context.Context) {
		err := stage(ctx)
		if err == nil && ctx.Err() == nil {
			err = errors.New("ended by itself")
		}
		state.State = console.Stopped
		b.stages.set(state)
		if err != nil {
			b.failed(fmt.Errorf("%s: %w", state.Name, err))
		}
	})
}

// background runs do until ctx ends, and makes the stop wait for its end.
func (b *bridge) background(ctx context.Context, name string, do func(context.Context)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(ctx)
	}()
	b.undo.add(name, func(ctx context.Context) error {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return errSlow
		}
	})
}
