package ringcentral

import (
	"bytes"
	"io"
	"net/http"
)

// duplicateCall is the code of a 429 that is about this one call: the API is still busy with the same request.
const duplicateCall = "CMN-304"

// refused judges an answer that is no success, and holds the budget that a 429 is about.
func (c *client) refused(k call, resp *http.Response) error {
	failure := &Error{Op: k.op, Status: resp.StatusCode, Outcome: outcomeOf(resp.StatusCode)}
	wait, told := retryAfter(resp.Header, c.now())
	failure.RetryAfter = wait
	// The window opens before the body is read, which takes a while if the API likes.
	if told && resp.StatusCode == http.StatusTooManyRequests {
		c.penalize(k, k.limits.offended(k.route, resp.Header), wait)
	}
	// The status has decided; a body that breaks off or is no JSON only explains less.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorAnswer))
	e, ok := c.explain(bytes.TrimPrefix(body, byteOrderMark))
	if !ok {
		failure.Message = "the answer is no JSON object"
	} else {
		s := k.scrubber()
		failure.Code, failure.Message = s.clean(e.code, maxCode), s.clean(e.message, maxMessage)
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		c.limited(k, resp.Header, e, failure)
	}
	if k.moved != nil && resp.StatusCode/100 == 3 {
		*k.moved = resp.Header.Get("Location")
	}
	if k.sentinel != nil {
		failure.Err = k.sentinel(resp.StatusCode, e)
	}
	return failure
}

// limited completes the judgement of a 429. One that doesn't say how long to wait opens the API's least window; where there is none it holds
// nobody: how long to wait is then the caller's guess, and another caller's call may well be let through.
//
// A duplicate is no offence against a rate: it holds nobody, but this call has to wait. And as the API is still busy with a request that is
// the same, an earlier try of ours that was taken for lost may be just happening: of a call that writes, nobody knows.
func (c *client) limited(k call, h http.Header, e explanation, failure *Error) {
	duplicate := e.has(duplicateCall)
	if duplicate && k.method != http.MethodGet {
		failure.Outcome = Unknown
	}
	if failure.RetryAfter > 0 || c.leastPenalty == 0 {
		return
	}
	failure.RetryAfter = c.leastPenalty
	if !duplicate {
		c.penalize(k, k.limits.offended(k.route, h), c.leastPenalty)
	}
}
