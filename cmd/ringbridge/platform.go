package main

import (
	"context"
	"errors"

	"github.com/ringbridge/ringbridge/consume"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// platformConfig is about the RingCentral platform: how it is called, and what
// it sends to us.
type platformConfig struct {
	Client     ringcentral.PlatformConfig
	WebhookURL string `env:"RINGCENTRAL_WEBHOOK_URL"`
}

// Validate returns the faults of what the client does not know, and of an address
// that holds credentials even where the platform is off.
func (c platformConfig) Validate() error {
	faults := []error{addressFault("RINGCENTRAL_WEBHOOK_URL", c.WebhookURL, "use RINGCENTRAL_WEBHOOK_TOKEN")}
	if !c.Client.Enabled() {
		faults = append(faults, addressFault("RINGCENTRAL_SERVER_URL", c.Client.ServerURL, "use RINGCENTRAL_CLIENT_ID, RINGCENTRAL_CLIENT_SECRET and RINGCENTRAL_JWT"))
	}
	return errors.Join(faults...)
}

// openPlatform returns the client of the platform that all stages share, as the
// platform counts sessions and calls for an account; nil where it is off.
func (b *bridge) openPlatform() *ringcentral.Platform {
	if !b.cfg.Platform.Client.Enabled() {
		b.logger.Info("the RingCentral platform is off: no text messages, no Social Messaging; set RINGCENTRAL_CLIENT_ID")
		return nil
	}
	platform := ringcentral.NewPlatform(b.cfg.Platform.Client, ringcentral.Deps{
		Logger: b.logger.With("component", "platform"), Registerer: b.metrics, Penalized: b.news.window,
	})
	b.news.add(platform)
	b.undo.add("platform client", func(context.Context) error { platform.Close(); return nil })
	return platform
}

// replyAPIs sets what commands are carried out with; what is off stays nil.
func (b *bridge) replyAPIs(deps *consume.Deps, engage *ringcentral.Engage) {
	if engage != nil {
		deps.Engage = engage
	}
	if b.platform == nil {
		return
	}
	deps.Messages = b.platform
	if b.cfg.Platform.Client.Contents() {
		deps.Social = b.platform
	}
}
