package ringcentral

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	// connectTimeout bounds each of TCP and TLS: a host that doesn't answer in ten seconds is down.
	connectTimeout = 10 * time.Second
	// idleConns is how many connections are kept for the next call. net/http keeps 2, which makes every reply of a busy bridge shake
	// hands anew.
	idleConns = 64
	// idleTimeout is shorter than the 60 s after which common load balancers close: a connection that they close just as a call is
	// written leaves that call in doubt.
	idleTimeout = 30 * time.Second
)

// defaultTransport is used when none is injected. It knows no proxy: those come from the environment, which only cmd reads.
func defaultTransport() *http.Transport {
	return &http.Transport{
		TLSHandshakeTimeout: connectTimeout,
		MaxIdleConnsPerHost: idleConns,
		IdleConnTimeout:     idleTimeout,
	}
}

// guarded returns a client that makes calls through gates, and whether these stand at its connections. The client given is not
// changed: its transport is copied, its redirects and cookies are left behind.
func guarded(given *http.Client) (*http.Client, bool) {
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var transport *http.Transport
	if given != nil {
		client.Timeout = given.Timeout
		switch t := given.Transport.(type) {
		case nil:
		case *http.Transport:
			transport = t.Clone()
		default:
			client.Transport = t
			return client, false
		}
	}
	if transport == nil {
		transport = defaultTransport()
	}
	client.Transport = guard(transport)
	return client, true
}

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// guard makes every connection of t a guardConn, and keeps t at HTTP/1.
func guard(t *http.Transport) *http.Transport {
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	// A copied transport may have been prepared for HTTP/2 already; offered in TLS, it would be taken.
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	dial := dialFunc(t.DialContext)
	if dial == nil {
		dial = (&net.Dialer{Timeout: connectTimeout, KeepAlive: idleTimeout}).DialContext
	}
	t.DialContext = guardDial(dial)
	if t.DialTLSContext != nil {
		t.DialTLSContext = guardDial(t.DialTLSContext)
	}
	return t
}

func guardDial(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &guardConn{Conn: conn}, nil
	}
}

// guardConn asks the gate of the call it carries before that call's first byte. TLS writes through it, so what it sees of a call is
// its first record; what it sees before any call is the handshake, which passes.
type guardConn struct {
	net.Conn

	gate  atomic.Pointer[gate]
	begun atomic.Bool // the gate was passed on this connection
}

// carry gives the connection to the next call. The transport calls it, by the trace, before it writes.
func (c *guardConn) carry(g *gate) {
	c.begun.Store(false)
	c.gate.Store(g)
}

// Write implements net.Conn.
func (c *guardConn) Write(p []byte) (int, error) {
	g := c.gate.Load()
	if g == nil || c.begun.Load() {
		return c.Conn.Write(p)
	}
	if err := g.pass(); err != nil {
		return 0, err
	}
	c.begun.Store(true)
	n, err := c.Conn.Write(p)
	g.written(n)
	return n, err
}

// Close implements net.Conn. While a call is unanswered it resets the connection, so that the kernel drops what the other side has
// not received instead of delivering it later.
func (c *guardConn) Close() error {
	if g := c.gate.Load(); g != nil && g.inDoubt() {
		if tcp, ok := c.Conn.(interface{ SetLinger(seconds int) error }); ok {
			_ = tcp.SetLinger(0) // at worst the kernel goes on as usual
		}
	}
	return c.Conn.Close()
}

// withGate makes the calls of a guarded transport pass g.
func withGate(ctx context.Context, g *gate) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if c := guardOf(info.Conn); c != nil {
				c.carry(g)
				return
			}
			g.force() // a deprecated DialTLS made it: nobody can look into it
		},
		GotFirstResponseByte: g.answer,
	})
}

// guardOf finds the guarded connection under TLS, or nil.
func guardOf(conn net.Conn) *guardConn {
	for {
		switch c := conn.(type) {
		case *guardConn:
			return c
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}

// neverConnected reports whether err says that no connection came to be. It judges calls of transports that can't be guarded.
func neverConnected(err error) bool {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}
