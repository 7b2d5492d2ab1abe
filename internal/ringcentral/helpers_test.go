package ringcentral_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const token = "T0ken-that-nobody-may-see"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tripper is an API in a function: no connection, so virtual time passes freely.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answered returns what a handler answers.
func answered(h http.HandlerFunc, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h(w, r)
	return w.Result()
}

func content(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":"c1"}`) }

// engage returns a client of base with no limit of its own unless a rate is given.
func engage(t *testing.T, base string, deps ringcentral.Deps, rate ...int) *ringcentral.Engage {
	t.Helper()
	cfg := ringcentral.EngageConfig{BaseURL: base + "/1.0", AccessToken: token}
	if len(rate) > 0 {
		cfg.Rate = rate[0]
	}
	require.NoError(t, cfg.Validate())
	e := ringcentral.NewEngage(cfg, deps)
	t.Cleanup(e.Close)
	return e
}

// serve answers over the loopback interface.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// failure returns err as the *Error that every method promises.
func failure(t *testing.T, err error) *ringcentral.Error {
	t.Helper()
	require.Error(t, err)
	var e *ringcentral.Error
	require.ErrorAs(t, err, &e)
	return e
}

func reply() ringcentral.CreateContent {
	parent := "p1"
	return ringcentral.CreateContent{Body: "hello", InReplyToID: &parent}
}

// pipes is a network of net.Pipe connections, usable in a synctest bubble.
type pipes struct {
	accept chan net.Conn
	done   chan struct{}
	once   sync.Once
}

// virtual serves h over pipes and returns the transport to reach it. It all ends with the test.
func virtual(t *testing.T, h http.HandlerFunc) *http.Transport {
	t.Helper()
	p := &pipes{accept: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: h}
	served := make(chan error, 1)
	go func() { served <- server.Serve(p) }()
	t.Cleanup(func() {
		_ = server.Close()
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return &http.Transport{DialContext: p.dial}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.accept <- there:
		return here, nil
	case <-p.done:
		return nil, errors.New("closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// clock is a wall clock that a test moves.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}
