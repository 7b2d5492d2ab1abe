package ringcentral_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// api records when each content was asked for, and answers at once: with 429 and the Retry-After told, or else a content.
type api struct {
	mu         sync.Mutex
	ids        []string
	times      []time.Time
	retryAfter string
	limited    bool
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids = append(a.ids, r.URL.Path[len("/1.0/contents/"):])
	a.times = append(a.times, time.Now())
	return answered(func(w http.ResponseWriter, r *http.Request) {
		if !a.limited {
			content(w, r)
			return
		}
		a.limited = false
		if a.retryAfter != "" {
			w.Header().Set("Retry-After", a.retryAfter)
		}
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":"rate_limit_exceeded","message":"Rate limit exceeded","status":429}`)
	}, r), nil
}

// limit makes the next answer a 429.
func (a *api) limit(retryAfter string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.limited, a.retryAfter = true, retryAfter
}

func (a *api) client(t *testing.T, rate int) *ringcentral.Engage {
	t.Helper()
	return engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: a}}, rate)
}

// busiest returns the most calls in any 60 seconds.
func (a *api) busiest() int {
	most, first := 0, 0
	for last, at := range a.times {
		for at.Sub(a.times[first]) >= time.Minute {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}

func TestNoMinuteSeesMoreCallsThanTheRate(t *testing.T) {
	for _, rate := range []int{1, 7, 40, 500, 1000} {
		synctest.Test(t, func(t *testing.T) {
			var a api
			e := a.client(t, rate)
			// Bursts after pauses of every length, over ten minutes.
			begin := time.Now()
			for pause := time.Duration(0); time.Since(begin) < 10*time.Minute; pause += 13 * time.Second {
				time.Sleep(pause)
				var wg sync.WaitGroup
				for range rate {
					wg.Go(func() { _, _ = e.Content(t.Context(), "x") })
				}
				wg.Wait()
			}
			require.LessOrEqual(t, a.busiest(), rate)
			require.GreaterOrEqual(t, a.busiest(), rate*9/10, "and it is nearly used up")
		})
	}
}

func TestNoRateMeansNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a api
		e := a.client(t, 0)
		begin := time.Now()
		for range 5000 {
			_, err := e.Content(t.Context(), "x")
			require.NoError(t, err)
		}
		require.Zero(t, time.Since(begin))
	})
}

func TestTheMostUrgentGoesFirstAndEqualsInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a api
		e := a.client(t, 60) // three at once after a pause, one when new
		_, err := e.Content(t.Context(), "first")
		require.NoError(t, err)
		var wg sync.WaitGroup
		for _, c := range []struct {
			id string
			p  ringcentral.Priority
		}{
			{"backfill", ringcentral.Backfill},
			{"complete", ringcentral.Complete},
			{"enrich", ringcentral.Enrich},
			{"poll-1", ringcentral.Poll},
			{"reply-1", ringcentral.Reply},
			{"lookup", ringcentral.Lookup},
			{"reply-2", ringcentral.Reply},
			{"poll-2", ringcentral.Poll},
		} {
			wg.Go(func() {
				_, err := e.Content(ringcentral.WithPriority(t.Context(), c.p), c.id)
				require.NoError(t, err)
			})
			synctest.Wait() // it is waiting, before the next one comes
		}
		wg.Wait()
		require.Equal(t, []string{"first", "reply-1", "reply-2", "lookup", "poll-1", "poll-2", "enrich", "complete", "backfill"}, a.ids)
	})
}

func TestRepliesGoBeforePollsWithoutBeingTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		e := engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
			order = append(order, r.Method)
			return answered(content, r), nil
		})}}, 60)
		var wg sync.WaitGroup
		for _, ask := range []func(){
			func() { _, _ = e.Content(t.Context(), "1") },
			func() { _, _ = e.Content(t.Context(), "2") },
			func() { _, _ = e.CreateContent(t.Context(), reply()) },
		} {
			wg.Go(ask)
			synctest.Wait()
		}
		wg.Wait()
		require.Equal(t, []string{"GET", "POST", "GET"}, order)
	})
}

func TestAPenaltyHoldsEverybody(t *testing.T) {
	for _, rate := range []int{0, 60} {
		synctest.Test(t, func(t *testing.T) {
			var a api
			e := a.client(t, rate)
			a.limit("30")
			begin := time.Now()
			_, err := e.Content(t.Context(), "limited")
			require.Equal(t, 30*time.Second, failure(t, err).RetryAfter)
			require.Equal(t, ringcentral.Refused, failure(t, err).Outcome)
			require.Equal(t, begin.Add(30*time.Second), e.HoldUntil())

			var wg sync.WaitGroup
			for p := ringcentral.Reply; p <= ringcentral.Backfill; p++ {
				wg.Go(func() {
					_, err := e.Content(ringcentral.WithPriority(t.Context(), p), p.String())
					require.NoError(t, err)
				})
			}
			wg.Wait()
			require.Len(t, a.times, 7)
			require.Equal(t, 30*time.Second, a.times[1].Sub(begin), "not a moment before, and none after")
			if rate > 0 {
				require.Greater(t, a.times[2].Sub(a.times[1]), time.Second, "one by one: no burst has gathered meanwhile")
			}
		})
	}
}

func TestALimitWithoutRetryAfterHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a api
		e := a.client(t, 0)
		a.limit("")
		begin := time.Now()
		_, err := e.Content(t.Context(), "limited")
		require.Equal(t, "rate_limit_exceeded", failure(t, err).Code)
		require.Zero(t, failure(t, err).RetryAfter)
		_, err = e.Content(t.Context(), "next")
		require.NoError(t, err)
		require.Zero(t, time.Since(begin))
		require.Zero(t, e.HoldUntil())
	})
}

