package ringcentral

import (
	"errors"
	"net/http"
)

// refusedCredentials reports whether the token endpoint said no for good: a 4xx that isn't about time or rate.
func refusedCredentials(err error) bool {
	failure, ok := errors.AsType[*Error](err)
	return ok && failure.Outcome == Refused && failure.Status != http.StatusTooManyRequests
}

// passing reports whether a request for a token is to be repeated in a while: no answer, 408 and 5xx, but not a 503 that says when.
func passing(err error) bool {
	failure, ok := errors.AsType[*Error](err)
	if !ok || errors.Is(err, ErrInvalid) {
		return false
	}
	return failure.Outcome != Refused && failure.RetryAfter == 0
}
