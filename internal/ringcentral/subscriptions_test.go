package ringcentral_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	subscriptions = "/restapi/v1.0/subscription"
	verification  = "Verific4tion-token"
)

func TestTheExpiryOfASubscriptionStandsAtTheTop(t *testing.T) {
	p := answering(`{"id":"s1","status":"Active","expirationTime":"2026-01-01T00:00:00.000+0000","deliveryMode":{"address":"https://bridge.example/x","verificationToken":"` + verification + `"}}`)
	c := p.client(t)
	s, err := c.Subscribe(t.Context(), ringcentral.NewSubscription{
		EventFilters: []string{"/restapi/v1.0/account/~/extension/~/message-store/instant?type=SMS"}, Address: "https://bridge.example/x",
		VerificationToken: verification, ExpiresIn: 90*time.Minute + time.Millisecond,
	})
	require.NoError(t, err)
	require.Equal(t, "s1", s.ID)
	require.Equal(t, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), s.ExpirationTime.UTC())
	require.Equal(t, subscriptions, p.last().path)
	require.Equal(t, http.MethodPost, p.last().method)
	require.JSONEq(t, `{"eventFilters":["/restapi/v1.0/account/~/extension/~/message-store/instant?type=SMS"],"expiresIn":5400,
		"deliveryMode":{"transportType":"WebHook","address":"https://bridge.example/x","verificationToken":"`+verification+`"}}`, p.last().body)

	_, err = c.Subscribe(t.Context(), ringcentral.NewSubscription{EventFilters: []string{"f"}, Address: "a"})
	require.NoError(t, err)
	require.JSONEq(t, `{"eventFilters":["f"],"deliveryMode":{"transportType":"WebHook","address":"a"}}`, p.last().body, "0 would be refused")
	_, err = c.Subscribe(t.Context(), ringcentral.NewSubscription{EventFilters: []string{"f"}, Address: "a", ExpiresIn: time.Millisecond})
	require.NoError(t, err)
	require.Contains(t, p.last().body, `"expiresIn":1`)
}

func TestASubscriptionIsAskedForAsTheSampledRequestDoes(t *testing.T) {
	request := sample("rc_subscription_create_request")
	var sampled struct {
		EventFilters []string
		DeliveryMode struct{ Address string }
	}
	require.NoError(t, json.Unmarshal([]byte(request), &sampled))
	p := answering(sample("rc_subscription_create_webhook_response"))
	_, err := p.client(t).Subscribe(t.Context(), ringcentral.NewSubscription{EventFilters: sampled.EventFilters, Address: sampled.DeliveryMode.Address})
	require.NoError(t, err)
	require.JSONEq(t, request, p.last().body)
}

func TestASubscriptionIsKept(t *testing.T) {
	p := answering(`{"id":"s1","status":"Blacklisted","blacklistedData":{"blacklistedAt":"2026-01-01T00:00:00Z","reason":"Read timed out"},"records":[]}`)
	c := p.client(t)
	for want, ask := range map[string]func() error{
		"GET " + subscriptions:                func() error { return second(c.Subscriptions(t.Context())) },
		"GET " + subscriptions + "/s1":        func() error { return second(c.Subscription(t.Context(), "s1")) },
		"PUT " + subscriptions + "/s1":        func() error { return second(c.UpdateSubscription(t.Context(), "s1", []string{"f"})) },
		"POST " + subscriptions + "/s1/renew": func() error { return second(c.RenewSubscription(t.Context(), "s1")) },
		"DELETE " + subscriptions + "/s1":     func() error { return c.DeleteSubscription(t.Context(), "s1") },
	} {
		require.NoError(t, ask(), want)
		require.Equal(t, want, p.last().method+" "+p.last().path)
	}
	s, err := c.Subscription(t.Context(), "s1")
	require.NoError(t, err)
	require.Equal(t, ringcentral.SubscriptionBlacklisted, s.Status)
	require.Equal(t, "Read timed out", s.BlacklistedData.Reason)
}

func TestASubscriptionThatNamesNothingIsNotAskedFor(t *testing.T) {
	var p platform
	c := p.client(t)
	for _, err := range []error{
		second(c.Subscription(t.Context(), "")), second(c.RenewSubscription(t.Context(), "..")), c.DeleteSubscription(t.Context(), ""),
		second(c.UpdateSubscription(t.Context(), "s", nil)), second(c.UpdateSubscription(t.Context(), "", []string{"f"})),
		second(c.Subscribe(t.Context(), ringcentral.NewSubscription{Address: "a"})),
		second(c.Subscribe(t.Context(), ringcentral.NewSubscription{EventFilters: []string{"f"}})),
	} {
		require.ErrorIs(t, err, ringcentral.ErrInvalid)
	}
	require.Empty(t, p.calls)
}

func TestTheVerificationTokenIsInNoError(t *testing.T) {
	p := &platform{answer: func(w http.ResponseWriter, a asked, _ int) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"errorCode":"SUB-521","message":"no answer from `+verification+`"}`)
	}}
	_, err := p.client(t).Subscribe(t.Context(), ringcentral.NewSubscription{EventFilters: []string{"f"}, Address: "https://a.example", VerificationToken: verification})
	require.Equal(t, "SUB-521", failure(t, err).Code)
	require.NotContains(t, err.Error(), verification)
}
