package publish

import (
	"context"
	"sync"
	"time"
)

// wakePoll is how long the loop polls after it was woken: records that are there
// come along, and it does not wait for more.
const wakePoll = time.Millisecond

// A waker ends the loop's wait for records when there is something else to do.
// The zero value is ready. Safe for concurrent use.
type waker struct {
	mu   sync.Mutex
	rung bool               // since the last wait began
	end  context.CancelFunc // of the wait under way; nil = there is none
}

// wake ends the wait under way, or else the next one.
func (w *waker) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rung = true
	if w.end != nil {
		w.end()
	}
}

// wait returns a context for one wait, which ends when wake is called and at due
// if that is not zero. The caller cancels it when the wait is over.
func (w *waker) wait(ctx context.Context, due time.Time) (context.Context, context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	soonest := time.Now().Add(wakePoll)
	if w.rung || !due.IsZero() && due.Before(soonest) {
		due = soonest
	}
	var cancel context.CancelFunc
	if due.IsZero() {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		ctx, cancel = context.WithDeadline(ctx, due)
	}
	w.rung, w.end = false, cancel
	return ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.end = nil
		cancel()
	}
}
