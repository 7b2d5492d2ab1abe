package sandbox_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const (
	contentsPath = "/cx/social-messaging/v1/contents"
	grace        = 10 * time.Second
)

func TestTokenAnswerLooksAsDocumented(t *testing.T) {
	p := startPlatform(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	got := p.byJWT()
	require.Equal(t, keysOf(t, sample("rc_oauth_token_response")), keysOf(t, string(got.body)))
	g := decode[grant](got)
	require.Equal(t, 3599, g.Life, "an hour, of which a second has begun")
	require.Equal(t, 604_799, g.RefreshLife)
	require.Equal(t, "bearer", g.Type)
}

func TestTokenIsRefused(t *testing.T) {
	right := []string{"grant_type", jwtGrant, "assertion", sandbox.DefaultJWT}
	tests := map[string]struct {
		client, secret string
		form           []string
		status         int
		standard       string
	}{
		"a wrong secret":         {sandbox.DefaultClientID, "wrong", right, 401, "invalid_client"},
		"a wrong client":         {"wrong", sandbox.DefaultClientSecret, right, 401, "invalid_client"},
		"a wrong assertion":      {sandbox.DefaultClientID, sandbox.DefaultClientSecret, []string{"grant_type", jwtGrant, "assertion", "x"}, 400, "invalid_grant"},
		"no assertion":           {sandbox.DefaultClientID, sandbox.DefaultClientSecret, []string{"grant_type", jwtGrant}, 400, "invalid_request"},
		"an unknown grant":       {sandbox.DefaultClientID, sandbox.DefaultClientSecret, []string{"grant_type", "password"}, 400, "unsupported_grant_type"},
		"an empty refresh token": {sandbox.DefaultClientID, sandbox.DefaultClientSecret, []string{"grant_type", "refresh_token"}, 400, "invalid_grant"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := startPlatform(t, sandbox.PlatformConfig{NoRefresh: true}, sandbox.Deps{})
			p.login()
			got := p.auth("token", test.client, test.secret, test.form...)
			require.Equal(t, test.status, got.status)
			require.Contains(t, string(got.body), `"error":"`+test.standard+`"`)
			require.Contains(t, string(got.body), `"error_description":`)
			require.Equal(t, sandbox.AuthCounts{Requests: 2, Granted: 1, Denied: 1, MaxConcurrent: 1, Sessions: 1}, p.Auth())
			require.NotContains(t, p.Calls()[1].Query+p.Calls()[1].Body, test.secret)
		})
	}
}

func TestTokensOfTheAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := loggedIn(t, sandbox.PlatformConfig{TokenLife: time.Minute}, sandbox.Deps{})
		good := p.token
		for _, test := range []struct{ fact, token, code string }{
			{"no token", "", "CMN-405"},
			{"a token that is none", "eyJ", "OAU-149"},
			{"a token never given", "SBXA0000", "OAU-213"},
		} {
			p.token = test.token
			got := p.call(http.MethodGet, user+"/message-store", "")
			require.Equal(t, 401, got.status, test.fact)
			require.Equal(t, test.code, got.code(), test.fact)
		}
		p.token = ""
		require.Equal(t, 401, p.call(http.MethodGet, user+"/message-store?access_token="+good, "").status, "not as a parameter")

		p.token = good
		time.Sleep(time.Minute - time.Second)
		require.Equal(t, 200, p.call(http.MethodGet, user+"/message-store", "").status)
		time.Sleep(time.Second)
		got := p.call(http.MethodGet, user+"/message-store", "")
		require.Equal(t, 401, got.status)
		require.Equal(t, "OAU-128", got.code())
		require.Equal(t, 5, p.Auth().Unauthorized)

		p.login()
		require.Equal(t, 200, p.call(http.MethodGet, user+"/message-store", "").status)
		p.ExpireTokens()
		require.Equal(t, "OAU-128", p.call(http.MethodGet, contentsPath, "").code())
	})
}

