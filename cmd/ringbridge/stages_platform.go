package main

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/ingest/subscribe"
	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// listeners are told of the platform's notifications. They start after the intake
// of webhooks is open: until then nobody is.
type listeners struct {
	poller   atomic.Pointer[poll.Poller]
	watchdog atomic.Pointer[subscribe.Watchdog]
}

// hint wakes the stream of the message store, whichever process runs it.
func (b *bridge) hint(extension string) {
	b.listeners.wakeStore(extension)
	b.news.hint(extension)
}

// wakeStore wakes the stream of the message store, if it runs here.
func (l *listeners) wakeStore(string) {
	if p := l.poller.Load(); p != nil {
		p.Hint()
	}
}

// wake polls the platform now.
func (l *listeners) wake() {
	if p := l.poller.Load(); p != nil {
		p.Wake()
	}
}

// watched is an inbox that shows notifications to the watchdog.
type watched struct {
	webhook.Inbox
	*listeners
}

// Accept implements webhook.Inbox.
func (w watched) Accept(ctx context.Context, items ...ingest.Item) error {
	seen := slices.ContainsFunc(items, func(i ingest.Item) bool { return i.Arrival.Kind == webhook.KindNotification })
	if dog := w.watchdog.Load(); seen && dog != nil {
		dog.Saw()
	}
	return w.Inbox.Accept(ctx, items...)
}

// pollPlatform adds the platform to what is polled.
func (b *bridge) pollPlatform(ctx context.Context, deps *poll.Deps) {
	if b.platform == nil {
		return
	}
	deps.Platform, deps.Social = b.platform, b.cfg.Platform.Client.Contents()
	if keeper := b.openSubscription(ctx); keeper != nil {
		deps.Duties = []poll.Duty{{Name: subscribe.Name, Run: keeper.Run}}
	}
}

// openSubscription returns what keeps the subscription, or nil where none is managed.
func (b *bridge) openSubscription(ctx context.Context) *subscribe.Keeper {
	cfg := subscribe.Config{URL: b.cfg.Platform.WebhookURL, Interval: b.cfg.Poll.Interval}
	logger := b.logger.With("component", "subscription")
	switch {
	case !cfg.Enabled():
		logger.Info("no subscription is managed, the platform is polled only; set RINGCENTRAL_WEBHOOK_URL")
		return nil
	case !b.cfg.Webhook.PlatformEnabled():
		logger.Warn("no subscription is managed: nobody could tell who sends notifications; set RINGCENTRAL_WEBHOOK_TOKEN")
		return nil
	case cfg.PlainText():
		logger.Warn("RINGCENTRAL_WEBHOOK_URL is http: the platform takes https only")
	}
	first, _, _ := strings.Cut(b.cfg.Webhook.PlatformToken.Reveal(), ",")
	path := ""
	if b.cfg.Platform.Client.Contents() {
		path = b.cfg.Platform.Client.ContentsPath
	}
	keeper := subscribe.New(subscribe.Deps{
		Platform: b.platform, Token: ringcentral.Secret(strings.TrimSpace(first)), ContentsPath: path, Healed: b.listeners.wake,
		Logger: logger, Registerer: b.metrics,
	}, cfg)
	dog := subscribe.NewWatchdog(func() { keeper.Check(); b.listeners.wake() }, logger, b.metrics)
	b.listeners.watchdog.Store(dog)
	b.background(ctx, "watchdog of notifications", dog.Run)
	return keeper
}
