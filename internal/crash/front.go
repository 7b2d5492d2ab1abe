package crash

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	platformPath = "/webhooks/ringcentral"
	engagePath   = "/webhooks/engage"
	// passBound is how long a replica may take to answer, for both to have their time within the platform's three seconds.
	passBound = 1400 * time.Millisecond
)

// A front stands before the replicas as a load balancer does: what one does not take, the other is given. It keeps
// nothing, and the platform sends each notification once: what neither takes is lost, and found by
// polling. Engage Digital sends its webhooks again.
type front struct {
	server  *http.Server
	base    string // http://host:port
	url     string // what RINGCENTRAL_WEBHOOK_URL takes
	targets []string
	client  http.Client
	turn    atomic.Uint64
}

// newFront returns a front that passes on to these addresses, each a host:port.
func newFront(ctx context.Context, targets []string) (*front, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("crash: front: %w", err)
	}
	base := "http://" + ln.Addr().String()
	f := &front{base: base, url: base + platformPath, targets: targets, client: http.Client{Timeout: passBound}}
	f.server = &http.Server{Handler: f}    //nolint:gosec // loopback, for a test
	go func() { _ = f.server.Serve(ln) }() // ends with Close
	return f, nil
}

// ServeHTTP asks the replicas in turn, until one answers 200.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender has gone
	}
	first := f.turn.Add(1)
	for i := range uint64(len(f.targets)) {
		if f.pass(w, r, f.targets[(first+i)%uint64(len(f.targets))], body) {
			return
		}
	}
	w.WriteHeader(http.StatusBadGateway)
}

// pass gives a request to one of them, and hands its answer on if that is 200.
func (f *front) pass(w http.ResponseWriter, r *http.Request, target string, body []byte) (taken bool) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header = r.Header.Clone()
	resp, err := f.client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return false
	}
	maps.Copy(w.Header(), resp.Header)
	_, _ = w.Write(answer) // whether it arrives is the sender's to judge
	return true
}
