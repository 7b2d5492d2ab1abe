package subscribe_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest/subscribe"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const address = "http://bridge/webhooks/ringcentral"

// bench is a keeper of the simulated platform, on fake time.
type bench struct {
	server  *sandbox.Server
	account *sandbox.Platform
	client  *ringcentral.Platform
	reg     *prometheus.Registry
	path    string // of contents
	every   time.Duration
	healed  atomic.Int64

	mu     sync.Mutex
	tokens []string // of the notifications
}

func bubble(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{path: ringcentral.SocialMessaging}
		receiver := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Validation-Token", r.Header.Get("Validation-Token"))
			if token := r.Header.Get("Verification-Token"); token != "" {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.tokens = append(b.tokens, token)
			}
		})
		b.server = sandbox.New(sandbox.Config{Seed: 1}, sandbox.Deps{HTTP: &http.Client{Transport: sandbox.Transport{Handler: receiver}}})
		t.Cleanup(b.server.Close)
		b.account = b.server.Platform()
		b.client = ringcentral.NewPlatform(ringcentral.PlatformConfig{
			ServerURL: "http://sandbox", ClientID: sandbox.DefaultClientID, ClientSecret: sandbox.DefaultClientSecret, JWT: sandbox.DefaultJWT,
			ContentsPath: ringcentral.SocialMessaging,
		}, ringcentral.Deps{HTTP: &http.Client{Transport: sandbox.Transport{Handler: b.server.Handler()}}})
		t.Cleanup(b.client.Close)
		test(t, b)
	})
}

// begin runs a keeper until stop is called.
func (b *bench) begin(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	b.reg = prometheus.NewRegistry()
	k := subscribe.New(subscribe.Deps{
		Platform: b.client, Token: "token", ContentsPath: b.path, Healed: func() { b.healed.Add(1) }, Registerer: b.reg,
	}, subscribe.Config{URL: address, Interval: b.every})
	done := make(chan struct{})
	go func() { defer close(done); k.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	time.Sleep(5 * time.Second)
	return stop
}

// only returns the one subscription there is.
func (b *bench) only(t *testing.T) sandbox.Subscription {
	t.Helper()
	all := b.account.Subscriptions()
	require.Len(t, all, 1)
	require.Equal(t, sandbox.SubscriptionActive, all[0].Status)
	return all[0]
}

func TestASubscriptionIsMadeOnceAndFoundAgain(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		stop := b.begin(t)
		made := b.only(t)
		require.Len(t, made.EventFilters, 5)
		time.Sleep(10 * time.Minute)
		stop()
		b.begin(t)
		time.Sleep(10 * time.Minute)
		require.Equal(t, made.ID, b.only(t).ID)
		require.EqualValues(t, 1, b.healed.Load())

		_, err := b.account.ImportMessages(sandbox.MessageImport{})
		require.NoError(t, err)
		time.Sleep(time.Second)
		b.mu.Lock()
		defer b.mu.Unlock()
		require.Equal(t, []string{"token", "token"}, b.tokens, "the message, and the hint")
	})
}

func TestASubscriptionOutlivesItsExpiry(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.begin(t)
		made := b.only(t)
		for range 9 {
			time.Sleep(24 * time.Hour)
			require.Equal(t, made.ID, b.only(t).ID)
		}
		require.EqualValues(t, 1, b.healed.Load(), "nothing was missed")
	})
}

func TestADeadSubscriptionIsMadeAnewAndAllIsPolled(t *testing.T) {
	for name, kill := range map[string]func(t *testing.T, b *bench, id string){
		"blacklisted": func(t *testing.T, b *bench, id string) {
			t.Helper()
			require.NoError(t, b.account.BlacklistSubscription(id, "404"))
		},
		"expired": func(t *testing.T, b *bench, id string) {
			t.Helper()
			require.NoError(t, b.account.ExpireSubscription(id))
		},
		"deleted by hand": func(t *testing.T, b *bench, id string) {
			t.Helper()
			require.NoError(t, b.account.RemoveSubscription(id))
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.begin(t)
				made := b.only(t)
				kill(t, b, made.ID)
				time.Sleep(70 * time.Second)
				require.NotEqual(t, made.ID, b.only(t).ID)
				require.EqualValues(t, 2, b.healed.Load())
				n, err := testutil.GatherAndCount(b.reg, "ringbridge_subscription_changes_total")
				require.NoError(t, err)
				require.Equal(t, 6, n)
			})
		})
	}
}

