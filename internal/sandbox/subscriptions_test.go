package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const (
	hookAddress   = "http://bridge/webhooks/ringcentral"
	instantFilter = user + "/message-store/instant?type=SMS"
	storeFilter   = user + "/message-store"
	subPath       = "/restapi/v1.0/subscription"
)

// listener is a subscription's other end.
type listener struct {
	mu       sync.Mutex
	echo     func(http.ResponseWriter, string) // the handshake; nil answers it as it should be
	statuses []int                             // one a notification, then 200
	always   int                               // instead
	got      []notified
}

type notified struct {
	header http.Header
	raw    string
	sandbox.Notification
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if token := r.Header.Get("Validation-Token"); token != "" && r.Header.Get("Content-Type") == "" {
		if l.echo != nil {
			l.echo(w, token)
			return
		}
		w.Header().Set("Validation-Token", token)
		w.Header().Set("Content-Type", "application/json")
		return
	}
	body, _ := io.ReadAll(r.Body)
	n := notified{header: r.Header, raw: string(body)}
	_ = json.Unmarshal(body, &n.Notification)
	l.got = append(l.got, n)
	status := http.StatusOK
	if l.always != 0 {
		status = l.always
	}
	if len(l.statuses) > 0 {
		status, l.statuses = l.statuses[0], l.statuses[1:]
	}
	w.WriteHeader(status)
}

func (l *listener) received() []notified {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]notified(nil), l.got...)
}

// subscribed starts a platform whose notifications go to the listener, for the filters.
func subscribed(t *testing.T, l *listener, cfg sandbox.PlatformConfig, filters ...string) (*platform, sandbox.Subscription) {
	t.Helper()
	cfg.TokenLife = 1000 * time.Hour
	p := loggedIn(t, cfg, sandbox.Deps{HTTP: &http.Client{Transport: sandbox.Transport{Handler: l}}})
	if len(filters) == 0 {
		return p, sandbox.Subscription{}
	}
	p.subscribe("", filters...)
	return p, p.Subscriptions()[0]
}

// subscribe creates a subscription; more goes into the body.
func (p *platform) subscribe(more string, filters ...string) answer {
	p.t.Helper()
	list, err := json.Marshal(filters)
	require.NoError(p.t, err)
	return p.call(http.MethodPost, subPath, fmt.Sprintf(`{"eventFilters":%s,%s"deliveryMode":{"transportType":"WebHook",
		"address":%q,"verificationToken":"v3rify","expiresIn":60}}`, list, more, hookAddress))
}

func TestSubscriptionLooksAsRecorded(t *testing.T) {
	p, _ := subscribed(t, &listener{}, sandbox.PlatformConfig{})
	got := p.subscribe("", instantFilter)
	require.Equal(t, 200, got.status)
	require.Equal(t, keysOf(t, sample("rc_subscription_create_webhook_response")), keysOf(t, string(got.body)))
	require.NotContains(t, string(got.body), "v3rify")
	s := p.Subscriptions()[0]
	require.Equal(t, 604_799, s.ExpiresIn, "seven days: expiresIn in deliveryMode is not seen")
	require.Equal(t, []string{strings.NewReplacer("account/~", "account/"+sandbox.AccountID, "extension/~",
		"extension/"+sandbox.ExtensionID).Replace(instantFilter)}, s.EventFilters, "expanded")
	require.Equal(t, sandbox.SubscriptionActive, s.Status)
}

func TestSubscriptionIsRefused(t *testing.T) {
	mode := `"deliveryMode":{"transportType":"WebHook","address":"` + hookAddress + `"}`
	filters := `"eventFilters":["` + instantFilter + `"]`
	for name, test := range map[string]struct {
		body, code string
	}{
		"no filters":                {`{` + mode + `}`, "SUB-508"},
		"an odd filter":             {`{"eventFilters":["/odd"],` + mode + `}`, "SUB-508"},
		"an odd event of contents":  {`{"eventFilters":["` + contentsPath + `/Replied"],` + mode + `}`, "SUB-508"},
		"another transport":         {`{` + filters + `,"deliveryMode":{"transportType":"PubNub"}}`, "CMN-101"},
		"an odd address":            {`{` + filters + `,"deliveryMode":{"transportType":"WebHook","address":"nowhere"}}`, "CMN-101"},
		"no expiry":                 {`{"expiresIn":0,` + filters + `,` + mode + `}`, "CMN-101"},
		"an expiry beyond the most": {`{"expiresIn":315360001,` + filters + `,` + mode + `}`, "CMN-101"},
		"http, on demand":           {`{` + filters + `,` + mode + `}`, "SUB-523"},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := subscribed(t, &listener{}, sandbox.PlatformConfig{RequireHTTPS: test.code == "SUB-523"})
			got := p.call(http.MethodPost, subPath, test.body)
			require.Equal(t, 400, got.status)
			require.Equal(t, test.code, got.code())
			if strings.Contains(name, "expiry") {
				require.Contains(t, string(got.body), `"errorCode":"InvalidParameter"`, "the code at the top differs")
			}
		})
	}
}

