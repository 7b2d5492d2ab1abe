package ringcentral

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The operations of Engage, as metrics and errors name them.
const (
	opContents      = "list_contents"
	opContent       = "get_content"
	opCreateContent = "create_content"
	opIdentities    = "list_identities"
	opIdentity      = "get_identity"
	opHandover      = "handover"
	opTime          = "get_time"
)

// MaxPage is the greatest Limit a list takes; it answers 30 rows when asked for none.
const MaxPage = 150

// Engage calls Engage Digital. All of its calls share one budget, as the API's limit is one. Every method returns nil or an *Error.
// Safe for concurrent use.
type Engage struct {
	c      *client
	budget *limiter
}

// NewEngage returns a client for cfg, which must be valid. It makes no call. Close it when done.
func NewEngage(cfg EngageConfig, deps Deps) *Engage {
	const group = "all"
	budget := newLimiter(group, plan{rate: cfg.Rate, window: minute, burst: burstPart})
	c := newClient("engage", cfg.BaseURL, deps)
	c.creds, c.limits, c.explain = fixedToken(cfg.AccessToken), oneLimit{budget}, explainEngage
	c.m.prefill(c.api, []string{opContents, opContent, opCreateContent, opIdentities, opIdentity, opHandover}) // not opTime: at most once a process
	c.m.prefillGroup(c.api, group)
	e := &Engage{c: c, budget: budget}
	e.Share(1)
	return e
}

// Close lets go of idle connections. Calls under way are not ended; their contexts do that.
func (e *Engage) Close() { e.c.http.CloseIdleConnections() }

// Now returns the time by the clock of the API, to a second. The first time it may cost a call: HEAD of the base address, which is no
// operation and whose answer, a 404 as good as any, has a date. It fails, as not sent, where no answer has told the time.
func (e *Engage) Now(ctx context.Context) (time.Time, error) {
	return e.c.clock.now(func() error {
		return e.c.do(ctx, call{op: opTime, method: http.MethodHead, priority: Poll, read: func([]byte) error { return nil }})
	})
}

// HoldUntil returns when the last penalty window ends or ended; zero if there was none. No call starts before it.
func (e *Engage) HoldUntil() time.Time { return e.budget.holdUntil() }

// Share makes fraction (0 to 1) of the configured rate this process's: replicas divide the account's limit. At 0 nobody goes until
// it is raised; calls with a deadline get ErrNoBudget. A rate of 0 is not divided.
func (e *Engage) Share(fraction float64) {
	e.c.m.budget.WithLabelValues(e.c.api, e.budget.label).Set(e.budget.setShare(fraction))
}

// resourcePath joins a collection and an id. An id that would name another address, the list above all, is refused.
func resourcePath(op, collection, id string) (string, error) {
	if id == "" || id == "." || id == ".." {
		return "", invalid(op, "the id names no resource")
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
