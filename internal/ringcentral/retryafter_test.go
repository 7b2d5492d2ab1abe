package ringcentral_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// Peer failure 15: Retry-After was a date, or a very great value.
func TestRetryAfterIsReadInAllItsForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
		for fact, c := range map[string]struct {
			header string
			want   time.Duration
		}{
			"seconds":                     {"3", 3 * time.Second},
			"no seconds":                  {"0", 0},
			"a date":                      {in(90 * time.Second), 90 * time.Second},
			"a date that has passed":      {in(-time.Hour), 0},
			"a date of the old form":      {time.Now().UTC().Add(time.Minute).Format("Mon Jan _2 15:04:05 2006"), time.Minute},
			"spaces around it":            {" 7 ", 7 * time.Second},
			"an hour is the most":         {"3601", time.Hour},
			"a number beyond all numbers": {"99999999999999999999999", time.Hour},
			"a date beyond all dates":     {"Fri, 31 Dec 9999 23:59:59 GMT", time.Hour},
			"nothing":                     {"", 0},
			"less than nothing":           {"-1", 0},
			"nonsense":                    {"soon", 0},
			"a fraction":                  {"1.5", 0},
		} {
			for _, status := range []int{429, 503} {
				e := engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
					return answered(func(w http.ResponseWriter, _ *http.Request) {
						w.Header().Set("Retry-After", c.header)
						w.WriteHeader(status)
					}, r), nil
				})}})
				_, err := e.Content(t.Context(), "c1")
				require.Equal(t, c.want, failure(t, err).RetryAfter, fact)

				hold := max(time.Until(e.HoldUntil()), 0)
				if status == 503 {
					require.Zero(t, hold, "a 503 speaks for its route, not for the group")
				} else {
					require.Equal(t, c.want, hold, fact)
				}
			}
		}
	})
}
