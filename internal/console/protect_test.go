package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/console"
)

// Conditions are waited for generously, and looked at often.
const (
	waitAtMost = 30 * time.Second
	poll       = 10 * time.Millisecond
)

func TestOtherSitesCanSendNoForms(t *testing.T) {
	b := set(t)
	data := &fakeData{}
	data.connect(b)
	form := url.Values{"do": {"discard all"}}
	for fact, headers := range map[string][]string{
		"from another site":               {"Sec-Fetch-Site", "cross-site"},
		"from another origin":             {"Origin", "https://evil.example"},
		"from another port of this host":  {"Sec-Fetch-Site", "same-site"},
		"from a page without an own name": {"Origin", "null"},
	} {
		require.Equal(t, http.StatusForbidden, b.post("/letters/plans", form, headers...).code, fact)
		require.Equal(t, http.StatusForbidden, b.post("/login", url.Values{}, headers...).code, fact)
	}
	require.Zero(t, data.plans.Load())
	require.Equal(t, http.StatusSeeOther, b.post("/letters/plans", form, "Sec-Fetch-Site", "same-origin").code)
	require.Equal(t, http.StatusMethodNotAllowed, b.get("/letters/plans").code, "no link does anything")
}

func TestOnlyNamesOfThisMachineAreAnswered(t *testing.T) {
	named := set(t, func(d *console.Deps) { d.Addr = "bridge.internal:9090" })
	withToken := set(t, guarded)
	for host, want := range map[string]int{
		"localhost": 200, "localhost:9090": 200, "127.0.0.1:1": 200, "[::1]:9090": 200, "bridge.internal": 200, "BRIDGE.internal:9090": 200,
		"rebound.example": 403, "rebound.example:9090": 403, "127.0.0.1.rebound.example": 403, "10.0.0.7": 403,
	} {
		require.Equal(t, want, named.get("/", "Host", host).code, host)
		require.Equal(t, 200, withToken.get("/", "Host", host, "Authorization", "Bearer t0k").code, "the token is the protection: %s", host)
	}
	require.Equal(t, 403, set(t).get("/", "Host", "bridge.internal").code)
}

func TestPagesWantTheTokenOrALogin(t *testing.T) {
	b := set(t, guarded)
	(&fakeData{text: customers}).connect(b)
	for _, path := range append(everyPage(), "/history.json", "/nothing") {
		answer := b.get(path)
		require.Equal(t, http.StatusUnauthorized, answer.code, path)
		require.Contains(t, answer.body, `name="token"`, path)
		require.NotContains(t, answer.body, customers, path)
		require.NotContains(t, answer.body, "acme", path)
	}
	program := b.get("/", "Accept", "*/*")
	require.Equal(t, http.StatusUnauthorized, program.code)
	require.NotContains(t, program.body, "<")
	part := b.get("/stuck", "HX-Request", "true")
	require.Equal(t, "/login", part.header.Get("HX-Redirect"), "a page whose session has ended")
	require.Equal(t, http.StatusOK, b.get("/", "Authorization", "Bearer t0k").code)
	require.Equal(t, http.StatusUnauthorized, b.get("/", "Authorization", "Basic t0k").code)
	require.Equal(t, http.StatusOK, b.get("/login").code)

	require.Equal(t, http.StatusUnauthorized, b.post("/login", url.Values{"token": {"wrong"}}).code)
	in := b.post("/login", url.Values{"token": {"t0k"}, "next": {"/stuck"}})
	require.Equal(t, http.StatusSeeOther, in.code)
	require.Equal(t, "/stuck", in.header.Get("Location"))
	set := in.header.Get("Set-Cookie")
	for _, fact := range []string{"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} {
		require.Contains(t, set, fact)
	}
	require.NotContains(t, set, "t0k")
	require.Equal(t, http.StatusOK, b.get("/letters").code)
	require.Equal(t, http.StatusSeeOther, b.post("/logout", url.Values{}).code)
	require.Equal(t, http.StatusUnauthorized, b.get("/letters").code)
	require.NotContains(t, b.log.String(), "t0k")
}

func TestASessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMeters().console(guarded)
		ask := func(cookie string) int {
			request := httptest.NewRequest(http.MethodGet, "http://localhost/stuck", nil)
			request.Header.Set("Cookie", cookie)
			answer := httptest.NewRecorder()
			c.ServeHTTP(answer, request)
			return answer.Code
		}
		login := func() string {
			request := httptest.NewRequest(http.MethodPost, "http://localhost/login", strings.NewReader(url.Values{"token": {theToken}}.Encode()))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			answer := httptest.NewRecorder()
			c.ServeHTTP(answer, request)
			cookie, _, _ := strings.Cut(answer.Header().Get("Set-Cookie"), ";")
			return cookie
		}
		require.Equal(t, http.StatusUnauthorized, ask("ringbridge_session=guessed"))
		first, second := login(), login()
		require.Equal(t, http.StatusOK, ask(first))
		request := httptest.NewRequest(http.MethodPost, "http://localhost/logout", nil)
		request.Header.Set("Cookie", first)
		c.ServeHTTP(httptest.NewRecorder(), request)
		require.Equal(t, http.StatusUnauthorized, ask(first), "by a logout, whoever still has the cookie")
		time.Sleep(11 * time.Hour)
		require.Equal(t, http.StatusOK, ask(second))
		time.Sleep(time.Hour)
		require.Equal(t, http.StatusUnauthorized, ask(second), "after twelve hours")
	})
}

func TestALoginLeadsToThisConsoleOnly(t *testing.T) {
	b := set(t, guarded)
	for next, want := range map[string]string{
		"/find?q=a%20b": "/find?q=a%20b", "": "/", "https://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/", "/\tevil": "/",
	} {
		require.Equal(t, want, b.post("/login", url.Values{"token": {"t0k"}, "next": {next}}).header.Get("Location"), next)
	}
}

func TestGuessingTheTokenBecomesSlow(t *testing.T) {
	for fact, try := range map[string]func(b *bench, token string) answer{
		"at the login": func(b *bench, token string) answer { return b.post("/login", url.Values{"token": {token}}) },
		"as a Bearer":  func(b *bench, token string) answer { return b.get("/stuck", "Authorization", "Bearer "+token) },
	} {
		t.Run(fact, func(t *testing.T) {
			b := set(t, guarded)
			for range 5 {
				require.Equal(t, http.StatusUnauthorized, try(b, "wrong").code)
			}
			refused := try(b, "t0k")
			require.Equal(t, http.StatusTooManyRequests, refused.code, "not even the right one, or it would be a guess like any other")
			require.NotEmpty(t, refused.header.Get("Retry-After"))
		})
	}
}
