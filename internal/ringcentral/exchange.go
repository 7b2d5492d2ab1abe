package ringcentral

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

const (
	// maxAnswer bounds the body of a success, unpacked: a page of 150 contents with the longest e-mails is some 80 MB in theory and
	// well below 2 MiB in life. What is larger is an error of the caller's limit, or not our API.
	maxAnswer = 16 << 20
	// maxErrorAnswer bounds the body of an error. A gateway's page is of no use beyond its first line.
	maxErrorAnswer = 64 << 10
)

// exchange sends the call once and judges what comes back. It returns the status, 0 without an answer, and nil or an *Error.
func (c *client) exchange(ctx context.Context, k call, cred credential, p *passage) (int, error) {
	exchangeCtx, cancel := context.WithTimeout(ctx, callTimeout(ctx))
	defer cancel()
	g := &gate{once: k.method != http.MethodGet, check: func() error {
		if err := tooLate(ctx, c.now()); err != nil {
			return err
		}
		if p.held() {
			return errHeld
		}
		return nil
	}}
	req, err := c.request(exchangeCtx, k, cred)
	if err != nil {
		return 0, &Error{Op: k.op, Outcome: NotSent, Err: err}
	}
	resp, err := c.send(req, g)
	begun, refusal := g.finish()
	if err != nil {
		return 0, c.lost(ctx, k, begun, refusal, err)
	}
	defer resp.Body.Close()
	k.limits.learn(k.route, resp.Header)
	if !k.elsewhere {
		c.clock.learn(resp.Header)
	}
	if resp.StatusCode/100 != 2 {
		return resp.StatusCode, c.refused(k, resp)
	}
	return resp.StatusCode, c.readAnswer(ctx, k, resp)
}

// send passes the request to the transport, through the gate at its connection or, where there is no looking into the transport,
// through the gate here.
func (c *client) send(req *http.Request, g *gate) (*http.Response, error) {
	if c.atConn {
		return c.http.Do(req.WithContext(withGate(req.Context(), g)))
	}
	if err := g.pass(); err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil && neverConnected(err) {
		g.written(0)
	}
	return resp, err
}

// lost judges a call that ended without an answer.
func (c *client) lost(ctx context.Context, k call, begun bool, refusal, err error) error {
	failure := &Error{Op: k.op, Outcome: Unknown}
	if !begun {
		failure.Outcome = NotSent
		if refusal != nil {
			failure.Err = refusal
			return failure
		}
	}
	failure.Err = c.cause(ctx, k, err)
	return failure
}

// cause returns err without the address that net/http puts before it, with the reason why ctx ended if it did, and with a text that
// is safe to log: net/http quotes what a server sent when it can't make sense of it.
func (c *client) cause(ctx context.Context, k call, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return scrubbedError{text: k.scrubber().clean(err.Error(), maxMessage), err: err}
}

// readAnswer reads the body of a success. Whatever is wrong with it, the API has said that it did what was asked.
func (c *client) readAnswer(ctx context.Context, k call, resp *http.Response) error {
	failure := &Error{Op: k.op, Status: resp.StatusCode, Outcome: Unknown}
	if k.stream != nil {
		if err := k.stream(resp.Header, resp.Body); err != nil {
			failure.Err = fmt.Errorf("%w: %w", errUnreadable, c.cause(ctx, k, err))
			return failure
		}
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		failure.Err = fmt.Errorf("%w: %w", errUnreadable, c.cause(ctx, k, err))
	case len(body) > maxAnswer:
		failure.Err = fmt.Errorf("%w: larger than %d bytes", errUnreadable, maxAnswer)
	default:
		if err = k.read(bytes.TrimPrefix(body, byteOrderMark)); err == nil {
			return nil
		}
		failure.Err = fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return failure
}
