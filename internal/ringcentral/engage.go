package ringcentral

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The operations of Engage, as metrics and errors name them.
const (
	opContents      = "list_contents"
	opContent       = "get_content"
	opCreateContent = "create_content"
	opIdentities    = "list_identities"
	opIdentity      = "get_identity"
	opHandover      = "handover"
)

// MaxPage is the greatest Limit a list takes; it answers 30 rows when asked for none.
const MaxPage = 150

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
	// UserAgent is sent with each call. Empty = "ringbridge".
	UserAgent string
}

// Engage calls Engage Digital. All of its calls share one budget, as the API's limit is one. Every method returns nil or an *Error.
// Safe for concurrent use.
type Engage struct{ c *client }

// NewEngage returns a client for cfg, which must be valid. It makes no call. Close it when done.
func NewEngage(cfg EngageConfig, deps Deps) *Engage {
	const api, group = "engage", "all"
	log := deps.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	now := deps.Now
	if now == nil {
		now = time.Now
	}
	c := &client{
		api:    api,
		group:  group,
		base:   strings.TrimRight(cfg.BaseURL, "/"),
		token:  cfg.AccessToken,
		agent:  cmp.Or(deps.UserAgent, "ringbridge"),
		budget: newLimiter(cfg.Rate),
		log:    log,
		now:    now,
		m:      newMetrics(deps.Registerer),
	}
	c.http, c.atConn = guarded(deps.HTTP)
	c.m.prefill(api, group, []string{opContents, opContent, opCreateContent, opIdentities, opIdentity, opHandover})
	c.share(1)
	return &Engage{c: c}
}

// Close lets go of idle connections. Calls under way are not ended; their contexts do that.
func (e *Engage) Close() { e.c.http.CloseIdleConnections() }

// HoldUntil returns when the last penalty window ends or ended; zero if there was none. No call starts before it.
func (e *Engage) HoldUntil() time.Time { return e.c.budget.holdUntil() }

// Share makes fraction (0 to 1) of the configured rate this process's: replicas divide the account's limit. At 0 nobody goes until
// it is raised; calls with a deadline get ErrNoBudget. A rate of 0 is not divided.
func (e *Engage) Share(fraction float64) { e.c.share(fraction) }

// resourcePath joins a collection and an id. An id that would name another address, the list above all, is refused.
func resourcePath(op, collection, id string) (string, error) {
	if id == "" || id == "." || id == ".." {
		return "", &Error{Op: op, Outcome: NotSent, Err: fmt.Errorf("%w: the id names no resource", ErrInvalid)}
	}
	return collection + "/" + url.PathEscape(id), nil
}

// window puts offset and limit into query; zero leaves either to the API.
func window(query url.Values, offset, limit int) {
	if offset > 0 {
		query.Set("offset", strconv.Itoa(offset))
	}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
}
