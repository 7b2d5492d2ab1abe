package ringcentral

import (
	"cmp"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Deps are what a client needs from outside. All are optional.
type Deps struct {
	// HTTP gives the transport (proxy, certificates, fakes) and a time-out of its own. An *http.Transport is copied and guarded; see the
	// package's documentation for what is lost with another RoundTripper. Nil = a transport fit for production, without a proxy.
	HTTP *http.Client
	// Logger gets one debug line a call, and a warning when a penalty window opens. Nil = silence.
	Logger *slog.Logger
	// Registerer gets the metrics; several clients may share it. Nil = unregistered.
	Registerer prometheus.Registerer
	// Now is the wall clock that start deadlines and dates in Retry-After are held against. Nil = time.Now. Waiting always takes real time.
	Now func() time.Time
	// Penalized is told of every penalty window that an answer opens or begins anew, before the call returns. It must not block; it may be
	// called by several goroutines at a time. Nil = nobody asks.
	Penalized func(Window)
	// UserAgent is sent with each call. Empty = "ringbridge".
	UserAgent string
}

// newClient returns a client of api at base, without credentials, limits and explanations.
func newClient(api, base string, deps Deps) *client {
	c := &client{
		api:   api,
		base:  strings.TrimRight(base, "/"),
		agent: cmp.Or(deps.UserAgent, "ringbridge"),
		log:   deps.Logger,
		now:   deps.Now,
		m:     newMetrics(deps.Registerer),

		penalized: deps.Penalized,
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	c.http, c.atConn = guarded(deps.HTTP)
	return c
}
