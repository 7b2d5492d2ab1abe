package consume

import (
	"context"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/internal/sleep"
)

// haltProbe is how often a halted direction tries again: often enough that a
// mended credential works within a minute, seldom enough to lock no account.
const haltProbe = time.Minute

// A gate stands before every call. It is
//
//	closed   calls pass
//	open     an outage: calls wait, one probe at a time passes, nothing counts
//	halted   our credential was refused: as open, with a probe a minute
//
//	closed ──failures in a row, over two conversations──▶ open
//	closed, open ──401──▶ halted
//	open, halted ──a probe is answered──▶ closed
//
// An outage is not a letter: while it lasts, commands are kept. The gate is safe
// for concurrent use.
type gate struct {
	limit  int // failures in a row that are an outage
	pace   backoff
	random func() float64
	tell   func(state gateState, why string) // called under the lock at each change

	mu       sync.Mutex
	state    gateState
	failures int             // in a row, with no answer between
	hit      map[string]bool // the conversations they were in
	probes   int             // probes that failed since it opened
	probing  bool            // a probe is out
	next     time.Time       // when the next probe may go
	changed  chan struct{}   // closed at each change of state, probing or next
}

type gateState int

const (
	gateClosed gateState = iota
	gateOpen
	gateHalted
)

func (s gateState) String() string {
	return [...]string{"closed", "open", "halted"}[s]
}

func newGate(limit int, pace backoff, random func() float64, tell func(gateState, string)) *gate {
	return &gate{limit: limit, pace: pace, random: random, tell: tell, hit: map[string]bool{}, changed: make(chan struct{})}
}

// A pass is the right to make one call. It must be given back with report.
type pass struct {
	g     *gate
	probe bool // made while the gate was not closed: nothing counts
}

// enter waits until a call may go out, or returns the cause of ctx's end.
func (g *gate) enter(ctx context.Context) (*pass, error) {
	for {
		g.mu.Lock()
		now := time.Now()
		switch {
		case g.state == gateClosed:
			g.mu.Unlock()
			return &pass{g: g}, nil
		case !g.probing && !now.Before(g.next):
			g.probing = true
			g.mu.Unlock()
			return &pass{g: g, probe: true}, nil
		}
		changed, wait := g.changed, g.next.Sub(now)
		if g.probing {
			wait = haltProbe // until changed tells
		}
		g.mu.Unlock()
		if err := sleep.Unless(ctx, wait, changed); err != nil {
			return nil, err
		}
	}
}

// standing returns the gate's state, and when the next probe may go.
func (g *gate) standing() (gateState, time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state, g.next
}

// A report says what the API did with a call.
type report int

const (
	answered     report = iota // it answered, with a yes or a definite no
	failed                     // a 5xx, a time-out or no connection
	unauthorized               // 401
	nothing                    // the call says nothing about the API: a 429, or it did not start
)

// report gives the pass back and tells whether a failure counts as an attempt:
// it does unless there is an outage.
func (p *pass) report(r report, conversation, why string) (counts bool) {
	g := p.g
	g.mu.Lock()
	defer g.mu.Unlock()
	counts = !p.probe && g.state == gateClosed
	if p.probe {
		g.probing = false
	}
	switch r {
	case answered:
		g.failures, g.probes = 0, 0
		clear(g.hit)
		if g.state != gateClosed {
			g.set(gateClosed, "")
		}
	case failed:
		counts = g.fail(p, conversation, why) && counts
	case unauthorized:
		g.next = time.Now().Add(haltProbe)
		g.set(gateHalted, why)
	case nothing:
		if p.probe {
			g.again()
		}
	}
	return counts
}

// fail counts a failure and opens the gate at the limit. It returns whether the
// gate is still closed.
func (g *gate) fail(p *pass, conversation, why string) bool {
	g.failures++
	g.hit[conversation] = true
	switch {
	case p.probe && g.state == gateOpen:
		g.again()
	case p.probe: // halted, and the API is down as well
		g.next = time.Now().Add(haltProbe)
		g.wake()
	case g.state == gateClosed && g.failures >= g.limit && len(g.hit) >= 2:
		g.again()
		g.set(gateOpen, why)
	}
	return g.state == gateClosed
}

// again sets the time of the next probe, by the pace of the backoff.
func (g *gate) again() {
	g.probes++
	d := g.pace.bound(g.probes)
	g.next = time.Now().Add(d/2 + time.Duration(g.random()*float64(d/2)))
	g.wake()
}

func (g *gate) set(state gateState, why string) {
	if g.state != state {
		g.state = state
		g.tell(state, why)
	}
	g.wake()
}

func (g *gate) wake() {
	close(g.changed)
	g.changed = make(chan struct{})
}