func TestHandshakeOfASubscription(t *testing.T) {
	for name, test := range map[string]struct {
		echo func(http.ResponseWriter, string)
		code string
	}{
		"another status": {func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusCreated) }, "SUB-521"},
		"no token":       {func(http.ResponseWriter, string) {}, "SUB-520"},
		"another token":  {func(w http.ResponseWriter, _ string) { w.Header().Set("Validation-Token", "x") }, "SUB-520"},
		"no JSON":        {func(w http.ResponseWriter, token string) { w.Header().Set("Validation-Token", token) }, "SUB-525"},
		"more than 1024 bytes": {func(w http.ResponseWriter, token string) {
			w.Header().Set("Validation-Token", token)
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, strings.Repeat(" ", 1024))
		}, "SUB-525"},
		"later than three seconds": {func(w http.ResponseWriter, token string) {
			time.Sleep(3*time.Second + time.Millisecond)
			w.Header().Set("Validation-Token", token)
			w.Header().Set("Content-Type", "application/json")
		}, "SUB-521"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := subscribed(t, &listener{echo: test.echo}, sandbox.PlatformConfig{})
				got := p.subscribe("", instantFilter)
				require.Equal(t, 400, got.status)
				require.Equal(t, test.code, got.code())
				require.Empty(t, p.Subscriptions())
				time.Sleep(time.Second)
			})
		})
	}
}

func TestThirtySubscriptions(t *testing.T) {
	p, _ := subscribed(t, &listener{}, sandbox.PlatformConfig{})
	for range 30 {
		require.Equal(t, 200, p.subscribe("", instantFilter).status, "alike as they are")
	}
	got := p.subscribe("", instantFilter)
	require.Equal(t, 403, got.status)
	require.Equal(t, "SUB-505", got.code())
	one := p.Subscriptions()[0].ID
	require.Equal(t, 204, p.call(http.MethodDelete, subPath+"/"+one, "").status)
	require.Equal(t, 404, p.call(http.MethodGet, subPath+"/"+one, "").status)
	require.Equal(t, 200, p.subscribe("", instantFilter).status)
}

func TestSubscriptionExpiresUnlessRenewed(t *testing.T) {
	renewals := map[string]func(p *platform, id string) answer{
		"renew":           func(p *platform, id string) answer { return p.call(http.MethodPost, subPath+"/"+id+"/renew", "") },
		"an empty update": func(p *platform, id string) answer { return p.call(http.MethodPut, subPath+"/"+id, "") },
		"one with filters": func(p *platform, id string) answer {
			return p.call(http.MethodPut, subPath+"/"+id, `{"eventFilters":["`+storeFilter+`"]}`)
		},
	}
	for name, renew := range renewals {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := subscribed(t, &listener{}, sandbox.PlatformConfig{})
				require.Equal(t, 200, p.subscribe(`"expiresIn":3600,`, instantFilter).status)
				id := p.Subscriptions()[0].ID
				time.Sleep(59 * time.Minute)
				require.Equal(t, 200, renew(p, id).status)
				time.Sleep(59 * time.Minute)
				require.Equal(t, 200, p.call(http.MethodGet, subPath+"/"+id, "").status)
				require.Equal(t, name == "one with filters", strings.HasSuffix(p.Subscriptions()[0].EventFilters[0], "message-store"))
				time.Sleep(time.Minute)
				require.Empty(t, p.Subscriptions())
				got := renew(p, id)
				require.Equal(t, 404, got.status)
				require.Equal(t, "SUB-507", got.code())
				require.NotContains(t, string(p.call(http.MethodGet, subPath, "").body), id)
			})
		})
	}
}

func TestSubscriptionsByControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		p, s := subscribed(t, &l, sandbox.PlatformConfig{}, instantFilter)
		require.NoError(t, p.BlacklistSubscription(s.ID, "because"))
		p.importMessage(sandbox.MessageImport{})
		synctest.Wait()
		require.Empty(t, l.received())
		got := string(p.call(http.MethodGet, subPath+"/"+s.ID, "").body)
		require.Contains(t, got, `"status":"Blacklisted"`)
		require.Contains(t, got, `"reason":"because"`)
		require.Equal(t, 200, p.call(http.MethodPost, subPath+"/"+s.ID+"/renew", "").status)
		require.Equal(t, sandbox.SubscriptionBlacklisted, p.Subscriptions()[0].Status, "renewal does not heal it")

		require.NoError(t, p.ExpireSubscription(s.ID))
		require.Empty(t, p.Subscriptions())
		require.NoError(t, p.RemoveSubscription(s.ID))
		require.ErrorIs(t, p.RemoveSubscription(s.ID), sandbox.ErrNotFound)
		require.Equal(t, "CMN-102", p.call(http.MethodGet, subPath+"/"+s.ID, "").code())
	})
}

func TestBlacklistedAfterTenMinutesOfFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := listener{always: http.StatusServiceUnavailable}
		p, _ := subscribed(t, &l, sandbox.PlatformConfig{}, instantFilter)
		for range 10 {
			p.importMessage(sandbox.MessageImport{})
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		require.Equal(t, sandbox.SubscriptionActive, p.Subscriptions()[0].Status)
		p.importMessage(sandbox.MessageImport{})
		synctest.Wait()
		s := p.Subscriptions()[0]
		require.Equal(t, sandbox.SubscriptionBlacklisted, s.Status)
		require.Equal(t, "Webhook responses with code: [503], reason: [Service Unavailable]", s.BlacklistedData.Reason)
		p.importMessage(sandbox.MessageImport{})
		synctest.Wait()
		require.Len(t, l.received(), 11, "it gets nothing any more")
	})
}

func TestASuccessEndsTheFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := listener{statuses: []int{500, 200, 500, 500}}
		p, _ := subscribed(t, &l, sandbox.PlatformConfig{}, instantFilter)
		for range 4 {
			p.importMessage(sandbox.MessageImport{})
			time.Sleep(9 * time.Minute)
			synctest.Wait()
		}
		require.Equal(t, sandbox.SubscriptionActive, p.Subscriptions()[0].Status)
		counts, attempts := p.Notifications()
		require.Equal(t, sandbox.NotificationCounts{Emitted: 4, Delivered: 1, Failed: 3}, counts, "nothing is sent again")
		require.Len(t, attempts, 4)
	})
}
