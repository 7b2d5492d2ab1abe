package ringcentral_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

func TestTheJWTIsExchangedOnceForAllCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{auth: func(http.ResponseWriter, asked, int) bool {
			time.Sleep(time.Second)
			return false
		}}
		c := p.client(t)
		var wg sync.WaitGroup
		for _, call := range []func() error{
			func() error { return second(c.Message(t.Context(), "1")) },
			func() error { return second(c.Content(t.Context(), "c")) },
			func() error { return second(c.PhoneNumbers(t.Context())) },
			func() error { return c.Authenticate(t.Context()) },
		} {
			for range 5 {
				wg.Go(func() { require.NoError(t, call()) })
			}
		}
		wg.Wait()
		require.Len(t, p.auths, 1)
		require.Equal(t, basicAuth(), p.auths[0].token)
		require.Equal(t, "application/x-www-form-urlencoded", p.auths[0].header.Get("Content-Type"))
		form, err := url.ParseQuery(p.auths[0].body)
		require.NoError(t, err)
		require.Equal(t, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {jwt}}, form)
		require.Equal(t, "Bearer access-1", p.last().token)
	})
}

func TestTokensOfAMinuteForTenMinutesFailNoCall(t *testing.T) {
	for fact, refreshes := range map[string]bool{"by the JWT": false, "by single-use refresh tokens": true} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				out, most := 0, 0
				p := platform{life: 60, refreshes: refreshes, lag: 300 * time.Millisecond, auth: func(http.ResponseWriter, asked, int) bool {
					mu.Lock()
					out++
					most = max(most, out)
					mu.Unlock()
					time.Sleep(300 * time.Millisecond)
					mu.Lock()
					out--
					mu.Unlock()
					return false
				}}
				p.answer = func(w http.ResponseWriter, _ asked, _ int) { _, _ = io.WriteString(w, `{"id":1}`) }
				c := p.client(t)
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						for begin := time.Now(); time.Since(begin) < 10*time.Minute; time.Sleep(170 * time.Millisecond) {
							if _, err := c.Message(t.Context(), "1"); err != nil {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				require.Zero(t, p.unauthorized)
				require.Equal(t, 1, most, "at a time")
				require.LessOrEqual(t, busiest(p.auths), 5)
				require.InDelta(t, 12.5, len(p.auths), 0.6, "each lives for 80 % of its life")
				for i, a := range p.auths[1:] {
					form, _ := url.ParseQuery(a.body)
					require.Equal(t, refreshes, form.Get("grant_type") == "refresh_token", i)
				}
			})
		})
	}
}

func TestATokenRefusedIsRenewedOnceAndTheCallGoesOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p platform
		c := p.client(t)
		require.NoError(t, c.Authenticate(t.Context()))
		p.revoke()
		_, err := c.SendSMS(t.Context(), text())
		require.NoError(t, err)
		require.Len(t, p.calls, 2)
		require.Len(t, p.auths, 2)

		p.answer = func(w http.ResponseWriter, _ asked, _ int) { w.WriteHeader(http.StatusUnauthorized) }
		_, err = c.SendSMS(t.Context(), text())
		require.Equal(t, 401, failure(t, err).Status)
		require.Equal(t, ringcentral.Refused, failure(t, err).Outcome)
		require.Len(t, p.calls, 4, "no third time")
		require.Len(t, p.auths, 3)
	})
}

func TestCallersRefusedTogetherRenewOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p platform
		c := p.client(t)
		require.NoError(t, c.Authenticate(t.Context()))
		for _, ask := range []func() error{
			func() error { return second(c.Message(t.Context(), "1")) },
			func() error { return second(c.Content(t.Context(), "1")) },
		} {
			require.NoError(t, ask()) // the routes are known, so that nothing holds up the next ones
		}
		p.revoke()
		var wg sync.WaitGroup
		wg.Go(func() { require.NoError(t, second(c.Message(t.Context(), "1"))) })
		wg.Go(func() { require.NoError(t, second(c.Content(t.Context(), "1"))) })
		wg.Wait()
		require.Len(t, p.auths, 2)
	})
}

