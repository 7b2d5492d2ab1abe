package ringcentral

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// limiter is the budget of one rate group. Calls wait in it by priority, then in the order they came; a penalty window
// holds all of them. It never lets through more than the rate in any window of its plan: the burst is taken out of the rate.
//
// It keeps one number, the time at which the budget will be full again (full): each call moves it on by one interval, and a
// call may go while it is not more than tolerance ahead of now. Safe for concurrent use; it runs no goroutine.
type limiter struct {
	label string // of metrics

	mu        sync.Mutex
	plan      plan
	share     float64       // our part of the rate, 0 to 1
	interval  time.Duration // between two calls at the steady rate; 0 = no limit of our own
	tolerance time.Duration // the burst, as time
	full      time.Time
	hold      time.Time // nobody goes before this
	supply    supply    // what the API says is left
	out       int       // calls that went and are not over
	went      time.Time // when the last one went
	queue     waitQueue
	arrivals  uint64 // numbers the waiters, for the order among equals
	timer     *time.Timer
}

// newLimiter returns a budget that holds one call: a burst at each start would let a process that is started again and again
// spend more than the minute allows.
func newLimiter(label string, p plan) *limiter {
	l := &limiter{label: label, plan: p, share: 1}
	l.pace()
	l.full = time.Now().Add(l.tolerance)
	return l
}

// wait returns when the call may go; it must be released when it is over. Otherwise it says why not: the context's cause, or ErrNoBudget when the call's turn
// comes after its deadline, or later than now where it must not wait, at once if that is known at once, with the time until that turn (0 if unknown).
func (l *limiter) wait(ctx context.Context, p Priority) (time.Duration, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	deadline, _ := lastStart(ctx)
	w := &waiter{priority: p, deadline: deadline, noWait: withoutWaiting(ctx), done: make(chan error, 1)}

	l.mu.Lock()
	now := time.Now()
	turn, ok := l.turn(now, p, l.queue.before(p))
	if w.expiresBefore(turn, ok) || w.noWait && (!ok || turn.After(now)) {
		l.mu.Unlock()
		if !ok {
			return 0, ErrNoBudget
		}
		return turn.Sub(now), ErrNoBudget
	}
	l.arrivals++
	w.arrival = l.arrivals
	l.queue.add(w)
	l.admit(now)
	l.mu.Unlock()

	select {
	case err := <-w.done:
		return max(time.Until(l.holdUntil()), 0), err
	case <-ctx.Done():
		l.leave(w)
		if ctx.Err() == context.DeadlineExceeded {
			return 0, fmt.Errorf("%w: %w", ErrNoBudget, context.Cause(ctx))
		}
		return 0, context.Cause(ctx)
	}
}

// leave takes a waiter out. If its turn came at the same moment, that turn is lost: rare, and on the safe side of the limit.
func (l *limiter) leave(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.queued() {
		l.queue.remove(w)
	} else if err := <-w.done; err == nil {
		l.out--
	}
	l.admit(time.Now())
}

// release takes note that a call which was let go is over.
func (l *limiter) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out--
	l.admit(time.Now())
}

// turn returns when a call of priority p goes that has ahead others before it, if none comes after and all are answered at once; false
// while our share is nothing.
func (l *limiter) turn(now time.Time, p Priority, ahead int) (time.Time, bool) {
	base := later(later(now, l.hold), l.supply.dryUntil(p))
	if l.interval == 0 {
		return base, true
	}
	if l.interval == never {
		return time.Time{}, false
	}
	full := l.full
	if ahead > 0 {
		full = later(full, base).Add(time.Duration(ahead) * l.interval)
	}
	return later(base, full.Add(-l.room(p))), true
}

// admit lets go whoever may go now and sets the alarm for the next. The caller holds mu.
func (l *limiter) admit(now time.Time) {
	for l.queue.Len() > 0 {
		turn, ok := l.turn(now, l.queue.first().priority, 0)
		if (!ok || turn.After(now)) && l.dismiss((*waiter).mustGoNow) {
			continue
		}
		if !ok {
			break
		}
		if l.out > 0 {
			turn = later(turn, l.went.Add(l.patience()))
		}
		if turn.After(now) {
			l.alarm(turn.Sub(now))
			return
		}
		l.full = later(l.full, now).Add(l.interval)
		l.out, l.went = l.out+1, now
		l.queue.next().done <- nil
	}
	if l.timer != nil {
		l.timer.Stop()
	}
}

func (l *limiter) alarm(d time.Duration) {
	if l.timer != nil {
		l.timer.Reset(d)
		return
	}
	l.timer = time.AfterFunc(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.admit(time.Now())
	})
}

// penalize lets nobody through before until. It never shortens a window. Waiters whose deadline lies inside it leave at once
// with ErrNoBudget; when it ends, the budget holds one call, not a burst, and what the API said was left before has no meaning any more.
func (l *limiter) penalize(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.supply.until(later(until, l.hold))
	if !until.After(l.hold) {
		return
	}
	l.hold = until
	l.full = later(l.full, until.Add(l.tolerance))
	l.dismiss(func(w *waiter) bool { return w.expiresBefore(until, true) })
	l.admit(time.Now())
}

// dismiss sends away the waiters to which a condition applies, and reports whether there were any.
// The caller holds mu.
func (l *limiter) dismiss(condition func(*waiter) bool) bool {
	var gone []*waiter
	for _, w := range l.queue {
		if condition(w) {
			gone = append(gone, w)
		}
	}
	for _, w := range gone {
		l.queue.remove(w)
		w.done <- ErrNoBudget
	}
	return len(gone) > 0
}

// holdUntil returns the end of the last penalty window, past or not; zero if there was none.
func (l *limiter) holdUntil() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hold
}

// held reports whether a penalty window is open.
func (l *limiter) held() bool { return time.Now().Before(l.holdUntil()) }

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
