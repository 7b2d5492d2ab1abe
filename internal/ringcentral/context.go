package ringcentral

import (
	"context"
	"time"
)

// Priority orders the calls that wait for budget: the lower one goes first, equal ones in the order they came.
type Priority int

// The priorities, most urgent first. A customer waits for a reply; nobody waits for a backfill.
const (
	Reply    Priority = iota // create content, handover, text messages
	Lookup                   // was it created? A reply waits behind this
	Poll                     // rounds and sweeps; the default of every call that reads
	Enrich                   // the author of a content
	Complete                 // a content of which a webhook left fields out
	Backfill                 // history
)

// priorities lists them all, for metrics.
func priorities() []Priority { return []Priority{Reply, Lookup, Poll, Enrich, Complete, Backfill} }

// String returns the priority as a label.
func (p Priority) String() string {
	switch p {
	case Reply:
		return "reply"
	case Lookup:
		return "lookup"
	case Poll:
		return "poll"
	case Enrich:
		return "enrich"
	case Complete:
		return "complete"
	default:
		return "backfill"
	}
}

// defaultCallTimeout ends the exchange of a caller that set no bound. Reading a page of 150 contents takes seconds; what
// takes longer than this has been forgotten by the other side.
const defaultCallTimeout = 2 * time.Minute

type (
	priorityKey      struct{}
	noWaitKey        struct{}
	callTimeoutKey   struct{}
	startDeadlineKey struct{}
)

// WithPriority sets the priority of the calls made with the context. Without it, calls that read are Poll (subscriptions:
// Lookup, as notifications hang on them) and calls that write are Reply.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

// WithoutWaiting makes calls with the context fail with ErrNoBudget where the budget has no turn for
// them now: they wait neither for the rate nor for the end of a penalty window. They wait, as all
// calls do, for the answer of the call before, which takes less than the interval of the rate, and
// for a token that is being renewed.
func WithoutWaiting(ctx context.Context) context.Context {
	return context.WithValue(ctx, noWaitKey{}, true)
}

// WithCallTimeout bounds the exchange itself, from the moment the budget lets the call through: unlike the context's own
// deadline it isn't spent by waiting for budget. Both hold where both are set. Without it the bound is two minutes.
func WithCallTimeout(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, callTimeoutKey{}, d)
}

// WithStartDeadline forbids calls made with the context to begin after t: one whose first byte is not written by then
// fails with ErrTooLate and was not sent. A process that was frozen for minutes and wakes up between two lines of this
// package would otherwise carry out a command that others have given up or taken over.
//
// Both clocks count: a call is late when the wall clock says so, or the monotonic one where t has such a reading, as a
// wall clock may be set back and a monotonic one stands still while the machine sleeps. Of two deadlines the earlier holds.
// A call that has begun is not cut short by it.
func WithStartDeadline(ctx context.Context, t time.Time) context.Context {
	if earlier, ok := startDeadline(ctx); ok && earlier.Before(t) {
		return ctx
	}
	return context.WithValue(ctx, startDeadlineKey{}, t)
}

func priorityOf(ctx context.Context, otherwise Priority) Priority {
	if p, ok := ctx.Value(priorityKey{}).(Priority); ok {
		return p
	}
	return otherwise
}

func withoutWaiting(ctx context.Context) bool { return ctx.Value(noWaitKey{}) != nil }

func callTimeout(ctx context.Context) time.Duration {
	if d, ok := ctx.Value(callTimeoutKey{}).(time.Duration); ok {
		return d
	}
	return defaultCallTimeout
}

func startDeadline(ctx context.Context) (time.Time, bool) {
	t, ok := ctx.Value(startDeadlineKey{}).(time.Time)
	return t, ok
}

// tooLate returns ErrTooLate when the context's start deadline has passed at now, by either clock.
func tooLate(ctx context.Context, now time.Time) error {
	t, ok := startDeadline(ctx)
	// Round(0) strips the monotonic reading, which After prefers where both times have one.
	if ok && (now.After(t) || now.Round(0).After(t.Round(0))) {
		return ErrTooLate
	}
	return nil
}

// lastStart returns the latest moment at which a call with this context may still begin, if there is one.
func lastStart(ctx context.Context) (time.Time, bool) {
	deadline, hasDeadline := ctx.Deadline()
	start, hasStart := startDeadline(ctx)
	if !hasDeadline || hasStart && start.Before(deadline) {
		return start, hasStart
	}
	return deadline, hasDeadline
}
