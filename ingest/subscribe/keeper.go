package subscribe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	// mostUnchecked is the longest time from check to check: how long a dead subscription
	// goes unnoticed, as nothing tells of it. A check is one of fifty calls a minute.
	mostUnchecked = time.Minute
	// afterFailure is how long the API is left alone at least when a check failed.
	afterFailure = time.Minute / failpoint.Haste
	// callTimeout bounds one call. A creation takes as long as our own answer to the
	// platform's challenge.
	callTimeout = 30 * time.Second

	// Calls that change something, in any hour, those that fail included. An API that
	// never shows what was asked for would otherwise be asked at every check.
	changesPerHour   = 6 * failpoint.Haste // creations and updates
	renewalsPerHour  = 30
	deletionsPerHour = 60
	// deletionsPerCheck bounds how long a check takes.
	deletionsPerCheck = 10
)

// Platform is the API. Its errors are *ringcentral.Error, which wrap a
// *ringcentral.FilterError where other event filters may be taken.
type Platform interface {
	Subscriptions(ctx context.Context) ([]ringcentral.Subscription, error)
	Subscription(ctx context.Context, id string) (ringcentral.Subscription, error)
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

// A Keeper keeps the subscription of an address. What it remembers it keeps from Run to
// Run, and loses with the process.
type Keeper struct {
	deps    Deps
	url     string
	every   time.Duration // from check to check
	metrics *metrics
	kick    chan struct{}

	known    string // id of the subscription; empty = none was found or made yet
	filters  selection
	asked    asked
	term     term
	disabled string // signature of the disabled filters that were reported
	failure  error  // of the last change

	changes, renewals, deletions allowance
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
		metrics: newMetrics(deps.Registerer), kick: make(chan struct{}, 1),
		filters: selection{groups: filterGroups(deps.ContentsPath)},
		changes: allowance{most: changesPerHour}, renewals: allowance{most: renewalsPerHour}, deletions: allowance{most: deletionsPerHour},
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
	defer k.metrics.refused.Set(0)
	for failures := 0; ctx.Err() == nil; {
		s, err := k.check(ringcentral.WithCallTimeout(ctx, callTimeout))
		if ctx.Err() != nil {
			return
		}
		k.metrics.show(s, k.term, len(k.filters.refused), err)
		pause := k.every
		if err != nil {
			failures++
			pause = wait(err)
			k.metrics.failed.Inc()
			k.deps.Logger.LogAttrs(ctx, level(failures), "subscription not kept: what it misses is found by polling",
				slog.Any("error", err), slog.Duration("again_in", pause))
		} else {
			failures = 0
		}
		if sleep.Unless(ctx, pause, k.kick) != nil {
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

// errHeld says that a change has to wait, as there were too many before it.
var errHeld = fmt.Errorf("subscribe: %d changes within an hour: the next one waits", changesPerHour)

// check brings the subscription into order and returns it, as far as it is there.
func (k *Keeper) check(ctx context.Context) (ringcentral.Subscription, error) {
	ours, err := k.find(ctx)
	if err != nil {
		return ringcentral.Subscription{}, err
	}
	moved := k.known != "" && (ours == nil || ours.ID != k.known)
	if moved && ours == nil {
		k.changed(changeGone, k.known)
	}
	k.filters.refresh(time.Now())
	switch {
	case ours == nil:
		k.known = ""
		return k.create(ctx)
	case blacklisted(*ours):
		k.known = ours.ID
		return k.replace(ctx, *ours)
	}
	if moved {
		k.deps.Healed()
	}
	k.known = ours.ID
	k.look(*ours)
	if k.outdated(*ours) {
		return k.update(ctx, *ours)
	}
	if !time.Now().Before(k.term.due()) {
		return k.renew(ctx, *ours)
	}
	return *ours, nil
}

// look takes in what the list shows of our subscription.
func (k *Keeper) look(s ringcentral.Subscription) {
	if k.term.id != s.ID {
		k.term = find(s, time.Now())
	}
	k.term.look(s, time.Now())
	if k.asked.id == s.ID && k.asked.shown == "" {
		k.asked.shown = signature(s.EventFilters)
	}
	k.reportDisabled(s)
}

// replace makes a subscription that the platform has given up. It goes only when
// another one may be made: the platform may take it up again.
func (k *Keeper) replace(ctx context.Context, s ringcentral.Subscription) (ringcentral.Subscription, error) {
	if !k.changes.ready(time.Now()) {
		return s, cmp.Or(k.failure, errHeld)
	}
	reason := ""
	if s.BlacklistedData != nil {
		reason = s.BlacklistedData.Reason
	}
	k.metrics.changes.WithLabelValues(string(changeBlacklisted)).Inc()
	k.deps.Logger.Error("subscription blacklisted: another one is made", "id", s.ID, "reason", reason)
	if err := k.remove(ctx, s.ID); err != nil {
		k.changes.failed(time.Now(), wait(err))
		return s, err
	}
	return k.create(ctx)
}

func (k *Keeper) create(ctx context.Context) (ringcentral.Subscription, error) {
	return k.change(ctx, changeCreated, ringcentral.Subscription{}, func(filters []string) (ringcentral.Subscription, error) {
		s, err := k.deps.Platform.Subscribe(ctx, ringcentral.NewSubscription{
			EventFilters: filters, Address: k.url, VerificationToken: k.deps.Token, ExpiresIn: life,
		})
		failpoint.Hit("subscribe/created")
		return s, err
	})
}

func (k *Keeper) update(ctx context.Context, s ringcentral.Subscription) (ringcentral.Subscription, error) {
	return k.change(ctx, changeUpdated, s, func(filters []string) (ringcentral.Subscription, error) {
		made, err := k.deps.Platform.UpdateSubscription(ctx, s.ID, filters)
		return answered(s, made, err)
	})
}

// answered returns what a change has made of a subscription. A success whose answer can't
// be read is one: what it has brought about the list shows.
func answered(before, made ringcentral.Subscription, err error) (ringcentral.Subscription, error) {
	if api, ok := errors.AsType[*ringcentral.Error](err); ok && api.Status/100 == 2 {
		made, err = before, nil
		made.ExpirationTime.Time, made.ExpiresIn = time.Time{}, 0
	}
	made.ID = before.ID
	return made, err
}

// change creates or updates the subscription with the filters that are wanted. As long as
// the platform refuses them, it tries others, within the allowance; when the search for
// the one that is refused begins with a creation, the next step updates what was made.
func (k *Keeper) change(
	ctx context.Context, what change, s ringcentral.Subscription, do func(filters []string) (ringcentral.Subscription, error),
) (ringcentral.Subscription, error) {
	before := len(k.filters.refused)
	for ctx.Err() == nil {
		if !k.changes.take(time.Now()) {
			k.metrics.held.Inc()
			return s, cmp.Or(k.failure, errHeld)
		}
		filters, now := k.filters.wanted(), time.Now()
		made, err := do(filters)
		if refusal, ok := errors.AsType[*ringcentral.FilterError](err); ok && k.filters.rejected(refusal, time.Now()) {
			if what == changeUpdated && !k.outdated(s) {
				break
			}
			continue
		}
		if err != nil {
			k.changes.failed(time.Now(), wait(err))
			k.failure = fmt.Errorf("subscribe: not %s: %w", what, err)
			return s, k.failure
		}
		k.changes.succeeded()
		k.failure = nil
		k.filters.took(now)
		k.known, k.term = made.ID, grant(made, now)
		k.asked = asked{id: made.ID, filters: signature(filters), at: now}
		k.changed(what, made.ID)
		k.reportDisabled(made)
		k.deps.Healed()
		s = made
		if !k.filters.searching {
			break
		}
		what, do = changeUpdated, func(filters []string) (ringcentral.Subscription, error) {
			updated, err := k.deps.Platform.UpdateSubscription(ctx, made.ID, filters)
			return answered(made, updated, err)
		}
	}
	if len(k.filters.refused) > before {
		k.deps.Logger.Warn("the platform refuses event filters: the subscription goes on without them",
			"filters", k.filters.refused, "again_in", retryRefused)
	}
	return s, context.Cause(ctx)
}

// renew begins another term.
func (k *Keeper) renew(ctx context.Context, s ringcentral.Subscription) (ringcentral.Subscription, error) {
	now := time.Now()
	if !k.renewals.take(now) {
		return s, k.failure
	}
	renewed, err := k.deps.Platform.RenewSubscription(ctx, s.ID)
	if renewed, err = answered(s, renewed, err); err != nil {
		k.renewals.failed(time.Now(), wait(err))
		k.failure = fmt.Errorf("subscribe: not %s: %w", changeRenewed, err)
		return s, k.failure
	}
	k.renewals.succeeded()
	k.failure = nil
	k.term = grant(renewed, now)
	k.changed(changeRenewed, s.ID)
	return renewed, nil
}

// asked is what the platform was last asked for with success. It may show that in a way
// of its own.
type asked struct {
	id      string
	filters string // signature
	shown   string // signature of what it first made of it; empty = not seen yet
	at      time.Time
}

// outdated reports whether the filters of our subscription are to be replaced. What the
// platform has made of the very same ones within a day is left as it is.
func (k *Keeper) outdated(s ringcentral.Subscription) bool {
	wanted := k.filters.wanted()
	if k.filters.hopeless || !k.filters.searching && sameFilters(wanted, s) {
		return false
	}
	if k.asked.id != s.ID || k.asked.filters != signature(wanted) || time.Since(k.asked.at) >= retryRefused {
		return true
	}
	return signature(s.EventFilters) != k.asked.shown
}

// reportDisabled logs filters that the platform does not serve, each set of them once.
func (k *Keeper) reportDisabled(s ringcentral.Subscription) {
	var texts []string
	for _, f := range s.DisabledFilters {
		texts = append(texts, f.Filter)
	}
	k.metrics.disabled.Set(float64(len(texts)))
	now := signature(texts)
	if now == k.disabled {
		return
	}
	k.disabled = now
	for _, f := range s.DisabledFilters {
		k.deps.Logger.Warn("the platform does not serve a filter", "filter", f.Filter, "reason", f.Reason, "message", f.Message)
	}
}

func (k *Keeper) changed(what change, id string) {
	k.metrics.changes.WithLabelValues(string(what)).Inc()
	k.deps.Logger.Info("subscription changed", "how", string(what), "id", id)
}
