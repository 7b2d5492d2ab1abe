package ringcentral

import (
	"math"
	"time"
)

const (
	// minute is the window in which the APIs count, as far as they don't say otherwise.
	minute = time.Minute
	// burstPart is the part of a minute's calls, one in so many, that may be made at once after a pause. A larger burst serves
	// sudden replies sooner and lowers the steady rate, as both have to fit into one minute.
	burstPart = 20
)

// plan says how a budget is spent.
type plan struct {
	rate   int           // calls a window of all processes, 0 = no limit of our own
	window time.Duration // the API's
	burst  int           // the part of a window's calls, one in so many, that may be made at once
	// reserved keeps the burst for the urgent: a backfill goes on only when the budget is full, a completion when it is full to three
	// quarters, a poll when it is half full.
	reserved bool
	// patience is how long a call waits for the answer of the one before it, at most; 0 = not at all. An answer of 429 then stops what
	// would have followed at its heels into the penalty window.
	patience time.Duration
}

// room returns how far ahead of now the time of a full budget may be for a call of priority p to go.
func (l *limiter) room(p Priority) time.Duration {
	if !l.plan.reserved {
		return l.tolerance
	}
	switch p {
	case Reply:
		return l.tolerance
	case Lookup:
		return l.tolerance * 3 / 4
	case Poll, Enrich:
		return l.tolerance / 2
	case Complete:
		return l.tolerance / 4
	default:
		return 0
	}
}

// patience never takes from the rate: where calls may follow each other closer than that, it is shorter.
func (l *limiter) patience() time.Duration {
	if l.interval == 0 {
		return l.plan.patience
	}
	return min(l.plan.patience, l.interval)
}

// setPatience changes how long a call waits for the answer of the one before it.
func (l *limiter) setPatience(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plan.patience = d
	l.admit(time.Now())
}

// setShare makes fraction of the rate ours, for replicas that divide one account's limit; it returns the calls a window that are left, 0 when
// there is no limit of our own. At a fraction of 0 nobody goes, until it is raised. A share that changes gives no burst away.
func (l *limiter) setShare(fraction float64) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !(fraction > 0) { // also what is not a number
		fraction = 0
	}
	fraction = min(fraction, 1)
	if fraction != l.share {
		now, next := time.Now(), l.full.Add(-l.tolerance)
		l.share = fraction
		l.pace()
		if l.interval != never {
			next = earlier(later(next, now), now.Add(l.interval))
			l.full = later(next, l.hold).Add(l.tolerance)
		}
		l.admit(now)
	}
	return float64(l.plan.rate) * l.share
}

// never is the interval of a share of nothing.
const never = time.Duration(math.MaxInt64)

// pace works out interval and tolerance. A window sees at most burst-1 calls more than the steady rate gives, so these are taken
// from it. 500 a minute, one in 20 at once: a burst of 25, then one call every 126 ms. Of a share only whole calls count: three
// processes with 16.7 calls each would make 51 of 50.
func (l *limiter) pace() {
	budget := float64(l.plan.rate) * l.share
	if budget > 1 {
		budget = math.Floor(budget + 1e-9) // 0.29 × 100 is 28.999…
	}
	switch {
	case l.plan.rate == 0:
		l.interval, l.tolerance = 0, 0
	case budget == 0:
		l.interval, l.tolerance = never, 0
	default:
		spare := math.Max(math.Floor(budget/float64(l.plan.burst)), 1) - 1
		interval := math.Ceil(float64(l.plan.window) / (budget - spare))
		l.interval = time.Duration(math.Min(interval, float64(maxInterval)))
		l.tolerance = time.Duration(spare) * l.interval
	}
}

// maxInterval bounds the interval of the smallest shares, so that no product of it overflows and a share is never forgotten.
const maxInterval = time.Hour
