package sandbox_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

func TestToken(t *testing.T) {
	tests := map[string]struct {
		bearer, query string
		status        int
	}{
		"a bearer token opens":        {bearer: sandbox.DefaultToken, status: 200},
		"the parameter opens":         {query: "?access_token=" + sandbox.DefaultToken, status: 200},
		"a wrong token is refused":    {bearer: "wrong", status: 401},
		"a wrong parameter likewise":  {query: "?access_token=wrong", status: 401},
		"no token is refused":         {status: 401},
		"a foreign user is a 400":     {bearer: sandbox.DefaultToken, query: "?impersonated_user_id=x", status: 400},
		"no token beats the bad user": {query: "?impersonated_user_id=x", status: 401},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := start(t, sandbox.Config{})
			a.token = test.bearer
			got := a.get("/1.0/contents" + test.query)
			require.Equal(t, test.status, got.status)
			require.NotContains(t, a.Calls()[0].Query, "token="+sandbox.DefaultToken, "the log holds no token")
		})
	}
}

func TestUnknownAddressIsJSON(t *testing.T) {
	got := start(t, sandbox.Config{}).get("/1.0/nothing")
	require.Equal(t, http.StatusNotFound, got.status)
	require.JSONEq(t, `{"error":"not_found","message":"Couldn't find this address","status":404}`, string(got.body))
}

func TestRateLimit(t *testing.T) {
	tests := map[string]struct {
		form sandbox.RetryAfter
		want string
	}{
		"tells no wait, as documented": {sandbox.RetryAfterNone, ""},
		"tells seconds on demand":      {sandbox.RetryAfterSeconds, "50"},
		"tells a date on demand":       {sandbox.RetryAfterDate, "Wed, 04 Mar 2026 05:07:08 GMT"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			a := startWith(t, sandbox.Config{RatePerMinute: 2, RetryAfter: test.form}, sandbox.Deps{Now: c.now})
			require.Equal(t, 200, a.get("/1.0/contents").status)
			c.move(10 * time.Second)
			require.Equal(t, 200, a.get("/1.0/contents").status)

			got := a.get("/1.0/contents")
			require.Equal(t, 429, got.status)
			require.JSONEq(t, sample("ed_error_rate_limit"), string(got.body))
			require.Equal(t, test.want, got.header.Get("Retry-After"))

			c.move(50 * time.Second)
			require.Equal(t, 200, a.get("/1.0/contents").status, "the first call has left the window")
			require.Equal(t, 429, a.get("/1.0/contents").status)
		})
	}
}

func TestResetForgetsAllButTheAccount(t *testing.T) {
	a := start(t, sandbox.Config{})
	source := a.Sources()[0].ID
	first := a.incoming(sandbox.Import{})
	require.Equal(t, 200, a.get("/1.0/contents").status)
	_, err := a.AddFault(sandbox.Fault{Status: 500})
	require.NoError(t, err)

	a.Reset()

	require.Empty(t, a.Contents())
	require.Empty(t, a.Calls())
	require.Empty(t, a.CallCounts())
	require.Equal(t, 404, a.get("/1.0/contents/"+first.ID).status, "no fault is left")
	second := a.incoming(sandbox.Import{})
	require.NotEqual(t, first.ID, second.ID)
	require.Equal(t, source, second.SourceID)
}
