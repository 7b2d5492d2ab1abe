package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const (
	// healBound is how long a subscription may be broken: a check's interval (15 s, hastened) and the failures of what heals it, and
	// the death of who does.
	healBound = 90 * time.Second
	// backfillBound is how long a backfill may take, the broker's absence included.
	backfillBound = 90 * time.Second
	// backfillInHoles is how long one goes on whose rows the API does not all give.
	backfillInHoles = 5 * time.Second
	// backfillSince is what is read of the past: all of a short run, and the better part of a long one.
	backfillSince = time.Hour
)

// A side goes on beside a round's traffic and its disturbance: what the platform has besides calls that make something, and
// history that is read again. do has a random source of its own.
type side struct {
	name string
	do   func(*round, context.Context, *rand.Rand) error
}

// sides are used up in a random order, one a round.
func sides() []side {
	return []side{
		{"sync tokens lost", (*round).loseSyncTokens},
		{"access tokens spent", (*round).spendTokens},
		{"no access tokens", (*round).withholdTokens},
		{"platform's lists fail", (*round).failLists},
		{"subscription blacklisted", (*round).blacklist},
		{"subscription removed", (*round).unsubscribe},
		{"backfill", (*round).backfill},
	}
}

// beside waits for a random moment of the traffic.
func beside(ctx context.Context, random *rand.Rand) error {
	return wait(ctx, time.Duration(random.Int64N(int64(2*time.Second))))
}

func (r *round) loseSyncTokens(ctx context.Context, random *rand.Rand) error {
	err := beside(ctx, random)
	r.box.Platform().ExpireSyncTokens()
	return err
}

func (r *round) spendTokens(ctx context.Context, random *rand.Rand) error {
	err := beside(ctx, random)
	r.box.Platform().ExpireTokens()
	return err
}

// withholdTokens has the token endpoint fail when new tokens are needed. After a grant that was lost the old token works no
// more.
func (r *round) withholdTokens(ctx context.Context, random *rand.Rand) error {
	err := beside(ctx, random)
	fault := sandbox.Fault{Route: "POST /restapi/oauth/token", Times: 2, Status: 500}
	if random.IntN(2) == 0 {
		fault.Status, fault.Reset = 0, "after"
	}
	_, faultErr := r.box.AddFault(fault)
	r.box.Platform().ExpireTokens()
	return errors.Join(err, faultErr)
}

// failLists spoils what polls and look-ups read.
func (r *round) failLists(_ context.Context, random *rand.Rand) error {
	fault := sandbox.Fault{Rate: 0.3, Status: 500}
	if random.IntN(2) == 0 {
		fault.Status, fault.Reset = 0, "before"
	}
	for _, route := range []string{
		"GET /restapi/v1.0/account/{account}/extension/{extension}/message-sync", "GET /restapi/v1.0/account/{account}/extension/{extension}/message-store",
		"GET /restapi/v1.0/account/{account}/extension/{extension}/message-store/{id}", "GET /cx/social-messaging/v1/contents",
	} {
		fault.Route = route
		if _, err := r.box.AddFault(fault); err != nil {
			return fmt.Errorf("crash: %w", err)
		}
	}
	return nil
}

func (r *round) blacklist(ctx context.Context, random *rand.Rand) error {
	return r.breakSubscription(ctx, random, func(id string) error { return r.box.Platform().BlacklistSubscription(id, "crash") })
}

func (r *round) unsubscribe(ctx context.Context, random *rand.Rand) error {
	return r.breakSubscription(ctx, random, r.box.Platform().RemoveSubscription)
}

// breakSubscription breaks what is subscribed to. It must be whole from the last time. Its heir's creation may have an
// unknown outcome.
func (r *round) breakSubscription(ctx context.Context, random *rand.Rand, by func(id string) error) error {
	if err := r.heals(ctx); err != nil {
		return err
	}
	if err := beside(ctx, random); err != nil {
		return err
	}
	if random.IntN(2) == 0 {
		if _, err := r.box.AddFault(sandbox.Fault{Route: "POST /restapi/v1.0/subscription", Times: 1, Reset: "after"}); err != nil {
			return fmt.Errorf("crash: %w", err)
		}
	}
	return r.breakEach(by)
}

func (b *bed) breakEach(by func(id string) error) error {
	for _, s := range b.box.Platform().Subscriptions() {
		if err := by(s.ID); err != nil && !errors.Is(err, sandbox.ErrNotFound) { // it is being healed
			return fmt.Errorf("crash: %w", err)
		}
	}
	return nil
}

// heals waits until there is one subscription, and it works. That there is none within healBound is no error of the
// harness: it is counted.
func (b *bed) heals(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, healBound)
	defer cancel()
	err := until(bounded, "one subscription", func() bool {
		all := b.box.Platform().Subscriptions()
		return len(all) == 1 && all[0].Status == sandbox.SubscriptionActive
	})
	if err != nil && ctx.Err() == nil {
		b.unhealed.Add(1)
		return nil
	}
	return err
}

// backfill reads history again, is killed between two steps, and goes on from there.
func (r *round) backfill(ctx context.Context, random *rand.Rand) error {
	since := time.Now().Add(-backfillSince).UTC().Format(time.RFC3339)
	points := backfillPoints()
	spec := fmt.Sprintf("%s:%d:kill", points[random.IntN(len(points))], 1+random.IntN(4))
	_ = r.runBackfill(ctx, spec, "--since", since, "--restart") // killed, as a rule
	if r.book.Hollow() {                                        // it is right not to end well
		short, cancel := context.WithTimeout(ctx, backfillInHoles)
		defer cancel()
		_ = r.runBackfill(short, "", "--since", since)
		return ctx.Err()
	}
	bounded, cancel := context.WithTimeout(ctx, backfillBound)
	defer cancel()
	var err error
	return errors.Join(until(bounded, "a backfill does not end", func() bool {
		err = r.runBackfill(bounded, "", "--since", since)
		return err == nil
	}), err)
}

func (b *bed) runBackfill(ctx context.Context, spec string, args ...string) error {
	log, err := os.OpenFile(filepath.Join(b.cfg.Dir, "backfill.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("crash: backfill: %w", err)
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, b.cfg.Binary, append([]string{"backfill"}, args...)...)
	cmd.Env = append(b.environ(), "RINGBRIDGE_FAILPOINT="+spec, "RINGBRIDGE_FAILPOINT_LOG="+b.backfillLog())
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("crash: backfill: %w", err)
	}
	return nil
}

// backfillLog has the failpoints that backfills passed.
func (b *bed) backfillLog() string { return filepath.Join(b.cfg.Dir, "backfill.points") }
