package crash

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
)

// A proxy stands before the registry, which keeps its schemas in memory and so cannot itself go down and come back.
type proxy struct {
	server *http.Server
	url    string      // what SCHEMA_REGISTRY_URL takes
	down   atomic.Bool // connections are cut
}

func newProxy(ctx context.Context, target string) (*proxy, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("crash: registry: %w", err)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("crash: registry: %w", err)
	}
	here := *to
	here.Host = ln.Addr().String()
	p := &proxy{url: here.String()}
	pass := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: to.Scheme, Host: to.Host})
	p.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // loopback, for a test
		if p.down.Load() {
			panic(http.ErrAbortHandler) // cuts the connection
		}
		pass.ServeHTTP(w, r)
	})}
	go func() { _ = p.server.Serve(ln) }() // ends with Close
	return p, nil
}
