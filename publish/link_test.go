package publish_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A link is a network that can be cut: what is connected breaks, and new
// connections wait until it is mended.
type link struct {
	dial  dialFunc
	mu    sync.Mutex
	down  chan struct{} // nil = up; closed when mended
	conns []*linkConn
}

type linkConn struct {
	net.Conn
	deaf atomic.Bool
}

func (c *linkConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.deaf.Load() {
		c.Close()
		return 0, errors.New("cut")
	}
	return n, err
}

func (l *link) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	down := l.down
	l.mu.Unlock()
	if down != nil {
		select {
		case <-down:
		case <-time.After(10 * time.Second): // as the client's own dialer
			return nil, errors.New("dial: timed out")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	conn, err := l.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	wrapped := &linkConn{Conn: conn}
	l.conns = append(l.conns, wrapped)
	return wrapped, nil
}

// deafen lets what is on its way to the broker arrive, and no answer.
func (l *link) deafen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.deaf.Store(true)
	}
	l.conns = nil
}

func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = make(chan struct{})
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.down)
	l.down = nil
}

// A board is where the stage says that it is unwell.
type board struct {
	mu      sync.Mutex
	reasons map[string]string
	said    int
}

func (h *board) Set(component, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reasons == nil {
		h.reasons = map[string]string{}
	}
	h.reasons[component] = reason
	h.said++
}

func (h *board) Clear(component string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.reasons, component)
}

func (h *board) get(component string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reasons[component]
}
