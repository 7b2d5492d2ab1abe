package sandbox_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const messagesPath = user + "/message-store"

func TestRateHeadersTellTheGroup(t *testing.T) {
	p := startPlatform(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	p.login()
	tests := map[string]struct {
		method, path, group, limit string
	}{
		"the store is Light":              {http.MethodGet, messagesPath, "Light", "50"},
		"contents are light, in lower":    {http.MethodGet, contentsPath, "light", "50"},
		"sending is Medium":               {http.MethodPost, user + "/sms", "Medium", "40"},
		"changing is Medium":              {http.MethodPut, messagesPath + "/1", "Medium", "40"},
		"deleting is Medium":              {http.MethodDelete, messagesPath + "/1", "Medium", "40"},
		"a download is Medium":            {http.MethodGet, messagesPath + "/1/content/1", "Medium", "40"},
		"a subscription's list is Light":  {http.MethodGet, "/restapi/v1.0/subscription", "Light", "50"},
		"its renewal is Light":            {http.MethodPost, "/restapi/v1.0/subscription/x/renew", "Light", "50"},
		"its update is Medium":            {http.MethodPut, "/restapi/v1.0/subscription/x", "Medium", "40"},
		"a sync is Light":                 {http.MethodGet, user + "/message-sync", "Light", "50"},
		"what there is not is Light, too": {http.MethodGet, "/restapi/v9", "Light", "50"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := p.call(test.method, test.path, "")
			require.Equal(t, test.group, got.header.Get("X-Rate-Limit-Group"))
			require.Equal(t, test.limit, got.header.Get("X-Rate-Limit-Limit"))
			require.Equal(t, "60", got.header.Get("X-Rate-Limit-Window"))
		})
	}
	first := p.call(http.MethodGet, messagesPath, "").header.Get("X-Rate-Limit-Remaining")
	second := p.call(http.MethodGet, contentsPath, "").header.Get("X-Rate-Limit-Remaining")
	require.Equal(t, []string{"43", "42"}, []string{first, second}, "both spellings are one group")
}

func TestPenaltyWindowBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPlatform(t, sandbox.PlatformConfig{Limits: map[sandbox.RateGroup]int{sandbox.GroupLight: 2}}, sandbox.Deps{})
		p.login()
		ask := func() answer { return p.call(http.MethodGet, messagesPath, "") }
		require.Equal(t, 200, ask().status)
		require.Equal(t, 200, ask().status)
		got := ask()
		require.Equal(t, 429, got.status)
		require.Equal(t, "CMN-301", got.code())
		require.Equal(t, "60", got.header.Get("Retry-After"))
		require.Equal(t, "0", got.header.Get("X-Rate-Limit-Remaining"))
		require.Zero(t, p.Offenders(), "the first refusal offends nobody")
		require.Equal(t, 404, p.call(http.MethodPut, messagesPath+"/1", `{"readStatus":"Read"}`).status, "another group is open")

		time.Sleep(59 * time.Second)
		require.Equal(t, 429, ask().status)
		require.Equal(t, 1, p.Offenders())
		time.Sleep(59 * time.Second)
		require.Equal(t, 429, ask().status, "the window began anew")
		require.Equal(t, 2, p.Offenders())
		time.Sleep(time.Minute)
		require.Equal(t, 200, ask().status)
		require.Equal(t, sandbox.RateCounts{Limit: 2, Allowed: 3, Refused: 3, Windows: 1, Offender: 2}, p.Rates()[sandbox.GroupLight])
		require.True(t, p.Calls()[5].Offender)
	})
}

func TestEveryCallInsideAPenaltyWindowOffends(t *testing.T) {
	tests := map[string]func(p *platform){
		"one with a dead token":   func(p *platform) { p.token = "" },
		"one that a fault spoils": func(p *platform) { p.fault(sandbox.Fault{Status: 503}) },
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			p := startPlatform(t, sandbox.PlatformConfig{}, sandbox.Deps{})
			p.login()
			p.Exhaust(sandbox.GroupLight)
			require.Equal(t, 429, p.call(http.MethodGet, contentsPath, "").status)
			prepare(p)
			p.call(http.MethodGet, contentsPath, "")
			require.Equal(t, 1, p.Offenders())
		})
	}
}

func TestCallsThatCrossedTheirRefusalAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPlatform(t, sandbox.PlatformConfig{PenaltyGrace: 50 * time.Millisecond}, sandbox.Deps{})
		p.login()
		p.Exhaust(sandbox.GroupLight)
		for range 2 {
			require.Equal(t, 429, p.call(http.MethodGet, contentsPath, "").status)
		}
		time.Sleep(51 * time.Millisecond)
		require.Equal(t, 429, p.call(http.MethodGet, contentsPath, "").status)
		counts := p.Rates()[sandbox.GroupLight]
		require.Equal(t, 1, counts.Crossed)
		require.Equal(t, 1, counts.Offender)
	})
}

func TestRetryAfterOfThePlatform(t *testing.T) {
	for name, test := range map[string]struct {
		form sandbox.RetryAfter
		want string
	}{
		"seconds, unless told": {"", "60"},
		"none on demand":       {sandbox.RetryAfterOff, ""},
		"a date on demand":     {sandbox.RetryAfterDate, "Wed, 04 Mar 2026 05:07:08 GMT"},
	} {
		t.Run(name, func(t *testing.T) {
			p := startPlatform(t, sandbox.PlatformConfig{RetryAfter: test.form}, sandbox.Deps{Now: newClock().now})
			p.login()
			p.Exhaust()
			require.Equal(t, test.want, p.call(http.MethodGet, contentsPath, "").header.Get("Retry-After"))
		})
	}
}

func TestRoutesCanBeMovedToAnotherGroup(t *testing.T) {
	p := startPlatform(t, sandbox.PlatformConfig{
		Groups: map[string]sandbox.RateGroup{"GET " + contentsPath: "Social"},
		Limits: map[sandbox.RateGroup]int{"social": 1},
	}, sandbox.Deps{})
	p.login()
	require.Equal(t, "Social", p.call(http.MethodGet, contentsPath, "").header.Get("X-Rate-Limit-Group"))
	require.Equal(t, 429, p.call(http.MethodGet, contentsPath, "").status)
	require.Equal(t, 200, p.call(http.MethodGet, messagesPath, "").status)
}

func TestFaultsSpeakThePlatformsLanguage(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	p.fault(sandbox.Fault{Statuses: []int{429, 503}, RetryAfter: "3"})
	got := p.call(http.MethodGet, messagesPath, "")
	require.Equal(t, 429, got.status)
	require.JSONEq(t, `{"errorCode":"CMN-301","message":"Request rate exceeded","errors":[{"errorCode":"CMN-301","message":"Request rate exceeded"}]}`,
		string(got.body))
	require.Empty(t, got.header.Get("X-Rate-Limit-Group"), "as from a limiter that is not the application's")
	got = p.call(http.MethodGet, contentsPath, "")
	require.Equal(t, 503, got.status)
	require.Equal(t, []string{"errors", "errors.errorCode", "errors.message"}, keysOf(t, string(got.body)), "newer services send the errors alone")
}