func TestRefreshEndsTheOldTokenAtOnce(t *testing.T) {
	p := startPlatform(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	first := p.login()
	second := decode[grant](p.byRefresh(first.Refresh))
	require.NotEqual(t, first.Access, second.Access)
	require.NotEqual(t, first.Refresh, second.Refresh)
	require.Equal(t, 401, p.call(http.MethodGet, contentsPath, "").status)
	p.token = second.Access
	require.Equal(t, 200, p.call(http.MethodGet, contentsPath, "").status)
}

func TestUsedRefreshTokenHasItsGrace(t *testing.T) {
	tests := map[string]struct {
		use    bool
		wait   time.Duration
		status int
	}{
		"ten seconds from the new token's first use": {true, grace - time.Second, 200},
		"and not longer": {true, grace, 400},
		"an hour while the new token is not used":     {false, time.Hour - time.Second, 200},
		"and not longer than that":                    {false, time.Hour, 400},
		"a fresh one needs no grace, nor the old one": {false, 0, 200},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := startPlatform(t, sandbox.PlatformConfig{TokenLife: 2 * time.Hour}, sandbox.Deps{})
				first := p.login()
				second := decode[grant](p.byRefresh(first.Refresh))
				p.token = second.Access
				if test.use {
					require.Equal(t, 200, p.call(http.MethodGet, contentsPath, "").status)
				}
				time.Sleep(test.wait)
				got := p.byRefresh(first.Refresh)
				require.Equal(t, test.status, got.status)
				if test.status == 200 {
					require.Equal(t, second.Access, decode[grant](got).Access, "the same answer again")
					require.Equal(t, 1, p.Auth().Repeated)
				}
			})
		})
	}
}

func TestRefreshTokensExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPlatform(t, sandbox.PlatformConfig{RefreshLife: time.Hour}, sandbox.Deps{})
		g := p.login()
		time.Sleep(time.Hour)
		require.Equal(t, "OAU-128", p.byRefresh(g.Refresh).code())
	})
}

func TestASixthSessionDropsTheOldest(t *testing.T) {
	p := startPlatform(t, sandbox.PlatformConfig{Limits: unlimited()}, sandbox.Deps{})
	oldest := p.login().Access
	second := p.login().Access
	for range 4 {
		p.login()
	}
	p.token = oldest
	require.Equal(t, 401, p.call(http.MethodGet, contentsPath, "").status)
	p.token = second
	require.Equal(t, 200, p.call(http.MethodGet, contentsPath, "").status)
	require.Equal(t, 5, p.Auth().Sessions)
}

func TestRevokeEndsTheSession(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	got := p.auth("revoke", sandbox.DefaultClientID, sandbox.DefaultClientSecret, "token", p.token)
	require.Equal(t, 200, got.status)
	require.Empty(t, got.body)
	require.Equal(t, 401, p.call(http.MethodGet, contentsPath, "").status)
	require.Equal(t, 200, p.auth("revoke", sandbox.DefaultClientID, sandbox.DefaultClientSecret, "token", "unknown").status)
	require.Equal(t, 401, p.auth("revoke", "x", "x", "token", "unknown").status)
}

func TestRevokedCredential(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	p.RevokeCredentials()
	require.Equal(t, 401, p.call(http.MethodGet, contentsPath, "").status)
	require.Equal(t, 400, p.byJWT().status)
	p.RestoreCredentials()
	p.login()
	require.Equal(t, 200, p.call(http.MethodGet, contentsPath, "").status)
}

func TestSixthAuthenticationOfAMinuteIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPlatform(t, sandbox.PlatformConfig{}, sandbox.Deps{})
		for range 5 {
			p.login()
		}
		got := p.byJWT()
		require.Equal(t, 429, got.status)
		require.Equal(t, "Auth", got.header.Get("X-Rate-Limit-Group"))
		require.Equal(t, "60", got.header.Get("Retry-After"))
		time.Sleep(time.Minute)
		p.login()
	})
}

func TestConcurrentAuthenticationsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPlatform(t, sandbox.PlatformConfig{}, sandbox.Deps{})
		p.fault(sandbox.Fault{Route: "POST /restapi/oauth/token", Delay: sandbox.Duration(time.Second)})
		done := make(chan answer)
		for range 2 {
			go func() { done <- p.byJWT() }()
		}
		synctest.Wait()
		require.Equal(t, 2, p.Auth().Concurrent)
		<-done
		<-done
		p.login()
		counts := p.Auth()
		require.Zero(t, counts.Concurrent)
		require.Equal(t, 2, counts.MaxConcurrent)
		require.Equal(t, 3, counts.Granted)
	})
}
