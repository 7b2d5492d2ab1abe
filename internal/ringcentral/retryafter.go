package ringcentral

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what a Retry-After may ask for. A misconfigured proxy that says "a year" would stop the bridge
// until somebody restarts it; after an hour one call asks again.
const maxRetryAfter = time.Hour

// retryAfter reads a Retry-After header in both its forms, whole seconds and an HTTP date, the latter by our own clock.
// It returns the wait, bounded, zero for a date that has passed, and whether there was a readable header at all.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if allDigits(value) {
		// A number too great to parse is a wait too long to grant.
		seconds, err := strconv.Atoi(value)
		if err != nil || seconds > int(maxRetryAfter/time.Second) {
			return maxRetryAfter, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	// Sub saturates, so that no date overflows.
	return min(max(at.Sub(now), 0), maxRetryAfter), true
}

func allDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}
