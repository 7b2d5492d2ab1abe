package poll

import (
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// A result is how a round ended: a metric label and a log field.
type result string

// The results of a round.
const (
	resultOK           result = "ok"
	resultUnauthorized result = "unauthorized" // 401: the whole direction halts
	resultForbidden    result = "forbidden"    // 403: this stream halts
	resultRateLimited  result = "rate_limited" // 429, or no budget
	resultRefused      result = "refused"      // another 4xx: the request is wrong, or its address
	resultUnavailable  result = "unavailable"  // 5xx, time-outs, no connection
	resultMoving       result = "moving"       // the list changed faster than it could be read
	resultInbox        result = "inbox"        // what was found could not be written
	resultCursor       result = "cursor"       // the cursor could not be written
)

func results() []result {
	return []result{
		resultOK, resultUnauthorized, resultForbidden, resultRateLimited, resultRefused, resultUnavailable, resultMoving, resultInbox, resultCursor,
	}
}

// The errors of a round that are not the API's.
var (
	errInbox  = errors.New("write to the inbox")
	errCursor = errors.New("write the cursor")
)

// judge names a round's error.
func judge(err error) result {
	var api *ringcentral.Error
	switch {
	case err == nil:
		return resultOK
	case errors.Is(err, errInbox):
		return resultInbox
	case errors.Is(err, errCursor):
		return resultCursor
	case errors.Is(err, errMoving), errors.Is(err, ringcentral.ErrFilterIgnored):
		return resultMoving
	case errors.Is(err, ringcentral.ErrNoBudget):
		return resultRateLimited
	case !errors.As(err, &api):
		return resultUnavailable
	}
	switch status := api.Status; {
	case status == http.StatusUnauthorized:
		return resultUnauthorized
	case status == http.StatusForbidden:
		return resultForbidden
	case status == http.StatusTooManyRequests:
		return resultRateLimited
	case status >= 400 && status < 500 && status != http.StatusRequestTimeout:
		return resultRefused
	}
	return resultUnavailable
}

// probeInterval is the wait after an answer that only an operator can change: a
// new token, a permission, another address.
const probeInterval = time.Minute

// The waits after a failure that passes by itself: 1 s, doubling with each in a
// row, 60 s at most. With full jitter, so that replicas that failed together do
// not come back together.
const (
	backoffMin = time.Second
	backoffMax = time.Minute
)

// backoff returns the wait after so many failures in a row, one at least; random is
// in [0, 1). It is never below half of its schedule: 0.5–1 s, 1–2 s, … 30–60 s.
func backoff(failures int, random float64) time.Duration {
	d := math.Min(float64(backoffMin)*math.Pow(2, float64(failures-1)), float64(backoffMax))
	return time.Duration(d * (1 + random) / 2)
}

// wait returns how long to leave the API alone after an error. What the API asks
// for is a floor; a 429 that asks for nothing costs an interval at least.
func wait(err error, failures int, interval time.Duration, random float64) time.Duration {
	d := backoff(failures, random)
	var api *ringcentral.Error
	if errors.As(err, &api) {
		d = max(d, api.RetryAfter)
	}
	verdict := judge(err)
	switch {
	case verdict == resultUnauthorized, verdict == resultForbidden, verdict == resultRefused:
		return max(d, probeInterval)
	case verdict == resultRateLimited && (api == nil || api.RetryAfter == 0):
		return max(d, interval)
	}
	return d
}
