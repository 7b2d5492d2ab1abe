package subscribe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

// Name is the name of the duty: it decides which replica keeps the subscription.
const Name = "platform/subscription"

const (
	// life is what is asked for: a bridge that was taken down for good leaves nothing
	// behind after a week. It is the platform's default, too.
	life = 7 * 24 * time.Hour
	// renewBelow is when it is renewed: half a week is left to mend what hinders it.
	renewBelow = life / 2
	// mostUnchecked is the longest time from check to check: how long a dead subscription
	// goes unnoticed, as nothing tells of it. A check is one of fifty calls a minute.
	mostUnchecked = time.Minute
	// afterFailure is how long the API is left alone at least when a check failed.
	afterFailure = time.Minute / failpoint.Haste
	// callTimeout bounds one call. A creation takes as long as our own answer to the
	// platform's challenge.
	callTimeout = 30 * time.Second
)

// Platform is the API. Its errors are *ringcentral.Error.
type Platform interface {
	Subscriptions(ctx context.Context) ([]ringcentral.Subscription, error)
	Subscribe(ctx context.Context, s ringcentral.NewSubscription) (ringcentral.Subscription, error)
	UpdateSubscription(ctx context.Context, id string, eventFilters []string) (ringcentral.Subscription, error)
	RenewSubscription(ctx context.Context, id string) (ringcentral.Subscription, error)
	DeleteSubscription(ctx context.Context, id string) error
}

// Deps are what a Keeper uses of its surroundings.
type Deps struct {
	Platform     Platform
	Token        ringcentral.Secret    // comes back with each notification
	ContentsPath string                // base path of the contents API; empty = off
	Healed       func()                // notifications may have been missed; nil = nobody listens
	Logger       *slog.Logger          // nil = silence
	Registerer   prometheus.Registerer // nil = unregistered
}

// A Keeper keeps the subscription of an address.
type Keeper struct {
	deps    Deps
	url     string
	every   time.Duration // from check to check
	filters []string
	metrics *metrics
	kick    chan struct{}
}

// New returns a Keeper for cfg, which must be valid and enabled.
func New(deps Deps, cfg Config) *Keeper {
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Healed == nil {
		deps.Healed = func() {}
	}
	return &Keeper{
		deps: deps, url: cfg.URL, every: min(cmp.Or(cfg.Interval, mostUnchecked), mostUnchecked),
		filters: filters(deps.ContentsPath), metrics: newMetrics(deps.Registerer), kick: make(chan struct{}, 1),
	}
}

// Check makes a running Keeper look at once. It does not block and is safe for
// concurrent use.
func (k *Keeper) Check() {
	select {
	case k.kick <- struct{}{}:
	default:
	}
}

// Run keeps the subscription until ctx ends, and leaves it as it is: the platform
// goes on sending to the other replicas. One Run at a time may be made, of all
// processes together.
func (k *Keeper) Run(ctx context.Context) {
	defer k.metrics.up.Set(0)
	defer k.metrics.expiry.Set(0)
	defer k.metrics.failing.Set(0)
	known, failures := "", 0
	for ctx.Err() == nil {
		s, err := k.check(ctx, known)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			failures++
			k.metrics.failed.Inc()
			k.metrics.failing.Set(1)
			k.metrics.up.Set(0)
			k.deps.Logger.LogAttrs(ctx, level(failures), "subscription not kept: what it misses is found by polling",
				slog.Any("error", err), slog.Duration("again_in", wait(err)))
			if sleep.Unless(ctx, wait(err), k.kick) != nil {
				return
			}
			continue
		}
		known, failures = s.ID, 0
		k.metrics.failing.Set(0)
		k.metrics.up.Set(1)
		k.metrics.expiry.Set(float64(s.ExpirationTime.Unix()))
		if sleep.Unless(ctx, k.every, k.kick) != nil {
			return
		}
	}
}

// level makes a lasting failure one line, not one a minute.
func level(failures int) slog.Level {
	if failures == 1 {
		return slog.LevelError
	}
	return slog.LevelDebug
}

// wait returns how long to leave the API alone after an error.
func wait(err error) time.Duration {
	if api, ok := errors.AsType[*ringcentral.Error](err); ok {
		return max(api.RetryAfter, afterFailure)
	}
	return afterFailure
}

