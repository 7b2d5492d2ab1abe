package ringcentral

import (
	"errors"
	"sync"
)

var (
	// errHeld stops a call at the gate because a penalty window began after it had left the budget. It goes back and waits.
	errHeld = errors.New("held by a penalty window")
	// errBarred stops a write of a call that has already been reported as not sent.
	errBarred = errors.New("call is over")
	// errRepeat stops net/http from sending a call a second time by itself.
	errRepeat = errors.New("call was already begun on another connection")
)

// gate stands before the first byte of one call and remembers on which side of it the call is.
//
//	waiting ──pass──▶ begun ──wrote──▶ begun for good ──answered──▶ (its connection may end in peace)
//	   │  ▲             │
//	   │  └──unwritten──┘   the socket took nothing
//	   └──finish──▶ barred  reported as not sent: pass refuses from now on
//
// Safe for concurrent use: the transport writes in another goroutine than the caller's.
type gate struct {
	check func() error // says why a call may not begin now; nil = it may
	once  bool         // the call may begin on one connection only

	mu                             sync.Mutex
	begun, wrote, answered, barred bool
	refusal                        error // why the last pass was refused
}

// pass lets the first byte of the call onto a connection, or says why not.
func (g *gate) pass() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.barred:
		return errBarred
	case g.once && g.wrote:
		return errRepeat
	}
	if g.refusal = g.check(); g.refusal != nil {
		return g.refusal
	}
	g.begun = true
	return nil
}

// written records the result of the first write after pass: only bytes that the socket took can have an effect.
func (g *gate) written(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wrote = g.wrote || n > 0
	g.begun = g.wrote
}

// force counts the call as begun, whatever the check says: where it can't be stopped, it must not be called unsent.
func (g *gate) force() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begun, g.wrote = true, true
}

// answer records that the API has begun to answer.
func (g *gate) answer() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answered = true
}

// inDoubt reports whether the call has begun and is not answered.
func (g *gate) inDoubt() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.begun && !g.answered
}

// finish bars the gate and returns whether the call has begun; if not, also why it was refused last.
func (g *gate) finish() (begun bool, refusal error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.barred = true
	return g.begun, g.refusal
}
