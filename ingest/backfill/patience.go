package backfill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

// callTimeout bounds one page.
const callTimeout = 30 * time.Second

// try does something until it works, fails for good, or fails too often. Waiting for
// budget is no failure: a backfill has all the time in the world.
func (r *run) try(ctx context.Context, do func() error) error {
	return r.tryUnless(ctx, do, func(error) bool { return false })
}

const (
	// pageTries is how often a page is asked for before another one shows whether the API works
	// otherwise.
	pageTries = 6
	// pageTriesLater is how often where that was so before.
	pageTriesLater = 2
)

// tryPage does it for a page. If the API gives another one, waiting for this one does not help: the
// error is poll.ErrPageAlone then, beside the cause. That is found out after so many tries.
func (r *run) tryPage(ctx context.Context, tries int, page, other func() error) error {
	if r.alone {
		tries = min(tries, pageTriesLater)
	}
	failures, alone := 0, false
	err := r.tryUnless(ctx, page, func(err error) bool {
		failures++
		alone = failures >= tries && poll.IsPageFault(err, false) && other() == nil
		return alone || errors.Is(err, ringcentral.ErrSamePage) || errors.Is(err, ringcentral.ErrFilterIgnored) && failures >= tries
	})
	if alone && err != nil {
		r.alone = true
		return fmt.Errorf("%w: %w", poll.ErrPageAlone, err)
	}
	return err
}

func (r *run) tryUnless(ctx context.Context, do func() error, hopeless func(error) bool) error {
	for failures := 0; ; {
		err := do()
		if err == nil || ctx.Err() != nil {
			return err
		}
		pause, again, counts := poll.Pause(err, failures+1, r.deps.Jitter())
		if counts {
			failures++
		}
		if !again || failures > maxFailures || counts && hopeless(err) {
			return err
		}
		r.deps.Logger.Warn("backfill waits", "stream", r.stream, "error", err, "pause", pause)
		r.progress.Waiting = reasonOf(err)
		r.deps.Report(r.progress)
		r.progress.Waiting = ""
		if err := sleep.For(ctx, pause); err != nil {
			return err
		}
	}
}

// reasonOf says what is waited for.
func reasonOf(err error) string {
	if failure, ok := errors.AsType[*ringcentral.Error](err); ok {
		if _, _, counts := poll.Pause(failure, 1, 0); !counts {
			return "waits for the API's rate limit"
		}
		return "waits for the API"
	}
	return "waits for Kafka"
}

// call marks the calls of a backfill.
func call(ctx context.Context) context.Context {
	return ringcentral.WithCallTimeout(ringcentral.WithPriority(ctx, ringcentral.Backfill), callTimeout)
}

// patientEngage is a source that tries again.
type patientEngage struct {
	run    *run
	source poll.Source
}

// elsewhere asks for the first row of a list, and for the one behind a page, until one is given.
func elsewhere(offset, limit int, ask func(offset int) error) func() error {
	return func() error {
		if offset > 0 && ask(0) == nil {
			return nil
		}
		return ask(offset + limit)
	}
}

// Contents implements poll.Source.
func (p patientEngage) Contents(ctx context.Context, q ringcentral.ContentsQuery) (page ringcentral.Page, err error) {
	err = p.run.tryPage(ctx, pageTries, func() error {
		page, err = p.source.Contents(call(ctx), q)
		return err
	}, elsewhere(q.Offset, q.Limit, func(offset int) error {
		_, err := p.source.Contents(call(ctx), ringcentral.ContentsQuery{Offset: offset, Limit: 1})
		return err
	}))
	return page, err
}

// Identities implements poll.Source.
func (p patientEngage) Identities(ctx context.Context, q ringcentral.IdentitiesQuery) (page ringcentral.Page, err error) {
	err = p.run.tryPage(ctx, pageTries, func() error {
		page, err = p.source.Identities(call(ctx), q)
		return err
	}, elsewhere(q.Offset, q.Limit, func(offset int) error {
		_, err := p.source.Identities(call(ctx), ringcentral.IdentitiesQuery{Sort: q.Sort, Offset: offset, Limit: 1})
		return err
	}))
	return page, err
}
