package console

import (
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// freeFailures may be typing errors; after them each one costs a wait that
	// doubles, up to slowest: a thousand guesses take most of a day.
	freeFailures = 5
	slowest      = time.Minute
	// maxThrottled bounds the memory. Whoever has so many addresses to guess from is
	// let go on; the token is long.
	maxThrottled = 10_000
)

// throttle slows down who guesses, by the address that it comes from. It is safe
// for concurrent use.
type throttle struct {
	mu    sync.Mutex
	tries map[string]tries
}

type tries struct {
	failures int
	until    time.Time // nothing is tried before
}

// wait returns for how long the request's sender has to wait before its next try.
func (t *throttle) wait(r *http.Request) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Until(t.tries[sender(r)].until)
}

// failed notes a wrong try.
func (t *throttle) failed(r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.tries) >= maxThrottled || t.tries == nil {
		t.tries = map[string]tries{}
	}
	now := t.tries[sender(r)]
	now.failures++
	if over := now.failures - freeFailures; over >= 0 {
		now.until = time.Now().Add(min(slowest, time.Second<<min(over, 10)))
	}
	t.tries[sender(r)] = now
}

// succeeded forgets the wrong tries.
func (t *throttle) succeeded(r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tries, sender(r))
}

// sender is the machine that the request came from.
func sender(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