func TestADeadSubscriptionIsNoticedAtThePaceOfPolling(t *testing.T) {
	for fact, c := range map[string]struct{ interval, noticed time.Duration }{
		"as often as is polled":            {10 * time.Second, 10 * time.Second},
		"after a minute when that is rare": {time.Hour, time.Minute},
		"after a minute when not told":     {0, time.Minute},
	} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.every = c.interval
				b.begin(t)
				made := b.only(t)
				require.NoError(t, b.account.RemoveSubscription(made.ID))
				time.Sleep(c.noticed - 6*time.Second) // begin has waited 5 s
				require.Empty(t, b.account.Subscriptions())
				time.Sleep(2 * time.Second)
				require.NotEqual(t, made.ID, b.only(t).ID)
			})
		})
	}
}

// TestAFailedCheckIsRepeatedOnceAMinute also when checks are frequent.
func TestAFailedCheckIsRepeatedOnceAMinute(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		const list = "GET /restapi/v1.0/subscription"
		_, err := b.server.AddFault(sandbox.Fault{Route: list, Status: http.StatusServiceUnavailable})
		require.NoError(t, err)
		b.every = time.Second
		b.begin(t)
		time.Sleep(4 * time.Minute)
		require.LessOrEqual(t, b.server.Faults()[0].Hits, 5)
		require.Empty(t, b.account.Subscriptions())
	})
}

func TestOtherFiltersAreReplaced(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.path = ""
		b.begin(t)()
		made := b.only(t)
		require.Len(t, made.EventFilters, 2)
		b.path = ringcentral.SocialMessaging
		b.begin(t)
		require.Equal(t, made.ID, b.only(t).ID)
		require.Len(t, b.only(t).EventFilters, 5)
	})
}

// The answer to a creation is lost, as often as not.
func TestALostAnswerLeavesNoTwin(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		_, err := b.server.AddFault(sandbox.Fault{Route: "POST /restapi/v1.0/subscription", Status: http.StatusBadGateway, AfterEffect: true, Times: 1})
		require.NoError(t, err)
		b.begin(t)
		time.Sleep(5 * time.Minute)
		b.only(t)
	})
}

func TestTwinsAreDeleted(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		for range 3 {
			_, err := b.client.Subscribe(t.Context(), ringcentral.NewSubscription{EventFilters: []string{"/restapi/v1.0/account/~/a"}, Address: address})
			require.NoError(t, err)
		}
		other, err := b.client.Subscribe(t.Context(), ringcentral.NewSubscription{EventFilters: []string{"/restapi/v1.0/account/~/a"}, Address: "http://other/"})
		require.NoError(t, err)
		b.begin(t)
		all := b.account.Subscriptions()
		require.Len(t, all, 2)
		require.Contains(t, []string{all[0].ID, all[1].ID}, other.ID)
	})
}

func TestSilenceBeyondTheHabitIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var alarms atomic.Int64
		w := subscribe.NewWatchdog(func() { alarms.Add(1) }, nil, nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go w.Run(ctx)
		time.Sleep(2 * time.Hour)
		require.Zero(t, alarms.Load(), "nothing is learned yet")
		for range 12 {
			w.Saw()
			time.Sleep(10 * time.Minute)
		}
		time.Sleep(29 * time.Minute)
		require.Zero(t, alarms.Load(), "four times the longest silence is usual")
		time.Sleep(3 * time.Minute)
		require.EqualValues(t, 1, alarms.Load())
		time.Sleep(time.Hour)
		require.EqualValues(t, 1, alarms.Load(), "told once")
		for range 26 * 12 {
			w.Saw()
			time.Sleep(5 * time.Minute)
		}
		time.Sleep(18 * time.Minute)
		require.EqualValues(t, 2, alarms.Load(), "what is older than a day is no habit")
	})
}
