package ringcentral

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// client makes the calls of one API. It is what the APIs have in common: the budget, the gate, the judgement, one log line and the
// metrics of each call. Safe for concurrent use.
type client struct {
	api    string // label
	group  string // label of the budget
	base   string // without a slash at its end
	token  Secret
	agent  string
	http   *http.Client
	atConn bool // the gates stand at the connections, not before the transport
	budget *limiter
	log    *slog.Logger
	now    func() time.Time
	m      *metrics
}

// call is one operation on its way.
type call struct {
	op          string // metric label, and Error.Op
	method      string
	path        string     // below the base, its segments escaped
	query       url.Values // goes into the address: nothing a customer wrote
	body        []byte
	contentType string
	priority    Priority
	texts       []string // what errors must not repeat
	// read judges the body of a success; an error makes the answer unreadable.
	read func(body []byte) error
}

// do makes the call and returns nil or an *Error.
func (c *client) do(ctx context.Context, k call) error {
	p := priorityOf(ctx, k.priority)
	var waited, took time.Duration
	var status int
	var err error
	for {
		start := time.Now()
		after, refused := c.wait(ctx, p)
		waited += time.Since(start)
		if refused != nil {
			err = &Error{Op: k.op, Outcome: NotSent, RetryAfter: after, Err: refused}
			break
		}
		start = time.Now()
		status, err = c.exchange(ctx, k)
		took = time.Since(start)
		if !errors.Is(err, errHeld) {
			break
		}
	}
	c.m.wait.WithLabelValues(c.api, c.group, p.String()).Observe(waited.Seconds())
	c.m.observe(c.api, k.op, status, err, took)
	c.record(ctx, k.op, status, err, slog.String("priority", p.String()),
		slog.Duration("wait", waited), slog.Duration("duration", took))
	return err
}

// wait gets the call its budget.
func (c *client) wait(ctx context.Context, p Priority) (time.Duration, error) {
	waiting := c.m.waiting.WithLabelValues(c.api, c.group, p.String())
	waiting.Inc()
	defer waiting.Dec()
	after, err := c.budget.wait(ctx, p)
	if err != nil {
		return after, err
	}
	return 0, tooLate(ctx, c.now())
}

// record writes the line of the call. Addresses and ids stay out of it: a handover's hold the customer.
func (c *client) record(ctx context.Context, op string, status int, err error, attrs ...slog.Attr) {
	attrs = append([]slog.Attr{slog.String("api", c.api), slog.String("op", op), slog.Int("status", status)}, attrs...)
	if failure, ok := errors.AsType[*Error](err); ok {
		attrs = append(attrs, slog.String("outcome", failure.Outcome.String()),
			slog.Duration("retry_after", failure.RetryAfter), slog.String("error", failure.Error()))
	}
	c.log.LogAttrs(ctx, slog.LevelDebug, "api call", attrs...)
}

// penalize opens a penalty window of d for the whole group.
func (c *client) penalize(d time.Duration) {
	c.budget.penalize(time.Now().Add(d))
	until := c.budget.holdUntil()
	c.m.hold.WithLabelValues(c.api, c.group).Set(float64(until.UnixMilli()) / 1000)
	c.log.Warn("rate limited", "api", c.api, "group", c.group, "retry_after", d, "until", until.UTC())
}

// share makes fraction of the rate ours.
func (c *client) share(fraction float64) {
	c.m.budget.WithLabelValues(c.api, c.group).Set(c.budget.setShare(fraction))
}

// scrubber returns what cleans the texts of the call's errors.
func (c *client) scrubber(k call) scrubber {
	return scrubber{token: c.token.Reveal(), texts: k.texts}
}

// request builds the HTTP request. The token goes into the header and nowhere else.
func (c *client) request(ctx context.Context, k call) (*http.Request, error) {
	address := c.base + k.path
	if len(k.query) > 0 {
		address += "?" + k.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, k.method, address, bytes.NewReader(k.body))
	if err != nil {
		// The error would show the address.
		return nil, ErrInvalid
	}
	req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	if k.contentType != "" {
		req.Header.Set("Content-Type", k.contentType)
	}
	return req, nil
}