func TestAShorterPenaltyDoesNotShortenALongerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan struct{})
		e := engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
			id := r.URL.Path[len("/1.0/contents/"):]
			if id == "5" {
				<-slow
			}
			return answered(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", id)
				w.WriteHeader(429)
			}, r), nil
		})}})
		begin := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = e.Content(t.Context(), "5") })
		synctest.Wait()
		wg.Go(func() { _, _ = e.Content(t.Context(), "60") })
		synctest.Wait()
		close(slow)
		wg.Wait()
		require.Equal(t, begin.Add(time.Minute), e.HoldUntil())
	})
}

// It has its budget and is connecting when another call is limited: not a byte of it may go into the window.
func TestACallAlreadyOnItsWayIsHeldToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		arrived := map[string]time.Time{}
		transport := virtual(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			arrived[r.Method] = time.Now()
			mu.Unlock()
			if r.Method == http.MethodGet {
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(429)
				return
			}
			content(w, r)
		})
		dial := transport.DialContext
		var dials int
		transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			mu.Lock()
			dials++
			slow := dials == 1
			mu.Unlock()
			if slow {
				time.Sleep(time.Second)
			}
			return dial(ctx, network, addr)
		}
		transport.DisableKeepAlives = true
		e := engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: transport}})
		begin := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := e.CreateContent(t.Context(), reply())
			require.NoError(t, err)
		})
		synctest.Wait()
		_, err := e.Content(t.Context(), "limited")
		require.Equal(t, 429, failure(t, err).Status)
		wg.Wait()
		require.Equal(t, 30*time.Second, arrived[http.MethodPost].Sub(begin))
	})
}

func TestWhoCannotWaitIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a api
		e := a.client(t, 1)
		_, err := e.Content(t.Context(), "the minute's")
		require.NoError(t, err)

		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 59*time.Second)
		defer cancel()
		_, err = e.Content(ctx, "x")
		require.ErrorIs(t, err, ringcentral.ErrNoBudget)
		require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
		require.Equal(t, time.Minute, failure(t, err).RetryAfter)

		_, err = e.Content(ringcentral.WithStartDeadline(t.Context(), begin.Add(59*time.Second)), "x")
		require.ErrorIs(t, err, ringcentral.ErrNoBudget)
		require.Zero(t, time.Since(begin))

		_, err = e.Content(ringcentral.WithStartDeadline(t.Context(), begin.Add(61*time.Second)), "x")
		require.NoError(t, err)
		require.Equal(t, time.Minute, time.Since(begin))
	})
}

func TestWhoWaitsIsToldWhenAPenaltyOutlastsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		e := engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
			<-answer
			return answered(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(429)
			}, r), nil
		})}}, 60)
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := e.Content(ctx, "limited")
			require.Equal(t, 429, failure(t, err).Status)
		})
		synctest.Wait()
		wg.Go(func() { // its turn would come in a second
			_, err := e.Content(ctx, "waiting")
			require.ErrorIs(t, err, ringcentral.ErrNoBudget)
			require.Equal(t, 30*time.Second, failure(t, err).RetryAfter)
		})
		synctest.Wait()
		close(answer)
		wg.Wait()
		require.Zero(t, time.Since(begin))
	})
}

func TestWhoIsOvertakenUntilItsDeadlineHadNoBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a api
		e := a.client(t, 1)
		_, err := e.Content(t.Context(), "first")
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := e.Content(ctx, "poll")
			require.ErrorIs(t, err, ringcentral.ErrNoBudget)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
		synctest.Wait()
		_, err = e.Content(ringcentral.WithPriority(t.Context(), ringcentral.Reply), "reply")
		require.NoError(t, err)
		wg.Wait()
		require.Equal(t, []string{"first", "reply"}, a.ids)
	})
}

func TestWhoGivesUpLeavesItsTurnToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a api
		e := a.client(t, 1)
		_, err := e.Content(t.Context(), "first")
		require.NoError(t, err)
		begin := time.Now()
		stopping := errors.New("stopping")
		ctx, cancel := context.WithCancelCause(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := e.Content(ctx, "gone")
			require.ErrorIs(t, err, stopping)
			require.NotErrorIs(t, err, ringcentral.ErrNoBudget)
			require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
		})
		synctest.Wait()
		wg.Go(func() { _, _ = e.Content(t.Context(), "next") })
		synctest.Wait()
		cancel(stopping)
		wg.Wait()
		require.Equal(t, []string{"first", "next"}, a.ids)
		require.Equal(t, time.Minute, time.Since(begin))
	})
}

func TestAShareIsAPartOfTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a api
		e := a.client(t, 100)
		minute := func() int {
			a.times = nil
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for ctx.Err() == nil {
				if _, err := e.Content(ctx, "x"); errors.Is(err, ringcentral.ErrNoBudget) {
					<-ctx.Done()
				}
			}
			return len(a.times)
		}
		require.InDelta(t, 96, minute(), 1)
		e.Share(0.25)
		require.InDelta(t, 25, minute(), 1)
		e.Share(0)
		require.Zero(t, minute())
		e.Share(math.NaN())
		require.Zero(t, minute())
		e.Share(2)
		require.InDelta(t, 96, minute(), 1)
	})
}

func TestAShareThatGrowsLetsWaitersGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a api
		e := a.client(t, 60)
		e.Share(0)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := e.Content(t.Context(), "x")
			require.NoError(t, err)
		})
		time.Sleep(time.Hour)
		require.Empty(t, a.times)
		e.Share(1)
		begin := time.Now()
		wg.Wait()
		require.LessOrEqual(t, time.Since(begin), time.Second)
	})
}
