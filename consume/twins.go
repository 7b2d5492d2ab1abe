package consume

import (
	"context"
	"sync"
)

// twins lets one of several commands at work whose effects could be taken for
// each other: otherwise a look-up for one could find the effect of another that
// does not know its own yet. It is safe for concurrent use.
type twins struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when it is let go
}

func newTwins() *twins { return &twins{held: map[string]chan struct{}{}} }

// hold waits for its turn, or returns the cause of ctx's end. Nothing is held
// for an empty key.
func (t *twins) hold(ctx context.Context, key string) (letGo func(), err error) {
	if key == "" {
		return func() {}, nil
	}
	for {
		t.mu.Lock()
		other, taken := t.held[key]
		if !taken {
			mine := make(chan struct{})
			t.held[key] = mine
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.held, key)
				t.mu.Unlock()
				close(mine)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// claims remembers which contents are the effect of which command of this
// process, so that two commands with equal text never share one. It is safe for
// concurrent use.
type claims struct {
	mu    sync.Mutex
	owner map[idHash]idHash // content → command
}

func newClaims() *claims { return &claims{owner: map[idHash]idHash{}} }

// take claims a content for a command; false when another has it.
func (c *claims) take(resource, commandID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	content, command := hashID(resource), hashID(commandID)
	owner, taken := c.owner[content]
	if taken && owner != command {
		return false
	}
	c.owner[content] = command
	return true
}
