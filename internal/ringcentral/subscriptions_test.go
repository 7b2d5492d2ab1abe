package ringcentral_test

import (
	"encoding/json"
	"errors"
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

func TestASubscriptionIsReadWhateverShapeItsFieldsHave(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for fact, c := range map[string]struct {
		body string
		get  func(s ringcentral.Subscription) any
		want any
	}{
		"seconds as text":          {`{"id":"s","expiresIn":"604799"}`, func(s ringcentral.Subscription) any { return s.ExpiresIn }, int64(604799)},
		"seconds below zero":       {`{"id":"s","expiresIn":-1}`, func(s ringcentral.Subscription) any { return s.ExpiresIn }, int64(0)},
		"an expiry in seconds":     {`{"id":"s","expirationTime":1767225600}`, func(s ringcentral.Subscription) any { return s.ExpirationTime.UTC() }, at},
		"an expiry without a zone": {`{"id":"s","expirationTime":"2026-01-01T00:00:00.000"}`, func(s ringcentral.Subscription) any { return s.ExpirationTime.UTC() }, at},
		"no expiry":                {`{"id":"s","expirationTime":null}`, func(s ringcentral.Subscription) any { return s.ExpirationTime.IsZero() }, true},
		"an id that is a number":   {`{"id":12345678901234567890}`, func(s ringcentral.Subscription) any { return s.ID }, "12345678901234567890"},
		"filters of null":          {`{"id":"s","eventFilters":null}`, func(s ringcentral.Subscription) any { return len(s.EventFilters) }, 0},
		"a filter that is none":    {`{"id":"s","eventFilters":["a",7,null,"b"]}`, func(s ringcentral.Subscription) any { return s.EventFilters }, []string{"a", "b"}},
		"another delivery mode":    {`{"id":"s","status":"Active","deliveryMode":"WebHook"}`, func(s ringcentral.Subscription) any { return s.Status }, "Active"},
	} {
		s, err := answering(c.body).client(t).Subscription(t.Context(), "s")
		require.NoError(t, err, fact)
		require.Equal(t, c.want, c.get(s), fact)
	}
}

func TestAListOfSubscriptionsIsReadWithoutItsOddEntries(t *testing.T) {
	for body, want := range map[string]int{
		`{"records":null}`: 0,
		`{"records":[]}`:   0,
		`{"records":[null,7,"x",[],{},{"id":null},{"id":"s1","deliveryMode":7}]}`: 1,
		"\xef\xbb\xbf" + `{"records":[{"id":"s1"}]}`:                              1,
	} {
		all, err := answering(body).client(t).Subscriptions(t.Context())
		require.NoError(t, err, body)
		require.Len(t, all, want, body)
	}
	for _, body := range []string{`{}`, `{"records":7}`, `[]`, ``} {
		require.Error(t, second(answering(body).client(t).Subscriptions(t.Context())), body)
	}
}

func TestARefusalOfFiltersIsKnown(t *testing.T) {
	const filter = "/cx/social-messaging/v1/contents/Imported"
	for fact, c := range map[string]struct {
		status int
		body   string
		about  bool
		named  []string
	}{
		"with its value": {400, `{"errorCode":"SUB-508","message":"Event filters are not valid","errors":[{"errorCode":"SUB-508","message":"x","parameterName":"eventFilters","parameterValue":"` + filter + `"}]}`, true, []string{filter}},
		"with several":   {400, `{"errorCode":"SUB-508","message":"x","parameterName":"eventFilters","parameterValue":["` + filter + `"]}`, true, []string{filter}},
		"in its message": {403, `{"errorCode":"SUB-406","message":"Not allowed: ` + filter + `"}`, true, []string{"Not allowed: " + filter}},
		"without a name": {400, `{"errorCode":"SUB-508","message":"Event filters are not valid"}`, true, nil},
		"by a parameter": {400, `{"errorCode":"CMN-101","message":"x","parameterName":"eventFilters[2]"}`, true, nil},
		"a permission":   {403, `{"errorCode":"CMN-401","message":"In order to call this API endpoint, application needs to have [SocialMessaging] permission"}`, true, nil},
		"the address":    {400, `{"errorCode":"SUB-521","message":"WebHook is not reachable"}`, false, nil},
		"another field":  {400, `{"errorCode":"CMN-101","message":"x","parameterName":"deliveryMode.address"}`, false, nil},
		"too many":       {403, `{"errorCode":"SUB-505","message":"x"}`, false, nil},
		"no JSON":        {400, `<html>`, false, nil},
		"an outage":      {500, `{"errorCode":"SUB-508","message":"x"}`, false, nil},
	} {
		t.Run(fact, func(t *testing.T) {
			p := &platform{answer: func(w http.ResponseWriter, _ asked, _ int) { w.WriteHeader(c.status); _, _ = io.WriteString(w, c.body) }}
			client := p.client(t)
			for _, err := range []error{
				second(client.Subscribe(t.Context(), ringcentral.NewSubscription{EventFilters: []string{filter, "b"}, Address: "a"})),
				second(client.UpdateSubscription(t.Context(), "s", []string{filter, "b"})),
			} {
				var refusal *ringcentral.FilterError
				require.Equal(t, c.about, errors.As(err, &refusal))
				if c.about {
					require.Subset(t, append(refusal.Named, ""), append(c.named, ""))
					require.Equal(t, len(c.named) > 0, len(refusal.Named) > 0)
				}
			}
		})
	}
}
