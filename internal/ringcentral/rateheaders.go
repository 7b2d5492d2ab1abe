package ringcentral

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// rate is what the headers X-Rate-Limit-… of an answer tell.
type rate struct {
	group     string // in lower case: the API writes its names in mixed case
	limit     int    // calls a window; 0 = not told
	remaining int    // -1 = not told
	window    time.Duration
}

const (
	// maxGroupName and maxLimit are far above everything known; what is beyond is no rate group of this API.
	maxGroupName = 40
	maxLimit     = 1 << 20
	// maxWindow bounds the window for the same reason as maxRetryAfter bounds a wait.
	maxWindow = time.Hour
)

// rateOf reads the headers; false when they name no group.
func rateOf(h http.Header) (rate, bool) {
	group := strings.ToLower(strings.TrimSpace(h.Get("X-Rate-Limit-Group")))
	if group == "" || len(group) > maxGroupName || strings.ContainsFunc(group, notInGroupName) {
		return rate{}, false
	}
	r := rate{group: group, remaining: -1, window: minute}
	if n, ok := count(h, "X-Rate-Limit-Limit"); ok {
		r.limit = n
	}
	if n, ok := count(h, "X-Rate-Limit-Remaining"); ok {
		r.remaining = n
	}
	if n, ok := count(h, "X-Rate-Limit-Window"); ok && n > 0 {
		r.window = min(time.Duration(n)*time.Second, maxWindow)
	}
	return r, true
}

// notInGroupName reports what does not stand in a name: it becomes a label.
func notInGroupName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
}

func count(h http.Header, name string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(h.Get(name)))
	return n, err == nil && n >= 0 && n <= maxLimit
}
