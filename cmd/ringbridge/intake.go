package main

import (
	"context"
	"slices"
	"strings"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/spool"
	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/health"
)

// intake is the way of webhooks into Kafka. With SPOOL_DIR it is open before
// Kafka and the registry are there, and the process is ready from then on.
type intake struct {
	inbox    *ingest.Inbox
	receiver *webhook.Receiver
}

// openIntake makes the way in. Without a spool nothing can go it yet, and senders
// are answered 503 until the stages start.
func (b *bridge) openIntake(ctx context.Context) error {
	if !slices.Contains(b.only, stageIngest) {
		return nil
	}
	inbox, err := ingest.NewInbox(ingest.Deps{
		Options: b.stageOptions(stageIngest), Topics: b.names(), Account: b.cfg.Process.Account,
		Logger: b.logger.With("component", stageIngest), Registerer: b.metrics, Tracer: b.traces.tracer(stageIngest),
	})
	if err != nil {
		return err
	}
	b.undo.add("inbox", func(context.Context) error { inbox.Close(); return nil })
	b.intake.inbox = inbox
	way := webhook.Inbox(inbox)
	if b.cfg.Process.SpoolDir != "" {
		kept, err := b.openSpool(ctx)
		if err != nil {
			return err
		}
		way = kept
	}
	b.intake.receiver = webhook.New(webhook.Deps{
		Inbox: watched{way, &b.listeners}, Hint: b.hint, Logger: b.logger.With("component", stageWebhook), Registerer: b.metrics,
		Tracer: b.traces.tracer(stageWebhook),
	}, b.cfg.Webhook)
	if b.cfg.Process.SpoolDir != "" {
		b.public.set(b.intake.receiver)
		b.undo.add("early intake of webhooks", b.listener.drain)
		b.board.Clear(componentProcess)
	}
	return nil
}

// openSpool opens what keeps webhooks while Kafka is away, and begins to drain it.
func (b *bridge) openSpool(ctx context.Context) (*spool.Spool, error) {
	kept, err := spool.Open(b.cfg.Process.SpoolDir, spool.Deps{
		Inbox: b.intake.inbox, Health: b.board, Logger: b.logger.With("component", spool.Component), Registerer: b.metrics,
	})
	if err != nil {
		return nil, err
	}
	b.undo.add("spool", func(context.Context) error { kept.Close(); return nil })
	b.background(ctx, "drain of the spool", func(ctx context.Context) { _ = kept.Run(ctx) })
	return kept, nil
}

// spoolSuffices decides readiness where there is a spool: webhooks have two ways
// in, and the process can take them while one of the two is open. Commands and
// events wait for Kafka in any case, and readiness does nothing for them.
func spoolSuffices(reasons []health.Reason) bool {
	closed := slices.ContainsFunc(reasons, func(r health.Reason) bool { return r.Component == spool.Component })
	for _, r := range reasons {
		if r.Component == spool.Component {
			continue
		}
		if closed || !awaited(r.Component) {
			return false
		}
	}
	return true
}

// awaited reports whether the component is one that a spool waits for: Kafka, its
// topics or the registry, the process's own view of it or a stage's.
func awaited(component string) bool {
	last := component[strings.LastIndex(component, "/")+1:]
	return slices.Contains([]string{componentKafka, componentTopics, componentRegistry, "registry"}, last)
}
