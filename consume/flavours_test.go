package consume_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

func TestACommandForWhatIsOffNamesTheSettings(t *testing.T) {
	for fact, test := range map[string]struct {
		off    func(*bench)
		action func(p *simulated) any
		want   string
	}{
		"no platform, a text":   {func(b *bench) { b.texts, b.social = nil, nil }, func(*simulated) any { return sms("hi") }, "RINGCENTRAL_CLIENT_ID"},
		"no platform, a delete": {func(b *bench) { b.texts, b.social = nil, nil }, func(*simulated) any { return &schemas.DeleteMessage{MessageID: "1"} }, "RINGCENTRAL_CLIENT_ID"},
		"no contents":           {func(b *bench) { b.social = nil }, func(p *simulated) any { return p.reply("hi") }, "RINGCENTRAL_CONTENTS_PATH"},
		"no Engage": {func(b *bench) { b.engage = nil }, func(*simulated) any {
			return &schemas.Handover{IdentityForeignID: "x", From: "AGENT", To: "BOT"}
		}, "ENGAGE_BASE_URL"},
	} {
		t.Run(fact, func(t *testing.T) {
			platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
				test.off(b)
				b.start()
				b.send(b.command("c1", "conv", test.action(p)))
				result := b.wait(1)["c1"]
				require.Equal(t, string(deadletter.Invalid), *result.Reason)
				require.Contains(t, *result.Error, test.want)
				require.Empty(t, p.server.Calls())
			})
		})
	}
}

func TestARevokedCredentialOfThePlatformStopsNothingOfEngage(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
		p.RevokeCredentials()
		b.start()
		b.send(b.command("c1", "conv1", sms("kept")), b.command("c2", "conv2", p.reply("kept too")))
		time.Sleep(5 * time.Minute)
		require.Contains(t, b.health.all(), "replies.sms")
		require.Contains(t, b.health.all(), "replies.social")
		require.Contains(t, b.health.all(), "RINGCENTRAL_JWT")
		b.send(b.reply("c3", "conv3", "goes on"))
		require.Equal(t, schemas.ReplyStateSucceeded, b.wait(1)["c3"].State)
		p.RestoreCredentials()
		final := b.wait(3)
		require.Equal(t, schemas.ReplyStateSucceeded, final["c1"].State)
		require.Equal(t, schemas.ReplyStateSucceeded, final["c2"].State)
		require.Equal(t, 1, final["c1"].Attempts, "a halt counts no attempt")
		require.Equal(t, "map[]", b.health.all())
		require.Equal(t, 1, p.sent("kept"))
	})
}

func TestAnOutageOfContentsStopsNoTexts(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
		b.cfg.CircuitFailures = 4
		p.fault(sandbox.Fault{Route: routeSocial, Status: 503})
		b.start()
		b.send(b.command("c1", "conv1", p.reply("one")), b.command("c2", "conv2", p.reply("two")))
		for _, text := range []string{"a", "b", "c", "d"} {
			b.send(b.command(text, "texts", sms(text)))
			time.Sleep(10 * time.Second)
		}
		require.Len(t, b.wait(4), 4)
		require.Contains(t, b.health.all(), "replies.social")
		require.NotContains(t, b.health.all(), "replies.sms")
		p.server.ClearFaults()
		for id, result := range b.wait(6) {
			require.Equal(t, schemas.ReplyStateSucceeded, result.State, id)
		}
	})
}

func TestARateLimitOfThePlatformIsAWait(t *testing.T) {
	for fact, test := range map[string]struct {
		fault sandbox.Fault
		least time.Duration
	}{
		"with Retry-After": {sandbox.Fault{Status: 429, RetryAfter: "60"}, time.Minute},
		"without":          {sandbox.Fault{Status: 429}, 30 * time.Second},
		"of all texts":     {sandbox.Fault{Status: 429, Body: []byte(`{"errorCode":"MSG-305","message":"too many"}`)}, 30 * time.Second},
	} {
		t.Run(fact, func(t *testing.T) {
			platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
				test.fault.Route, test.fault.Times = routeSMS, 1
				p.fault(test.fault)
				b.start()
				start := time.Now()
				b.send(b.command("c1", "conv", sms("hello")))
				result := b.wait(1)["c1"]
				require.Equal(t, schemas.ReplyStateSucceeded, result.State)
				require.Equal(t, 1, result.Attempts)
				require.GreaterOrEqual(t, result.At.Sub(start), test.least)
				require.Equal(t, 2, p.count(routeSMS))
				require.Zero(t, p.count(routeStore), "a definite no needs no look")
			})
		})
	}
}

// CMN-304 says that the API is still at a call that is the same.
func TestADuplicateCallIsWaitedForAndLookedUp(t *testing.T) {
	for fact, effect := range map[string]bool{"it has its effect": true, "it has none": false} {
		t.Run(fact, func(t *testing.T) {
			platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
				p.fault(sandbox.Fault{
					Route: routeSMS, Status: 429, Times: 1, AfterEffect: effect, Body: []byte(`{"errorCode":"CMN-304","message":"duplicate"}`),
				})
				b.start()
				b.send(b.command("c1", "conv", sms("hello")))
				result := b.wait(1)["c1"]
				require.Equal(t, schemas.ReplyStateSucceeded, result.State)
				require.Equal(t, 1, result.Attempts)
				require.Equal(t, effect, result.Recovered)
				require.Equal(t, 1, p.sent("hello"))
			})
		})
	}
}

func TestWhatIsReadBeforeACallAndFailsIsTriedAgain(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
		p.fault(sandbox.Fault{Route: "GET /cx/social-messaging/v1/contents/{id}", Status: 500, Times: 1})
		b.start()
		b.send(b.command("c1", "conv", p.reply(strings.Repeat("x", 300))))
		result := b.wait(1)["c1"]
		require.Equal(t, schemas.ReplyStateSucceeded, result.State)
		require.Equal(t, 2, result.Attempts)
		require.Equal(t, 1, p.count(routeSocial))
		require.Zero(t, p.count("GET /cx/social-messaging/v1/contents"), "nothing went out that could be looked up")
	})
}

func TestALookUpThatIsNotFilteredIsAmbiguous(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
		p.fault(sandbox.Fault{Route: routeSocial, Reset: "after", Times: 1})
		p.fault(sandbox.Fault{Route: "GET /cx/social-messaging/v1/contents", Status: 203, Body: []byte(
			`{"records":[{"id":"x","threadId":"another","contentDirection":"Incoming"}],"paging":{"perPage":100}}`)})
		b.start()
		b.send(b.command("c1", "conv", p.reply("hello")))
		require.Equal(t, string(deadletter.Ambiguous), *b.wait(1)["c1"].Reason)
		require.Equal(t, 1, p.count(routeSocial))
	})
}