// check brings the subscription into order and returns it. known is the id of the
// one there was; empty = not told yet.
func (k *Keeper) check(ctx context.Context, known string) (ringcentral.Subscription, error) {
	ctx = ringcentral.WithCallTimeout(ctx, callTimeout)
	ours, err := k.find(ctx)
	if err != nil {
		return ringcentral.Subscription{}, err
	}
	healed := known != "" && (ours == nil || ours.ID != known)
	if healed && ours == nil {
		k.changed(changeGone, known)
	}
	switch {
	case ours == nil:
		return k.create(ctx)
	case ours.Status == ringcentral.SubscriptionBlacklisted:
		reason := ""
		if ours.BlacklistedData != nil {
			reason = ours.BlacklistedData.Reason
		}
		k.metrics.changes.WithLabelValues(string(changeBlacklisted)).Inc()
		k.deps.Logger.Error("subscription blacklisted: it is made anew", "id", ours.ID, "reason", reason)
		if err := k.remove(ctx, ours.ID); err != nil {
			return *ours, err
		}
		return k.create(ctx)
	case !sameFilters(k.filters, ours.EventFilters):
		s, err := k.deps.Platform.UpdateSubscription(ctx, ours.ID, k.filters)
		return k.done(changeUpdated, s, err)
	case time.Until(ours.ExpirationTime.Time) < renewBelow:
		s, err := k.deps.Platform.RenewSubscription(ctx, ours.ID)
		return k.done(changeRenewed, s, err)
	}
	if healed {
		k.deps.Healed()
	}
	return *ours, nil
}

// find returns the subscription of our address, or nil. Of several, which a creation
// with an unknown outcome may leave, the best is kept.
func (k *Keeper) find(ctx context.Context) (*ringcentral.Subscription, error) {
	all, err := k.deps.Platform.Subscriptions(ctx)
	if err != nil {
		return nil, fmt.Errorf("subscribe: list: %w", err)
	}
	var best *ringcentral.Subscription
	for i := range all {
		s := &all[i]
		if s.DeliveryMode.Address != k.url {
			continue
		}
		if best == nil {
			best = s
			continue
		}
		if better(s, best) {
			best, s = s, best
		}
		if err := k.remove(ctx, s.ID); err != nil {
			return nil, err
		}
		k.changed(changeTwin, s.ID)
	}
	return best, nil
}

// better prefers what is active, then what lives longer.
func better(a, b *ringcentral.Subscription) bool {
	if dead := b.Status == ringcentral.SubscriptionBlacklisted; dead != (a.Status == ringcentral.SubscriptionBlacklisted) {
		return dead
	}
	return a.ExpirationTime.After(b.ExpirationTime.Time)
}

func (k *Keeper) create(ctx context.Context) (ringcentral.Subscription, error) {
	s, err := k.deps.Platform.Subscribe(ctx, ringcentral.NewSubscription{
		EventFilters: k.filters, Address: k.url, VerificationToken: k.deps.Token, ExpiresIn: life,
	})
	failpoint.Hit("subscribe/created")
	return k.done(changeCreated, s, err)
}

// done ends a change. All but a renewal leave a time without notifications behind.
func (k *Keeper) done(what change, s ringcentral.Subscription, err error) (ringcentral.Subscription, error) {
	if err != nil {
		return s, fmt.Errorf("subscribe: not %s: %w", what, err)
	}
	k.changed(what, s.ID)
	for _, f := range s.DisabledFilters {
		k.deps.Logger.Warn("the platform does not serve a filter", "filter", f.Filter, "reason", f.Reason, "message", f.Message)
	}
	if what != changeRenewed {
		k.deps.Healed()
	}
	return s, nil
}

// remove deletes a subscription; that it is gone already is as good.
func (k *Keeper) remove(ctx context.Context, id string) error {
	err := k.deps.Platform.DeleteSubscription(ctx, id)
	failpoint.Hit("subscribe/removed")
	var api *ringcentral.Error
	if err == nil || errors.As(err, &api) && api.Status == http.StatusNotFound {
		return nil
	}
	return fmt.Errorf("subscribe: delete: %w", err)
}

func (k *Keeper) changed(what change, id string) {
	k.metrics.changes.WithLabelValues(string(what)).Inc()
	k.deps.Logger.Info("subscription changed", "how", string(what), "id", id)
}
