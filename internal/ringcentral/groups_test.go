package ringcentral_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// counted makes p a platform that counts calls in fixed windows of a minute and tells it; calls beyond the limit, and those inside a penalty
// window, are offences.
func counted(p *platform, group string, limit int) (offences *int) {
	var begin, penalty time.Time
	used, bad := 0, 0
	p.answer = func(w http.ResponseWriter, a asked, _ int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if a.at.Sub(begin) >= time.Minute {
			begin, used = a.at, 0
		}
		used++
		if used > limit || a.at.Before(penalty) {
			bad++
			penalty = a.at.Add(time.Minute)
			limitHeaders(w.Header(), group, limit, 0)
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"errorCode":"CMN-301","message":"Request rate exceeded"}`)
			return
		}
		limitHeaders(w.Header(), group, limit, limit-used)
		_, _ = io.WriteString(w, `{"id":1,"records":[]}`)
	}
	return &bad
}

// outOfTime waits for the end of ctx if err says that there is no budget before.
func outOfTime(ctx context.Context, err error) {
	if errors.Is(err, ringcentral.ErrNoBudget) {
		<-ctx.Done()
	}
}

func TestAGroupIsLearnedFromTheHeadersAndKept(t *testing.T) {
	for _, limit := range []int{10, 50, 240} {
		synctest.Test(t, func(t *testing.T) {
			var p platform
			offences := counted(&p, "LiGht", limit)
			c := p.client(t)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			var wg sync.WaitGroup
			for i, call := range []func(context.Context) error{
				func(ctx context.Context) error { return second(c.Message(ctx, "1")) },
				func(ctx context.Context) error { return second(c.Messages(ctx, ringcentral.MessagesQuery{})) },
				func(ctx context.Context) error { return second(c.PhoneNumbers(ctx)) },
				func(ctx context.Context) error { return second(c.Content(ctx, "1")) },
			} {
				wg.Go(func() {
					priority := ringcentral.Priority(i)
					for ctx.Err() == nil {
						outOfTime(ctx, call(ringcentral.WithPriority(ctx, priority)))
					}
				})
			}
			wg.Wait()
			require.Zero(t, *offences)
			require.LessOrEqual(t, busiest(p.calls), limit)
			require.GreaterOrEqual(t, len(p.calls), limit*10*8/10-1, "and it is used")
		})
	}
}

func TestAProcessThatStartsInAUsedUpWindowDoesNotOffend(t *testing.T) {
	for _, left := range []int{1, 2, 3, 20} {
		synctest.Test(t, func(t *testing.T) {
			var p platform
			offences := counted(&p, "light", 50)
			for range 50 - left { // spent by another program of the application
				p.answer(httptest.NewRecorder(), asked{at: time.Now()}, 0)
			}
			after := p.client(t)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			for ctx.Err() == nil {
				outOfTime(ctx, second(after.Message(ringcentral.WithPriority(ctx, ringcentral.Reply), "1")))
			}
			require.Zero(t, *offences)
		})
	}
}

func TestReplicasDivideAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p platform
		offences := counted(&p, "light", 50)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for replica := range 3 {
			c := p.client(t)
			c.Share(1.0 / 3)
			for priority := ringcentral.Reply; priority <= ringcentral.Backfill; priority++ {
				wg.Go(func() {
					time.Sleep(time.Duration(replica) * 7 * time.Second)
					for ctx.Err() == nil {
						outOfTime(ctx, second(c.Message(ringcentral.WithPriority(ctx, priority), "1")))
						time.Sleep(time.Second)
					}
				})
			}
		}
		wg.Wait()
		require.Zero(t, *offences)
		require.Greater(t, len(p.calls), 600, "and they use it")
	})
}

func TestRepliesKeepTheirPartWhileABackfillDrainsTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p platform
		offences := counted(&p, "light", 50)
		c := p.client(t)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				for ctx.Err() == nil {
					_, _ = c.Messages(ringcentral.WithPriority(ctx, ringcentral.Backfill), ringcentral.MessagesQuery{})
				}
			})
		}
		for range 10 {
			time.Sleep(time.Minute)
			begin := time.Now()
			for range 8 { // a sudden crowd
				require.NoError(t, second(c.Content(ringcentral.WithPriority(ctx, ringcentral.Reply), "1")))
			}
			require.Less(t, time.Since(begin), 3*time.Second)
		}
		cancel()
		wg.Wait()
		require.Zero(t, *offences)
	})
}

func TestAPenaltyHoldsTheGroupThatTheHeadersName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := ""
		p := platform{answer: func(w http.ResponseWriter, a asked, _ int) {
			group := "Light"
			if a.method != http.MethodGet {
				group = "MEDIUM"
			}
			limitHeaders(w.Header(), group, 50, 40)
			if a.path == limited {
				limited = ""
				w.Header()["X-Rate-Limit-Group"] = []string{"light"} // in another case than before
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			_, _ = io.WriteString(w, `{"id":1,"records":[]}`)
		}}
		c := p.client(t)
		require.NoError(t, second(c.Message(t.Context(), "1")))
		require.NoError(t, second(c.Content(t.Context(), "1")))
		require.NoError(t, second(c.SendSMS(t.Context(), text())))
		limited = p.calls[0].path
		begin := time.Now()
		_, err := c.Message(t.Context(), "1")
		require.Equal(t, time.Minute, failure(t, err).RetryAfter)
		require.Equal(t, ringcentral.Refused, failure(t, err).Outcome)
		require.Equal(t, begin.Add(time.Minute), c.HoldUntil())

		_, err = c.SendSMS(t.Context(), text())
		require.NoError(t, err, "another group goes on")
		require.Less(t, time.Since(begin), 5*time.Second)

		_, err = c.Content(ringcentral.WithPriority(t.Context(), ringcentral.Reply), "1")
		require.NoError(t, err)
		require.Equal(t, begin.Add(time.Minute), p.last().at, "the same group, by another route and however urgent, waits; not a moment longer")
	})
}

func TestARouteThatIsNotKnownMayBelongToAGroupUnderPenalty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{answer: func(w http.ResponseWriter, _ asked, n int) {
			limitHeaders(w.Header(), "light", 50, 40)
			if n == 1 {
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			_, _ = io.WriteString(w, `{"id":1}`)
		}}
		c := p.client(t)
		begin := time.Now()
		_, err := c.Message(t.Context(), "1")
		require.Equal(t, 429, failure(t, err).Status)
		require.NoError(t, second(c.Content(t.Context(), "1")))
		require.GreaterOrEqual(t, p.calls[1].at.Sub(begin), time.Minute)
	})
}

func TestAPenaltyThatNamesNoGroupIsOfTheRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := false
		p := platform{answer: func(w http.ResponseWriter, a asked, _ int) {
			if limited && a.method == http.MethodGet {
				limited = false
				w.WriteHeader(http.StatusTooManyRequests) // the account's or the address's limiter: no X-Rate-Limit, no Retry-After
				_, _ = io.WriteString(w, `{"errors":[{"errorCode":"CMN-310","message":"Global rate exceeded"}]}`)
				return
			}
			limitHeaders(w.Header(), "light", 50, 40)
			_, _ = io.WriteString(w, `{"id":1}`)
		}}
		c := p.client(t)
		require.NoError(t, second(c.Message(t.Context(), "1")))
		require.NoError(t, second(c.Content(t.Context(), "1")))
		limited = true
		_, err := c.Message(t.Context(), "1")
		begin := time.Now()
		require.Equal(t, "CMN-310", failure(t, err).Code)
		require.Equal(t, 30*time.Second, failure(t, err).RetryAfter, "at least this, where nothing is said")
		require.NoError(t, second(c.Content(t.Context(), "1")))
		require.Less(t, time.Since(begin), 5*time.Second)
		require.NoError(t, second(c.Message(t.Context(), "1")))
		require.GreaterOrEqual(t, time.Since(begin), 30*time.Second)
	})
}

func TestOfAnUnknownRouteFewGoAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, most := 0, 0
		p := platform{}
		p.answer = func(w http.ResponseWriter, _ asked, _ int) {
			p.mu.Lock()
			out++
			most = max(most, out)
			p.mu.Unlock()
			time.Sleep(4 * time.Second)
			p.mu.Lock()
			out--
			p.mu.Unlock()
			_, _ = io.WriteString(w, `{"id":1}`)
		}
		c := p.client(t)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { require.NoError(t, second(c.Message(t.Context(), "1"))) })
		}
		wg.Wait()
		require.Equal(t, 1, most)
	})
}

// A crowd of replies, the first of which is limited: the others must not follow at its heels.
func TestA429StopsWhatWouldHaveFollowedAtItsHeels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var penalty time.Time
		offences := 0
		p := platform{}
		p.answer = func(w http.ResponseWriter, a asked, n int) {
			time.Sleep(300 * time.Millisecond)
			limitHeaders(w.Header(), "light", 50, 40)
			p.mu.Lock()
			inside := a.at.Before(penalty)
			if n == 3 {
				penalty = a.at.Add(time.Minute)
			}
			p.mu.Unlock()
			if inside {
				offences++
			}
			if n == 3 || inside {
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			_, _ = io.WriteString(w, `{"id":1}`)
		}
		c := p.client(t)
		require.NoError(t, second(c.Message(t.Context(), "1")))
		require.NoError(t, second(c.Content(t.Context(), "1")))
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				ctx := ringcentral.WithPriority(t.Context(), ringcentral.Reply)
				if i%2 == 0 {
					_, _ = c.Message(ctx, "1")
				} else {
					_, _ = c.Content(ctx, "1")
				}
			})
		}
		wg.Wait()
		require.Zero(t, offences)
	})
}

func TestOneSlowCallHoldsTheOthersUpByASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{answer: func(w http.ResponseWriter, a asked, n int) {
			if n > 1 && a.path[len(a.path)-1] == '9' {
				time.Sleep(time.Minute)
			}
			limitHeaders(w.Header(), "light", 50, 40)
			_, _ = io.WriteString(w, `{"id":1}`)
		}}
		c := p.client(t)
		require.NoError(t, second(c.Message(t.Context(), "1")))
		var wg sync.WaitGroup
		wg.Go(func() { require.NoError(t, second(c.Message(t.Context(), "9"))) })
		synctest.Wait()
		begin := time.Now()
		require.NoError(t, second(c.Message(ringcentral.WithPriority(t.Context(), ringcentral.Reply), "1")))
		require.LessOrEqual(t, time.Since(begin), 2*time.Second)
		wg.Wait()
	})
}
