package ringcentral_test

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const behind = 10 * time.Minute

// late is the Date header of an API whose clock is behind.
func late() string { return time.Now().Add(-behind).UTC().Format(http.TimeFormat) }

func TestTheAPIsOwnClockIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		date := ""
		p := platform{answer: func(w http.ResponseWriter, _ asked, _ int) {
			w.Header().Set("Date", date)
			_, _ = io.WriteString(w, `{"id":1}`)
		}}
		c := p.client(t)
		now := func() time.Time {
			now, err := c.Now(t.Context())
			require.NoError(t, err)
			return now
		}
		require.Equal(t, time.Now(), now(), "its answers have no date yet")
		require.Empty(t, p.calls, "the token that the next call needs is all that is asked for")
		ask := func() {
			_, err := c.Message(t.Context(), "1")
			require.NoError(t, err)
		}
		date = late()
		ask()
		require.WithinDuration(t, time.Now().Add(-behind), now(), time.Second)
		time.Sleep(time.Hour)
		require.WithinDuration(t, time.Now().Add(-behind), now(), time.Second)
		date = "today"
		ask()
		require.WithinDuration(t, time.Now().Add(-behind), now(), time.Second, "an answer without a date teaches nothing")
	})
}

// A process whose clock is wrong must not date its first call by it.
func TestTheAPIIsAskedForItsTimeBeforeAnythingElse(t *testing.T) {
	for fact, status := range map[string]int{"and tells it with what was asked for": 200, "and tells it with a refusal": 403, "and tells it in trouble": 503} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var calls []string
				e := engage(t, "http://engage", ringcentral.Deps{HTTP: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
					mu.Lock()
					calls = append(calls, r.Method+" "+r.URL.Path)
					mu.Unlock()
					time.Sleep(time.Second)
					return answered(func(w http.ResponseWriter, _ *http.Request) {
						w.Header().Set("Date", late())
						w.WriteHeader(status)
						_, _ = io.WriteString(w, `{"count":0,"offset":0,"limit":1,"records":[]}`)
					}, r), nil
				})}})
				var asking sync.WaitGroup
				for range 5 {
					asking.Go(func() {
						now, err := e.Now(t.Context())
						require.NoError(t, err)
						require.WithinDuration(t, time.Now().Add(-behind), now, time.Second)
					})
				}
				asking.Wait()
				_, err := e.Now(t.Context())
				require.NoError(t, err)
				require.Equal(t, []string{"HEAD /1.0"}, calls, "once, for all who want to know")
			})
		})
	}
}

func TestWithoutAnAnswerNobodyKnowsTheAPIsTime(t *testing.T) {
	e := engage(t, "http://engage", ringcentral.Deps{HTTP: &http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("connection reset by peer")
	})}})
	_, err := e.Now(t.Context())
	require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome, "what it was asked for did not go out")
}
