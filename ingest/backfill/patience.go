package backfill

import (
	"context"
	"errors"
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

// pageTries is how often a page is asked for before the first page shows whether the API works
// otherwise.
const pageTries = 6

// tryPage does it for a page behind the first: if the API gives the first, waiting for this one
// does not help.
func (r *run) tryPage(ctx context.Context, offset int, page, first func() error) error {
	if offset == 0 {
		return r.try(ctx, page)
	}
	failures := 0
	return r.tryUnless(ctx, page, func(err error) bool {
		failures++
		return failures >= pageTries && poll.IsPageFault(err, false) && first() == nil
	})
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

// Contents implements poll.Source.
func (p patientEngage) Contents(ctx context.Context, q ringcentral.ContentsQuery) (page ringcentral.Page, err error) {
	err = p.run.tryPage(ctx, q.Offset, func() error {
		page, err = p.source.Contents(call(ctx), q)
		return err
	}, func() error {
		_, err := p.source.Contents(call(ctx), ringcentral.ContentsQuery{Limit: 1})
		return err
	})
	return page, err
}

// Identities implements poll.Source.
func (p patientEngage) Identities(ctx context.Context, q ringcentral.IdentitiesQuery) (page ringcentral.Page, err error) {
	err = p.run.tryPage(ctx, q.Offset, func() error {
		page, err = p.source.Identities(call(ctx), q)
		return err
	}, func() error {
		_, err := p.source.Identities(call(ctx), ringcentral.IdentitiesQuery{Sort: q.Sort, Limit: 1})
		return err
	})
	return page, err
}
