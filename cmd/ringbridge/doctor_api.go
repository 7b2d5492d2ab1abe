package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/ingest/subscribe"
	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/secret"
)

// eventImported is the type of event that a webhook is there for above all.
const eventImported = "content.imported"

// openEngage returns a client that takes down dates, or why there is none.
func (d *doctor) openEngage(ctx context.Context) (*ringcentral.Engage, finding, bool) {
	cfg, skip, usable := part[ringcentral.EngageConfig](ctx, d)
	switch {
	case !usable:
		return nil, skip, false
	case !cfg.Enabled():
		return nil, skipped("ENGAGE_BASE_URL is empty: Engage Digital is off"), false
	}
	return ringcentral.NewEngage(cfg, ringcentral.Deps{HTTP: d.remote}), finding{}, true
}

func (d *doctor) engage(ctx context.Context) finding {
	engage, skip, usable := d.openEngage(ctx)
	if !usable {
		return skip
	}
	defer engage.Close()
	if _, err := engage.Contents(ctx, ringcentral.ContentsQuery{Limit: 1}); err != nil {
		return apiFault(err, "ENGAGE_BASE_URL", "renew ENGAGE_ACCESS_TOKEN, in Engage Digital under API access tokens", "let the token's user read contents")
	}
	if _, err := engage.Identities(ctx, ringcentral.IdentitiesQuery{Limit: 1}); err != nil {
		return apiFault(err, "ENGAGE_BASE_URL", "renew ENGAGE_ACCESS_TOKEN", "let the token's user read identities")
	}
	return ok("the token is accepted, and may read contents and identities")
}

// apiFault says what an operator can do about a call that failed.
func apiFault(err error, address, credential, permission string) finding {
	status := 0
	if failure, ok := errors.AsType[*ringcentral.Error](err); ok {
		status = failure.Status
	}
	switch {
	case status == http.StatusUnauthorized:
		return failed(err.Error(), credential)
	case status == http.StatusForbidden:
		return failed(err.Error(), permission)
	case status == http.StatusNotFound:
		return failed(err.Error(), "check "+address+": there is no such API")
	case status == http.StatusTooManyRequests:
		return failed(err.Error(), "wait, and look who else calls the API with this credential")
	case status >= 500:
		return failed(err.Error(), "wait: the API has a fault of its own")
	}
	return failed(err.Error(), "check "+address+", and whether it can be reached from here")
}

// webhook reads the registration back. What tells ours is the path it leads to.
func (d *doctor) webhook(ctx context.Context) finding {
	cfg, skip, usable := part[webhook.Config](ctx, d)
	switch {
	case !usable:
		return skip
	case !cfg.Enabled():
		return skipped("ENGAGE_WEBHOOK_SECRET is empty: webhooks are off")
	}
	engage, skip, usable := d.openEngage(ctx)
	if !usable {
		return skip
	}
	defer engage.Close()
	hooks, err := engage.Webhooks(ctx)
	var failure *ringcentral.Error
	if errors.As(err, &failure) && (failure.Status == http.StatusForbidden || failure.Status == http.StatusNotFound) {
		return skipped("the token's user may not read the webhooks (status %d); look in Engage Digital's settings", failure.Status)
	}
	if err != nil {
		return apiFault(err, "ENGAGE_BASE_URL", "renew ENGAGE_ACCESS_TOKEN", "")
	}
	ours := slices.DeleteFunc(slices.Clone(hooks), func(h ringcentral.Webhook) bool {
		u, err := url.Parse(h.URL)
		return err != nil || !strings.HasSuffix(u.Path, webhook.Path)
	})
	if len(ours) == 0 {
		return failed(fmt.Sprintf("none of the token's %d webhooks leads to an address that ends in %s", len(hooks), webhook.Path),
			"register https://your.host"+webhook.Path+" in Engage Digital, with the secret and the verify token of this configuration")
	}
	return judgeWebhooks(cfg, ours)
}

// judgeWebhooks finds the first fault, or the best of the registrations.
func judgeWebhooks(cfg webhook.Config, ours []ringcentral.Webhook) finding {
	var about []string
	var fault finding
	healthy := false
	for _, hook := range ours {
		found := judgeWebhook(cfg, hook)
		if found.Status == checkOK {
			healthy = true
			about = append(about, found.About)
		} else if fault.Status == "" {
			fault = found
		}
	}
	if !healthy {
		return fault
	}
	return ok("%s", strings.Join(about, "; "))
}

func judgeWebhook(cfg webhook.Config, hook ringcentral.Webhook) finding {
	address := bareAddress(hook.URL)
	token, tokenFits := memberOf(cfg.VerifyToken, hook.VerifyToken.Reveal(), "ENGAGE_WEBHOOK_VERIFY_TOKEN")
	given, secretFits := memberOf(cfg.Secret, hook.Secret.Reveal(), "ENGAGE_WEBHOOK_SECRET")
	switch {
	case !hook.Active:
		status := ""
		if hook.Status != "" {
			status = " (" + hook.Status + ")"
		}
		return failed("the webhook to "+address+" is disabled"+status,
			"check that the address answers from the internet, and enable it in Engage Digital, which validates it first")
	case !tokenFits:
		return failed("the webhook to "+address+" has a verify token that is none of ENGAGE_WEBHOOK_VERIFY_TOKEN",
			"add it there, or change the webhook's: its next validation would fail and disable it")
	case !secretFits:
		return failed("the webhook to "+address+" has a secret that is none of ENGAGE_WEBHOOK_SECRET",
			"add it there, or change the webhook's: its requests are answered 401")
	case len(hook.RegisteredEvents) > 0 && !slices.Contains(hook.RegisteredEvents, eventImported):
		return failed("the webhook to "+address+" is not registered for "+eventImported, "register it for all content events: until then only polling finds them")
	}
	return ok("%s is active; verify token: %s; secret: %s", address, token, given)
}

