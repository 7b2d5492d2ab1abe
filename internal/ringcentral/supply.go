package ringcentral

import "time"

// supply is what the API says is left of a group in its window. It counts what others spend of it too: the process before this one,
// other replicas, other programs of the same application.
type supply struct {
	known     bool
	remaining int
	windowEnd time.Time // when the window that the API counts in is over at the latest
	// nobody, and nobody without urgency, goes before these.
	empty, scarce time.Time
}

// scarcePart is the last part of a group, one in so many, that is kept for replies and look-ups.
const scarcePart = 10

// observe takes note of remaining calls of limit in a window. That they have become more says that a new window began since the last answer.
func (s *supply) observe(now time.Time, remaining, limit int, window time.Duration) {
	if !s.known || remaining > s.remaining || !now.Before(s.windowEnd) {
		s.windowEnd = now.Add(window)
	}
	s.known, s.remaining = true, remaining
	s.empty, s.scarce = time.Time{}, time.Time{}
	if remaining == 0 {
		s.empty = s.windowEnd
	}
	if remaining <= limit/scarcePart {
		s.scarce = s.windowEnd
	}
}

// until takes note that calls may go again at t, as the answer says that refused one: its headers say that nothing remains, and the window
// that they count in may end later.
func (s *supply) until(t time.Time) {
	s.empty, s.scarce = earlier(s.empty, t), earlier(s.scarce, t)
}

// dryUntil returns when calls of priority p may go at the earliest.
func (s *supply) dryUntil(p Priority) time.Time {
	if p <= Lookup {
		return s.empty
	}
	return later(s.empty, s.scarce)
}

// supplied adapts the budget of a group to what an answer tells: the limit and its window, and how many calls remain, -1 where it does not
// tell. A budget that is new begins with what remains.
func (l *limiter) supplied(limit int, window time.Duration, remaining int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	fresh := !l.supply.known
	if l.plan.rate != limit || l.plan.window != window {
		l.plan.rate, l.plan.window = limit, window
		l.pace()
		fresh = true
	}
	if remaining >= 0 {
		l.supply.observe(now, remaining, limit, window)
	} else {
		remaining = 1
	}
	if fresh && l.interval > 0 && l.interval != never {
		spent := int(l.tolerance/l.interval) + 1 - remaining
		l.full = later(now, l.hold).Add(time.Duration(max(spent, 0)) * l.interval)
	}
	l.admit(now)
}

// closed reports whether nobody may go now: a penalty window is open, or the API has nothing left.
func (l *limiter) closed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(later(l.hold, l.supply.empty))
}
