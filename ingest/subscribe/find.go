package subscribe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// find returns the subscription of our address, or nil. Of several, each of which sends
// every notification again, the best is kept.
func (k *Keeper) find(ctx context.Context) (*ringcentral.Subscription, error) {
	all, err := k.deps.Platform.Subscriptions(ctx)
	if err != nil {
		return nil, fmt.Errorf("subscribe: list: %w", err)
	}
	var ours []ringcentral.Subscription
	for _, s := range all {
		again := slices.ContainsFunc(ours, func(other ringcentral.Subscription) bool { return other.ID == s.ID })
		if !again && (s.ID == k.known || SameAddress(s.DeliveryMode.Address, k.url)) {
			ours = append(ours, s)
		}
	}
	if len(ours) == 0 {
		return k.findKnown(ctx)
	}
	slices.SortStableFunc(ours, k.better)
	k.removeTwins(ctx, ours[1:])
	return &ours[0], nil
}

// findKnown looks for the subscription by its id: a list that lacks it does not prove
// that it is gone, and another one beside it would send everything twice.
func (k *Keeper) findKnown(ctx context.Context) (*ringcentral.Subscription, error) {
	if k.known == "" {
		return nil, nil
	}
	s, err := k.deps.Platform.Subscription(ctx, k.known)
	api, ok := errors.AsType[*ringcentral.Error](err)
	switch {
	case err == nil:
		s.ID = k.known
		return &s, nil
	case ok && api.Outcome == ringcentral.Refused && api.Status != http.StatusUnauthorized && api.Status != http.StatusTooManyRequests:
		return nil, nil
	}
	return nil, fmt.Errorf("subscribe: get: %w", err)
}

func blacklisted(s ringcentral.Subscription) bool {
	return strings.EqualFold(s.Status, ringcentral.SubscriptionBlacklisted)
}

// better prefers what is active, then the one that was kept before, then what lives
// longer.
func (k *Keeper) better(a, b ringcentral.Subscription) int {
	rank := func(s ringcentral.Subscription) int {
		switch {
		case blacklisted(s):
			return 2
		case s.ID != k.known:
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), b.ExpirationTime.Compare(a.ExpirationTime.Time))
}

// removeTwins deletes the others of our address. One that cannot be deleted is tried
// again later, and is no reason not to keep ours.
func (k *Keeper) removeTwins(ctx context.Context, twins []ringcentral.Subscription) {
	for _, s := range twins[:min(len(twins), deletionsPerCheck)] {
		if !k.deletions.take(time.Now()) {
			return
		}
		if err := k.remove(ctx, s.ID); err != nil {
			k.deletions.failed(time.Now(), wait(err))
			k.deps.Logger.Warn("second subscription of our address not deleted: notifications come twice", "id", s.ID, "error", err)
			return
		}
		k.deletions.succeeded()
		k.changed(changeTwin, s.ID)
	}
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