// memberOf says which member of a comma list a credential is, so that one can tell
// how far a rotation has got. One that is not told fits.
func memberOf(list secret.String, given, name string) (about string, fits bool) {
	if given == "" {
		return "not told", true
	}
	n, members := 0, strings.Split(list.Reveal(), ",")
	for i, member := range members {
		if subtle.ConstantTimeCompare([]byte(strings.TrimSpace(member)), []byte(given)) == 1 {
			n = i + 1
		}
	}
	if n == 0 {
		return "", false
	}
	return fmt.Sprintf("no. %d of %d in %s", n, len(members), name), true
}

// bareAddress returns an address without what may be secret in it.
func bareAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// openPlatform is openEngage for the platform. There is one client for all checks, as
// authentications are few; doctor closes it.
func (d *doctor) openPlatform(ctx context.Context) (*ringcentral.Platform, platformConfig, finding, bool) {
	cfg, skip, usable := part[platformConfig](ctx, d)
	switch {
	case !usable:
		return nil, cfg, skip, false
	case !cfg.Client.Enabled():
		return nil, cfg, skipped("RINGCENTRAL_CLIENT_ID is empty: the platform is off"), false
	case d.client == nil:
		d.client = ringcentral.NewPlatform(cfg.Client, ringcentral.Deps{HTTP: d.remote})
	}
	return d.client, cfg, finding{}, true
}

func (d *doctor) platform(ctx context.Context) finding {
	platform, _, skip, usable := d.openPlatform(ctx)
	if !usable {
		return skip
	}
	if err := platform.Authenticate(ctx); err != nil {
		const credential = "renew RINGCENTRAL_JWT, or check RINGCENTRAL_CLIENT_ID and RINGCENTRAL_CLIENT_SECRET: the three must be of one application"
		if failure, is := errors.AsType[*ringcentral.Error](err); is && failure.Status == http.StatusBadRequest {
			return failed(err.Error(), credential)
		}
		return apiFault(err, "RINGCENTRAL_SERVER_URL", credential, credential)
	}
	return ok("the credentials are accepted")
}

func (d *doctor) subscriptions(ctx context.Context) finding {
	platform, cfg, skip, usable := d.openPlatform(ctx)
	if !usable {
		return skip
	}
	if cfg.WebhookURL == "" {
		return skipped("RINGCENTRAL_WEBHOOK_URL is empty: no subscription is managed, polling finds everything")
	}
	all, err := platform.Subscriptions(ctx)
	if err != nil {
		return apiFault(err, "RINGCENTRAL_SERVER_URL", "see platform", "give the application the permission Webhook Subscriptions")
	}
	ours := slices.DeleteFunc(slices.Clone(all), func(s ringcentral.Subscription) bool {
		return !subscribe.SameAddress(s.DeliveryMode.Address, cfg.WebhookURL)
	})
	return judgeSubscriptions(ours, len(all), time.Now())
}

func judgeSubscriptions(ours []ringcentral.Subscription, all int, now time.Time) finding {
	if len(ours) == 0 {
		if all >= ringcentral.MaxSubscriptions {
			return failed(fmt.Sprintf("none leads to RINGCENTRAL_WEBHOOK_URL, and the user has %d of other addresses: as many as may be", all), "delete one that is not needed")
		}
		return failed(fmt.Sprintf("none of the user's %d leads to RINGCENTRAL_WEBHOOK_URL", all), "start the bridge, which makes it; if it runs, its log says why it could not")
	}
	var active []ringcentral.Subscription
	for _, s := range ours {
		if s.Status == ringcentral.SubscriptionActive && (s.ExpirationTime.IsZero() || s.ExpirationTime.After(now)) {
			active = append(active, s)
		}
	}
	if len(active) == 0 {
		return failed("ours is not active: "+inactive(ours[0], now), "check that RINGCENTRAL_WEBHOOK_URL answers 200 from the internet within 3 s; the bridge makes a new one")
	}
	for _, s := range active {
		if len(s.DisabledFilters) > 0 {
			f := s.DisabledFilters[0]
			return failed(fmt.Sprintf("%d of its filters are not served, such as %s: %s %s", len(s.DisabledFilters), f.Filter, f.Reason, f.Message), "give the application the permissions that it lacks")
		}
	}
	about := fmt.Sprintf("%s is active with %d filters", active[0].ID, len(active[0].EventFilters))
	if !active[0].ExpirationTime.IsZero() {
		about += fmt.Sprintf(", until %s (%s)", active[0].ExpirationTime.UTC().Format(time.RFC3339), active[0].ExpirationTime.Sub(now).Round(time.Minute))
	}
	if len(active) > 1 {
		about += fmt.Sprintf("; and %d more lead to the same address", len(active)-1)
	}
	return ok("%s", about)
}

func inactive(s ringcentral.Subscription, now time.Time) string {
	switch {
	case s.BlacklistedData != nil:
		return fmt.Sprintf("%s since %s, %s", s.Status, s.BlacklistedData.BlacklistedAt.UTC().Format(time.RFC3339), s.BlacklistedData.Reason)
	case !s.ExpirationTime.IsZero() && !s.ExpirationTime.After(now):
		return "it expired at " + s.ExpirationTime.UTC().Format(time.RFC3339)
	}
	return s.Status
}
