package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

// handshakeTimeout bounds the wait for the receiver that the sandbox is told to
// send webhooks to.
const handshakeTimeout = 30 * time.Second

type sandboxFlags struct {
	addr        string
	token       string
	webhook     sandbox.Webhook
	config      sandbox.Config
	delivery    sandbox.Delivery
	retryAfter  string
	retryScale  float64
	exportDelay time.Duration
	platform    sandbox.PlatformConfig
	platformCap int
}

func (p *program) sandboxCommand() *cobra.Command {
	var f sandboxFlags
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve a simulated RingCentral: Engage Digital and the platform",
		Long: `Serves a simulated Engage Digital account (contents, identities, replies, handover,
webhooks) and, beside it, a simulated RingCentral platform (OAuth, Social and
Advanced Messaging, text messages, message sync, subscriptions). Both behave as
the APIs are documented, traps and limits included. The state is in memory and
gone when it ends. It opens nothing real; its credentials are public.

Under /sandbox/ it is told what to do, without a token:
  POST /sandbox/contents            a customer writes ("webhook": false = only polling finds it)
  POST /sandbox/contents/ID         edit a content
  POST /sandbox/threads/ID/close    replies to it are refused from now on
  POST /sandbox/faults              spoil calls: status, statuses, delay, hang, reset, quirk
  GET  /sandbox/quirks              deviations from the documentation: clamped pages, refused orders, odd envelopes …
  POST /sandbox/delivery            how webhooks go astray, and which fields they lack
  GET  /sandbox/calls               what was called
  GET  /sandbox/contents            everything it holds
  POST /sandbox/platform/messages   a text message comes in, or "direction": "Outbound"
  POST /sandbox/platform/contents   a customer writes, on Social Messaging
  POST /sandbox/platform/sync-tokens/expire
  GET  /sandbox/platform            authentications, limits kept and broken, notifications
  DELETE /sandbox                   start over`,
		Example: `  ringbridge sandbox --addr :8090 --webhook-url http://127.0.0.1:8080/webhooks/engage --webhook-secret s
  ENGAGE_BASE_URL=http://127.0.0.1:8090/1.0 ENGAGE_ACCESS_TOKEN=` + sandbox.DefaultToken + ` ENGAGE_WEBHOOK_SECRET=s ringbridge run
  curl -d '{"body":"Where is my order?","author":"Ann"}' localhost:8090/sandbox/contents
  curl -d '{"route":"POST /1.0/contents","statuses":[503,429]}' localhost:8090/sandbox/faults`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.runSandbox(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8090", "address to listen on")
	flags.StringVar(&f.token, "token", sandbox.DefaultToken, "the access token it wants")
	flags.StringVar(&f.webhook.URL, "webhook-url", "", "where webhooks go, such as http://127.0.0.1:8080/webhooks/engage")
	flags.StringVar(&f.webhook.Secret, "webhook-secret", "", "sent as X-Dimelo-Secret")
	flags.StringVar(&f.webhook.VerifyToken, "webhook-verify-token", "", "makes the handshake first; without it the webhook is taken as registered")
	flags.Float64Var(&f.delivery.LossRate, "webhook-loss", 0, "share of webhooks never sent, 0 to 1")
	flags.Float64Var(&f.delivery.DuplicateRate, "webhook-duplicates", 0, "share of webhooks sent twice, 0 to 1")
	flags.Float64Var(&f.retryScale, "webhook-retry-scale", 1, "factor on the documented waits before a webhook is sent again (32 s to 2 h)")
	flags.DurationVar(&f.config.IndexLag, "index-lag", 0, "how long a new content stays invisible to lists")
	flags.DurationVar(&f.exportDelay, "export-delay", time.Second, "from a reply to its export; below 0 never")
	flags.IntVar(&f.config.RatePerMinute, "rate", 0, "calls a minute before 429; 0 = no limit, 500 is the documented one")
	flags.StringVar(&f.retryAfter, "retry-after", "", "header of those 429s: seconds, date, or none, as documented")
	flags.DurationVar(&f.platform.TokenLife, "token-life", time.Hour, "life of the platform's access tokens")
	flags.IntVar(&f.platformCap, "platform-rate", 0, "calls a minute of the platform's groups Light, Medium and Heavy; 0 = as documented (50, 40, 10), below 0 none")
	flags.DurationVar(&f.platform.SentAfter, "sms-sent-after", time.Second, "from a text message to its status Sent; below 0 never")
	flags.DurationVar(&f.platform.DeliveredAfter, "sms-delivered-after", 2*time.Second, "from there to Delivered; below 0 never")
	flags.Float64Var(&f.platform.Notifications.HintLossRate, "hint-loss", 0, "share of the message store's notifications never sent, 0 to 1")
	flags.Uint64Var(&f.config.Seed, "seed", 0, "makes random faults repeatable; 0 = different each time")
	return c
}

func (p *program) runSandbox(ctx context.Context, f sandboxFlags) error {
	var log logConfig
	if err := load(ctx, &log, p.env); err != nil {
		return err
	}
	logger := newLogger(p.err, log)
	server, err := newSandbox(f, logger)
	if err != nil {
		return err
	}
	defer server.Close()
	listener, err := listen(ctx, "sandbox", f.addr, server.Handler(), logger)
	if err != nil {
		return err
	}
	defer listener.stop(ctx) //nolint:errcheck // the end
	p.printf("ENGAGE_BASE_URL=http://%s/1.0\nENGAGE_ACCESS_TOKEN=%s\n", dialable(listener.addr), f.token)
	p.printf("RINGCENTRAL_SERVER_URL=http://%s\nRINGCENTRAL_CLIENT_ID=%s\nRINGCENTRAL_CLIENT_SECRET=%s\nRINGCENTRAL_JWT=%s\n",
		dialable(listener.addr), sandbox.DefaultClientID, sandbox.DefaultClientSecret, sandbox.DefaultJWT)
	p.printf("control surface: http://%s/sandbox/contents (see `ringbridge sandbox --help`)\n", dialable(listener.addr))
	if f.webhook.VerifyToken != "" && f.webhook.URL != "" {
		if err := shakeHands(ctx, server, f.webhook); err != nil {
			return err
		}
		p.printf("webhook registered: %s\n", f.webhook.URL)
	}
	<-ctx.Done()
	return nil
}

func newSandbox(f sandboxFlags, logger *slog.Logger) (*sandbox.Server, error) {
	switch sandbox.RetryAfter(f.retryAfter) {
	case sandbox.RetryAfterNone, sandbox.RetryAfterSeconds, sandbox.RetryAfterDate:
	default:
		return nil, usageError("--retry-after: want seconds or date")
	}
	cfg := f.config
	cfg.Token = f.token
	cfg.ExportDelay = f.exportDelay
	cfg.RetryAfter = sandbox.RetryAfter(f.retryAfter)
	cfg.Delivery = f.delivery
	cfg.Delivery.RetryScale = f.retryScale
	cfg.Platform = f.platform
	cfg.Platform.IndexLag, cfg.Platform.ExportDelay = f.config.IndexLag, f.exportDelay
	if f.platformCap != 0 {
		cfg.Platform.Limits = map[sandbox.RateGroup]int{
			sandbox.GroupLight: f.platformCap, sandbox.GroupMedium: f.platformCap, sandbox.GroupHeavy: f.platformCap,
		}
	}
	if f.webhook.VerifyToken == "" {
		cfg.Webhook = f.webhook
	}
	return sandbox.New(cfg, sandbox.Deps{Logger: logger.With("component", "sandbox")}), nil
}

// shakeHands registers the webhook. The receiver may start a moment later than
// the sandbox, so it is tried again for a while.
func shakeHands(ctx context.Context, server *sandbox.Server, webhook sandbox.Webhook) error {
	bounded, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	for {
		err := server.Register(bounded, webhook)
		if err == nil {
			return nil
		}
		if sleep.For(bounded, time.Second) != nil {
			return fmt.Errorf("sandbox: handshake with the webhook's receiver: %w", err)
		}
	}
}
