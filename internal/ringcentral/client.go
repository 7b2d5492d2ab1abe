package ringcentral

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// client makes the calls of one API. It is what the APIs have in common: the budgets, the credentials, the gate, the judgement,
// one log line and the metrics of each call. Safe for concurrent use.
type client struct {
	api    string // label
	base   string // without a slash at its end
	agent  string
	creds  credentials
	limits limits
	// explain reads the body of an error, in the API's shape; false = it is none.
	explain func(body []byte) (explanation, bool)
	// leastPenalty is the window that a 429 opens which doesn't say how long to wait; 0 = it opens none.
	leastPenalty time.Duration
	// penalized is told of every window that an answer opens; nil = nobody asks.
	penalized func(Window)
	http      *http.Client
	atConn    bool // the gates stand at the connections, not before the transport
	log       *slog.Logger
	now       func() time.Time
	clock     apiClock
	m         *metrics
}

// call is one operation on its way.
type call struct {
	op          string // metric label, and Error.Op
	route       string // what the API counts together; empty = op
	method      string
	base        string     // empty = the client's
	path        string     // below the base, its segments escaped
	query       url.Values // goes into the address: nothing a customer wrote
	body        []byte
	contentType string
	priority    Priority
	creds       credentials // nil = the client's
	limits      limits      // nil = the client's
	elsewhere   bool        // at another server, whose penalty windows are nobody else's
	texts       []string    // what errors must not repeat
	// read judges the body of a success; an error makes the answer unreadable.
	read func(body []byte) error
	// stream takes the answer of a success instead of read, while it arrives.
	stream func(header http.Header, body io.Reader) error
	// moved is told where a redirect leads; nil = nobody asks.
	moved *string
	// sentinel names the cause of a refusal that callers tell apart, or nil.
	sentinel func(status int, e explanation) error
}

// trip is what is known of a call once it is over.
type trip struct {
	waited, took time.Duration
	group        string // label of the last budget it waited for; empty if it came to none
	used         credential
	status       int // 0 without an answer
}

// do makes the call and returns nil or an *Error. It is sent once; a second time only when the API said 401 to a credential that could be
// renewed.
func (c *client) do(ctx context.Context, k call) error {
	k.priority = priorityOf(ctx, k.priority)
	k.route, k.base = cmp.Or(k.route, k.op), cmp.Or(k.base, c.base)
	if k.creds == nil {
		k.creds = c.creds
	}
	if k.limits == nil {
		k.limits = c.limits
	}
	var t trip
	var err error
	ctx, span := c.span(ctx, k)
	defer func() { t.end(span, err) }()
	for renewed := false; ; {
		err = c.once(ctx, k, &t)
		if errors.Is(err, errHeld) {
			continue
		}
		if t.status != http.StatusUnauthorized || renewed || !k.creds.refused(t.used) {
			break
		}
		renewed = true
	}
	if t.group != "" {
		c.m.wait.WithLabelValues(c.api, t.group, k.priority.String()).Observe(t.waited.Seconds())
	}
	c.m.observe(c.api, k.op, t.status, err, t.took)
	c.record(ctx, k, t, err)
	return err
}

// lateTurn is how long a call may take from its turn to the wire. One that waited longer, for a token, gives its turn up: with others
// like it, it would arrive in a crowd that no budget has let through.
const lateTurn = time.Second

// once waits until the call may go, and makes it. errHeld says that it has to wait again.
func (c *client) once(ctx context.Context, k call, t *trip) error {
	t.status, t.took = 0, 0
	if _, err := k.creds.authorize(ctx, k.op); err != nil {
		return err
	}
	k.creds.handBack()
	start := time.Now()
	p, after, err := c.enter(ctx, k)
	t.waited += time.Since(start)
	t.group = p.group
	defer p.leave()
	if err != nil {
		return &Error{Op: k.op, Outcome: NotSent, RetryAfter: after, Err: err}
	}
	start = time.Now()
	// The token may have ended while the call waited for its turn.
	if t.used, err = k.creds.authorize(ctx, k.op); err != nil {
		return err
	}
	defer k.creds.handBack()
	if time.Since(start) > lateTurn {
		return errHeld
	}
	start = time.Now()
	t.status, err = c.exchange(ctx, k, t.used, p)
	t.took = time.Since(start)
	return err
}

// record writes the line of the call. Addresses and ids stay out of it: a handover's hold the customer.
func (c *client) record(ctx context.Context, k call, t trip, err error) {
	attrs := []slog.Attr{slog.String("api", c.api), slog.String("op", k.op), slog.Int("status", t.status)}
	attrs = append(attrs, slog.String("priority", k.priority.String()),
		slog.Duration("wait", t.waited), slog.Duration("duration", t.took))
	if failure, ok := errors.AsType[*Error](err); ok {
		attrs = append(attrs, slog.String("outcome", failure.Outcome.String()),
			slog.Duration("retry_after", failure.RetryAfter), slog.String("error", failure.Error()))
	}
	c.log.LogAttrs(ctx, slog.LevelDebug, "api call", attrs...)
}

// scrubber returns what cleans the texts of the call's errors.
func (k call) scrubber() scrubber {
	return scrubber{secrets: k.creds.secrets(), texts: k.texts}
}

// request builds the HTTP request. The credential goes into the header and nowhere else.
func (c *client) request(ctx context.Context, k call, cred credential) (*http.Request, error) {
	address := k.base + k.path
	if len(k.query) > 0 {
		address += "?" + k.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, k.method, address, bytes.NewReader(k.body))
	if err != nil {
		// The error would show the address.
		return nil, ErrInvalid
	}
	if cred.header != "" {
		req.Header.Set("Authorization", cred.header)
	}
	req.Header.Set("Accept", "application/json")
	if k.stream != nil {
		req.Header.Set("Accept", "*/*")
	}
	req.Header.Set("User-Agent", c.agent)
	if k.contentType != "" {
		req.Header.Set("Content-Type", k.contentType)
	}
	return req, nil
}
