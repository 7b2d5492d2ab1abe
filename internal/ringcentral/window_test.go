package ringcentral_test

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// toldOf makes a client tell its penalty windows to a slice, as they are written for other processes.
func toldOf(windows *[]ringcentral.Window) func(*ringcentral.PlatformConfig, *ringcentral.Deps) {
	return func(_ *ringcentral.PlatformConfig, deps *ringcentral.Deps) {
		deps.Penalized = func(w ringcentral.Window) {
			text, err := json.Marshal(w)
			if err == nil {
				err = json.Unmarshal(text, &w)
			}
			if err != nil {
				panic(err)
			}
			*windows = append(*windows, w)
		}
	}
}

// refusedOnce makes p refuse its first call, with the headers of group where that is not empty.
func refusedOnce(p *platform, group string) {
	p.answer = func(w http.ResponseWriter, _ asked, n int) {
		if group != "" {
			limitHeaders(w.Header(), group, 50, min(n-1, 40))
		}
		if n == 1 {
			w.Header().Set("Retry-After", "20")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		_, _ = io.WriteString(w, `{"id":1,"records":[]}`)
	}
}

func TestAWindowThatAnotherProcessWasToldOfIsKept(t *testing.T) {
	const floor = 21 * time.Second // and a second for the clocks
	for fact, group := range map[string]string{"of a group": "Light", "of a route without one": ""} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p platform
				var windows []ringcentral.Window
				refusedOnce(&p, group)
				told, other := p.client(t, toldOf(&windows)), p.client(t)
				_, err := told.Message(t.Context(), "1")
				require.Equal(t, 20*time.Second, failure(t, err).RetryAfter)
				require.Len(t, windows, 1)
				other.Hold(windows[0])
				start := time.Now()
				_, err = other.Message(t.Context(), "1")
				require.NoError(t, err)
				require.Equal(t, floor, time.Since(start))
			})
		})
	}
}

func TestAWindowOfEngageIsKeptByAllItsClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var windows []ringcentral.Window
		refusing := tripper(func(r *http.Request) (*http.Response, error) {
			return answered(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "20")
				w.WriteHeader(http.StatusTooManyRequests)
			}, r), nil
		})
		answering := tripper(func(r *http.Request) (*http.Response, error) { return answered(content, r), nil })
		told := engage(t, "https://acme.example", ringcentral.Deps{
			HTTP: &http.Client{Transport: refusing}, Penalized: func(w ringcentral.Window) { windows = append(windows, w) },
		})
		other := engage(t, "https://acme.example", ringcentral.Deps{HTTP: &http.Client{Transport: answering}})
		_, err := told.Content(t.Context(), "1")
		require.Error(t, err)
		require.Len(t, windows, 1)
		other.Hold(windows[0])
		start := time.Now()
		_, err = other.Content(t.Context(), "1")
		require.NoError(t, err)
		require.Equal(t, 21*time.Second, time.Since(start))
	})
}

func TestWindowsThatHoldNobody(t *testing.T) {
	for fact, change := range map[string]func(*ringcentral.Window){
		"of another API":   func(w *ringcentral.Window) { w.API = "engage" },
		"of another group": func(w *ringcentral.Window) { w.Budget = "heavy" },
		"that are over":    func(w *ringcentral.Window) { w.Until = time.Now().Add(-time.Second) },
		"of nothing":       func(w *ringcentral.Window) { w.Budget = "" },
		"of no such route": func(w *ringcentral.Window) { w.Budget, w.Route = "route:unnamed", "x" },
	} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p platform
				p.answer = func(w http.ResponseWriter, _ asked, n int) {
					limitHeaders(w.Header(), "light", 50, 50-n)
					_, _ = io.WriteString(w, `{"id":1}`)
				}
				c := p.client(t)
				require.NoError(t, second(c.Message(t.Context(), "1")))
				w := ringcentral.Window{API: "platform", Budget: "light", Route: "get_message", Until: time.Now().Add(time.Minute)}
				change(&w)
				c.Hold(w)
				start := time.Now()
				require.NoError(t, second(c.Message(t.Context(), "1")))
				require.Less(t, time.Since(start), 5*time.Second)
			})
		})
	}
}

// A token that works is shown until it is spent, whatever the token endpoint is told meanwhile.
func TestAWindowOfTheTokenEndpointHoldsNoCallThatHasAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{life: 60}
		c := p.client(t)
		require.NoError(t, c.Authenticate(t.Context()))
		c.Hold(ringcentral.Window{API: "platform", Budget: "own:auth", Route: "authenticate", Until: time.Now().Add(54 * time.Second)})
		for begin := time.Now(); time.Since(begin) < 2*time.Minute; time.Sleep(time.Second) {
			start := time.Now()
			require.NoError(t, second(c.Message(t.Context(), "1")))
			require.Less(t, time.Since(start), time.Second)
		}
		require.Equal(t, 55*time.Second, p.auths[1].at.Sub(p.auths[0].at).Truncate(time.Second))
		require.Zero(t, p.unauthorized)
	})
}

// The limit of five is the account's: three replicas that begin together and have tokens of a minute are beyond it in a minute with two
// renewals, and only in such.
func TestTokensOfAMinuteOfThreeReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{life: 60}
		p.answer = func(w http.ResponseWriter, _ asked, _ int) { _, _ = io.WriteString(w, `{"id":1}`) }
		var wg sync.WaitGroup
		for range 3 {
			c := p.client(t)
			wg.Go(func() {
				for begin := time.Now(); time.Since(begin) < 10*time.Minute; time.Sleep(500 * time.Millisecond) {
					if _, err := c.Message(t.Context(), "1"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		require.Zero(t, p.unauthorized)
		require.Equal(t, 6, busiest(p.auths))
		require.Len(t, p.auths, 3*13)
	})
}

// The headers of a 429 say that nothing remains of a window of a minute; what the answer says of the wait holds.
func TestAGroupIsOpenAgainWhenTheRefusalSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p platform
		refusedOnce(&p, "Light")
		c := p.client(t)
		_, err := c.Message(t.Context(), "1")
		require.Error(t, err)
		start := time.Now()
		require.NoError(t, second(c.Message(t.Context(), "1")))
		require.Less(t, time.Since(start), 30*time.Second, "and a little, as a poll leaves the burst to replies")
	})
}

// A refresh ends the old token at once, also for calls that left before it: the network is no shorter for them.
func TestARefreshWaitsForTheCallsOnTheirWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{life: 60, refreshes: true}
		p.answer = func(w http.ResponseWriter, _ asked, _ int) { _, _ = io.WriteString(w, `{"id":1}`) }
		slow := tripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/restapi/oauth/token" {
				time.Sleep(100 * time.Millisecond)
			}
			return p.RoundTrip(r)
		})
		c := p.client(t, func(_ *ringcentral.PlatformConfig, deps *ringcentral.Deps) { deps.HTTP = &http.Client{Transport: slow} })
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for begin := time.Now(); time.Since(begin) < 10*time.Minute; time.Sleep(time.Duration(100+i) * time.Millisecond) {
					if _, err := c.Message(t.Context(), "1"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		require.Zero(t, p.unauthorized)
		require.LessOrEqual(t, busiest(p.auths), 5)
	})
}