func TestRevokedCredentialsAreSaidAndAskedAboutOnceAMinute(t *testing.T) {
	for _, status := range []int{400, 401, 403} {
		synctest.Test(t, func(t *testing.T) {
			revoked := true
			p := platform{auth: func(w http.ResponseWriter, _ asked, _ int) bool {
				if revoked {
					w.WriteHeader(status)
					_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"JWT `+jwt+` is revoked for `+clientSecret+`"}`)
				}
				return revoked
			}}
			var log bytes.Buffer
			c := p.client(t, func(_ *ringcentral.PlatformConfig, d *ringcentral.Deps) {
				d.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			for range 20 {
				_, err := c.SendSMS(t.Context(), text())
				require.ErrorIs(t, err, ringcentral.ErrCredentials)
				require.Equal(t, 401, failure(t, err).Status, "what the gates of both directions take for unauthorized")
				require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
				require.Equal(t, "invalid_grant", failure(t, err).Code)
				require.NotContains(t, err.Error(), jwt)
				require.NotContains(t, err.Error(), clientSecret)
			}
			require.Len(t, p.auths, 1, "a 400 is not repeated")
			require.Empty(t, p.calls)
			time.Sleep(time.Minute)
			_, err := c.SendSMS(t.Context(), text())
			require.ErrorIs(t, err, ringcentral.ErrCredentials)
			require.Len(t, p.auths, 2)
			revoked = false
			time.Sleep(time.Minute)
			_, err = c.SendSMS(t.Context(), text())
			require.NoError(t, err, "it goes on by itself")
			require.NotContains(t, log.String(), jwt)
			require.NotContains(t, log.String(), clientSecret)
			require.NotContains(t, log.String(), "access-1")
		})
	}
}

func TestARefusedRefreshTokenSaysNothingAboutTheJWT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{refreshes: true, life: 60}
		c := p.client(t)
		require.NoError(t, c.Authenticate(t.Context()))
		p.mu.Lock()
		p.refresh = "used by another"
		p.mu.Unlock()
		time.Sleep(59 * time.Second)
		require.NoError(t, second(c.Message(t.Context(), "1")))
		require.Len(t, p.auths, 3, "JWT, refresh, JWT")
	})
}

func TestALostAnswerToARefreshIsAskedForAgainWithTheSameToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{refreshes: true, life: 60}
		p.auth = func(w http.ResponseWriter, _ asked, n int) bool {
			if n == 2 {
				w.WriteHeader(http.StatusGatewayTimeout)
			}
			return n == 2
		}
		c := p.client(t)
		require.NoError(t, c.Authenticate(t.Context()))
		time.Sleep(59 * time.Second)
		require.NoError(t, second(c.Message(t.Context(), "1")))
		require.Len(t, p.auths, 3)
		require.Equal(t, p.auths[1].body, p.auths[2].body)
	})
}

func TestTheTokenEndpointOutOfOrderIsTriedThreeTimesTenSecondsApart(t *testing.T) {
	for _, status := range []int{408, 500, 502, 504} {
		synctest.Test(t, func(t *testing.T) {
			p := platform{auth: func(w http.ResponseWriter, _ asked, _ int) bool { w.WriteHeader(status); return true }}
			c := p.client(t)
			begin := time.Now()
			_, err := c.SendSMS(t.Context(), text())
			require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
			require.Zero(t, failure(t, err).Status, "not a word of the API about this call")
			require.Equal(t, 20*time.Second, time.Since(begin))
			require.Len(t, p.auths, 3)
			for range 9 {
				_, err = c.Message(t.Context(), "1")
				require.Error(t, err)
			}
			require.Len(t, p.auths, 3, "nor at once again")
		})
	}
}

func TestTheTokenEndpointIsWaitedForAsLongAsItAsks(t *testing.T) {
	for _, c := range []struct {
		status     int
		retryAfter string
		wait       time.Duration
	}{{429, "45", 45 * time.Second}, {429, "", 30 * time.Second}, {503, "45", 45 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			p := platform{auth: func(w http.ResponseWriter, _ asked, n int) bool {
				if n > 1 {
					return false
				}
				if c.retryAfter != "" {
					w.Header().Set("Retry-After", c.retryAfter)
				}
				w.WriteHeader(c.status)
				return true
			}}
			client := p.client(t)
			_, err := client.SendSMS(t.Context(), text())
			require.Equal(t, c.wait, failure(t, err).RetryAfter)
			require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
			require.Equal(t, c.status == 429, errors.Is(err, ringcentral.ErrNoBudget), "a wait, not an attempt")
			time.Sleep(c.wait - time.Millisecond)
			_, err = client.SendSMS(t.Context(), text())
			require.Error(t, err)
			require.Len(t, p.auths, 1)
			time.Sleep(time.Millisecond)
			_, err = client.SendSMS(t.Context(), text())
			require.NoError(t, err)
		})
	}
}

func TestNoMinuteSeesMoreThanFiveAuthentications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p platform
		p.answer = func(w http.ResponseWriter, _ asked, _ int) { w.WriteHeader(http.StatusUnauthorized) }
		c := p.client(t)
		for range 40 {
			_, err := c.Message(t.Context(), "1")
			require.Equal(t, 401, failure(t, err).Status)
		}
		require.Greater(t, len(p.auths), 30)
		require.LessOrEqual(t, busiest(p.auths), 5)
	})
}

func TestARenewalThatFailsLeavesTheTokenInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{life: 100}
		p.auth = func(w http.ResponseWriter, _ asked, n int) bool {
			if n > 1 {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return n > 1
		}
		c := p.client(t)
		require.NoError(t, c.Authenticate(t.Context()))
		time.Sleep(81 * time.Second)
		begin := time.Now()
		for range 10 {
			require.NoError(t, second(c.Message(t.Context(), "1")))
		}
		require.Less(t, time.Since(begin), time.Second)
		synctest.Wait()
		require.Greater(t, len(p.auths), 1)
	})
}

func TestWhoWaitsForATokenWaitsNoLongerThanItsDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{auth: func(http.ResponseWriter, asked, int) bool { time.Sleep(5 * time.Second); return false }}
		c := p.client(t)
		begin := time.Now()
		_, err := c.SendSMS(ringcentral.WithStartDeadline(t.Context(), begin.Add(time.Second)), text())
		require.ErrorIs(t, err, ringcentral.ErrTooLate)
		require.Equal(t, time.Second, time.Since(begin))

		stopping := errors.New("stopping")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(stopping) })
		_, err = c.SendSMS(ctx, text())
		require.ErrorIs(t, err, stopping)
		require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
		require.Equal(t, 2*time.Second, time.Since(begin))
	})
}

func TestATokenThatCannotBeATokenIsNone(t *testing.T) {
	for fact, answer := range map[string]string{
		"no JSON":       "<html>hotel</html>",
		"no token":      `{"token_type":"bearer"}`,
		"a line break":  `{"access_token":"a\nb","expires_in":3600}`,
		"another shape": `{"access_token":{"a":1}}`,
	} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := platform{auth: func(w http.ResponseWriter, _ asked, _ int) bool { _, _ = io.WriteString(w, answer); return true }}
				err := p.client(t).Authenticate(t.Context())
				require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
				require.NotContains(t, err.Error(), "hotel")
			})
		})
	}
}

func text() ringcentral.TextMessage {
	return ringcentral.TextMessage{From: "+15550100", To: []string{"+15550111"}, Text: "Your parcel is on its way"}
}

// Calls that wait for a token must not gather behind their budget, to go all at once when the token comes.
func TestTheEndOfAnAuthenticationOutageIsNoStampede(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{life: 60}
		p.auth = func(_ http.ResponseWriter, _ asked, n int) bool {
			if n == 2 {
				time.Sleep(150 * time.Second)
			}
			return false
		}
		offences := counted(&p, "light", 50)
		c := p.client(t)
		require.NoError(t, second(c.Message(t.Context(), "1")))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				outOfTime(ctx, second(c.Message(ringcentral.WithPriority(ctx, ringcentral.Reply), "1")))
			})
		}
		wg.Wait()
		require.Zero(t, *offences)
		require.LessOrEqual(t, busiest(p.calls), 50)
	})
}
