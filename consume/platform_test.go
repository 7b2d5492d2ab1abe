package consume_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// outcomes are the faults that leave it open whether a call had its effect.
func outcomes(after bool) map[string]sandbox.Fault {
	when := map[bool]string{true: "after", false: "before"}[after]
	return map[string]sandbox.Fault{
		"a reset":     {Reset: when},
		"a 500":       {Status: 500, AfterEffect: after},
		"a 503":       {Status: 503, AfterEffect: after, RetryAfter: "3"},
		"a hang":      {Hang: true, AfterEffect: after},
		"a proxy 502": {Status: 502, AfterEffect: after, Body: []byte(`"<html>bad gateway</html>"`)},
	}
}

// deed is one action on the platform, and how its effect is told.
type deed struct {
	route   string
	action  func(p *simulated) any
	effects func(p *simulated) int
	makes   bool // its result names what it made
	repeats bool // it is made again, not looked up
}

func deeds() map[string]deed {
	id := func(p *simulated) int64 { return p.Messages()[0].ID }
	deleted := func(p *simulated, want string) int {
		m, err := p.Message(id(p))
		require.NoError(p.t, err)
		if m.Availability == want {
			return 1
		}
		require.Equal(p.t, sandbox.AvailabilityAlive, m.Availability)
		return 0
	}
	return map[string]deed{
		"create content": {
			route: routeSocial, action: func(p *simulated) any { return p.reply("hello") }, makes: true,
			effects: func(p *simulated) int { return p.answers("hello") },
		},
		"send": {
			route: routeSMS, action: func(*simulated) any { return sms("hello") }, makes: true,
			effects: func(p *simulated) int { return p.sent("hello") },
		},
		"send with attachments": {
			route: routeSMS, makes: true,
			action: func(*simulated) any {
				m := sms("look")
				m.To = append(m.To, "+15551230002")
				m.Attachments = []schemas.Upload{{Filename: "a.png", ContentType: "image/png", Content: []byte("png")}}
				return m
			},
			effects: func(p *simulated) int { return p.sent("look") },
		},
		"mark as read": {
			route: routeUpdate, repeats: true,
			action: func(p *simulated) any {
				status := schemas.ReadStatusRead
				return &schemas.UpdateMessage{MessageID: strconv.FormatInt(id(p), 10), ReadStatus: &status}
			},
			effects: func(p *simulated) int {
				m, err := p.Message(id(p))
				require.NoError(p.t, err)
				return map[string]int{sandbox.Read: 1}[m.ReadStatus]
			},
		},
		"delete": {
			route: routeDelete, action: func(p *simulated) any { return &schemas.DeleteMessage{MessageID: strconv.FormatInt(id(p), 10)} },
			effects: func(p *simulated) int { return deleted(p, sandbox.AvailabilityDeleted) },
		},
		"purge": {
			route: routeDelete, action: func(p *simulated) any {
				return &schemas.DeleteMessage{MessageID: strconv.FormatInt(id(p), 10), Purge: true}
			},
			effects: func(p *simulated) int { return deleted(p, sandbox.AvailabilityPurged) },
		},
	}
}

func TestEveryActionHasOneEffectAndOneResult(t *testing.T) {
	for name, deed := range deeds() {
		t.Run(name, func(t *testing.T) {
			platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
				p.message()
				b.start()
				b.send(b.command("c1", "conv", deed.action(p)))
				result := b.wait(1)["c1"]
				require.Equal(t, schemas.ReplyStateSucceeded, result.State, "%v", result)
				require.Equal(t, 1, deed.effects(p))
				require.Equal(t, 1, p.written())
				require.Equal(t, 1, result.Attempts)
				require.Equal(t, deed.makes, result.ResourceID != nil)
				require.False(t, result.Recovered)
			})
		})
	}
}

func TestAnEffectBehindAFaultIsFoundAndNotRepeated(t *testing.T) {
	for name, deed := range deeds() {
		for fault, spoiled := range outcomes(true) {
			t.Run(name+", "+fault, func(t *testing.T) {
				lag := sandbox.PlatformConfig{IndexLag: 3 * time.Second, StoreLag: 3 * time.Second}
				platformBubble(t, lag, func(t *testing.T, b *bench, p *simulated) {
					p.message()
					time.Sleep(time.Minute)
					spoiled.Route, spoiled.Times = deed.route, 1
					p.fault(spoiled)
					b.start()
					b.send(b.command("c1", "conv", deed.action(p)))
					result := b.wait(1)["c1"]
					require.Equal(t, schemas.ReplyStateSucceeded, result.State, "%v", result)
					require.Equal(t, 1, deed.effects(p))
					require.Equal(t, !deed.repeats, result.Recovered)
					require.Equal(t, deed.makes, result.ResourceID != nil)
					if !deed.repeats {
						require.Equal(t, 1, p.count(deed.route))
					}
				})
			})
		}
	}
}

func TestWithoutEffectThePlatformIsCalledAgain(t *testing.T) {
	for name, deed := range deeds() {
		for fault, spoiled := range outcomes(false) {
			t.Run(name+", "+fault, func(t *testing.T) {
				platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
					p.message()
					spoiled.Route, spoiled.Times = deed.route, 1
					p.fault(spoiled)
					b.start()
					b.send(b.command("c1", "conv", deed.action(p)))
					result := b.wait(1)["c1"]
					require.Equal(t, schemas.ReplyStateSucceeded, result.State, "%v", result)
					require.Equal(t, 1, deed.effects(p))
					require.Equal(t, 2, p.count(deed.route))
					require.Equal(t, 2, result.Attempts)
					require.False(t, result.Recovered)
				})
			})
		}
	}
}

func TestEqualTextsNeverShareAMessage(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{StoreLag: time.Second}, func(t *testing.T, b *bench, p *simulated) {
		// The first call has its effect unseen, the second has none.
		p.fault(sandbox.Fault{Route: routeSMS, Reset: "after", Times: 1})
		p.fault(sandbox.Fault{Route: routeSMS, Reset: "before", Times: 1})
		b.start()
		b.send(b.command("c1", "conv1", sms("OK")), b.command("c2", "conv2", sms("OK")))
		final := b.wait(2)
		require.NotEqual(t, *final["c1"].ResourceID, *final["c2"].ResourceID)
		require.Equal(t, 2, p.sent("OK"))
		require.NotEqual(t, final["c1"].Recovered, final["c2"].Recovered)
	})
}

func TestATextWhoseAnswerIsOnItsWayIsNotTakenByItsTwin(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
		p.fault(sandbox.Fault{Route: routeSMS, Delay: sandbox.Duration(3 * time.Second), AfterEffect: true, Times: 1})
		p.fault(sandbox.Fault{Route: routeSMS, Reset: "before", Times: 1})
		b.start()
		b.send(b.command("c1", "conv1", sms("OK")), b.command("c2", "conv2", sms("OK")))
		final := b.wait(2)
		require.NotEqual(t, *final["c1"].ResourceID, *final["c2"].ResourceID)
		require.Equal(t, 2, p.sent("OK"))
	})
}

func TestATextOfSomebodyElseIsNotTakenForOurs(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
		for _, other := range []sandbox.MessageImport{
			{Direction: sandbox.DirectionOutbound, To: "+15551239999", Text: "OK"},
			{Direction: sandbox.DirectionOutbound, To: customer, Text: "OK, thanks"},
			{From: customer, Text: "OK"},
			{Direction: sandbox.DirectionOutbound, To: customer, Others: []string{"+15551239999"}, Text: "OK"},
		} {
			_, err := p.ImportMessages(other)
			require.NoError(t, err)
		}
		before := p.sent("OK")
		p.fault(sandbox.Fault{Route: routeSMS, Reset: "before", Times: 1})
		b.start()
		b.send(b.command("c1", "conv", sms("OK")))
		result := b.wait(1)["c1"]
		require.False(t, result.Recovered)
		require.Equal(t, before+1, p.sent("OK"))
	})
}

func TestATextThatIsOlderThanTheCallIsNobodys(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
		_, err := p.ImportMessages(sandbox.MessageImport{Direction: sandbox.DirectionOutbound, To: customer, Text: "OK"})
		require.NoError(t, err)
		time.Sleep(10 * time.Minute)
		p.fault(sandbox.Fault{Route: routeSMS, Reset: "before", Times: 1})
		b.start()
		b.send(b.command("c1", "conv", sms("OK")))
		require.Equal(t, string(deadletter.Ambiguous), *b.wait(1)["c1"].Reason)
		require.Equal(t, 1, p.count(routeSMS))
		p.fault(sandbox.Fault{Route: routeSMS, Reset: "after", Times: 1})
		b.send(b.command("c2", "conv", sms("OK")))
		require.True(t, b.wait(2)["c2"].Recovered, "its own is there too")
	})
}

func TestATemplateCannotBeToldFromAnother(t *testing.T) {
	for fact, test := range map[string]struct {
		reset string
		want  schemas.ReplyState
	}{
		"one is there: it may be ours": {"after", schemas.ReplyStateDeadLettered},
		"none is there":                {"before", schemas.ReplyStateSucceeded},
	} {
		t.Run(fact, func(t *testing.T) {
			platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
				p.fault(sandbox.Fault{Route: routeSocial, Reset: test.reset, Times: 1})
				b.start()
				name, source := "greeting", p.Channels()[0].ID
				b.send(b.command("c1", "conv", &schemas.CreateContent{
					API: schemas.ContentApiSocial, SourceID: &source, To: []string{customer}, TemplateName: &name, BodyFormat: schemas.BodyFormatText,
				}))
				require.Equal(t, test.want, b.wait(1)["c1"].State)
				require.Len(t, p.Contents(), 2)
			})
		})
	}
}

func TestADeletedMessageIsNotDeletedAgain(t *testing.T) {
	for fact, test := range map[string]struct {
		purge bool
		want  string
		calls int
	}{
		"deleted, to be deleted": {false, sandbox.AvailabilityDeleted, 0},
		"deleted, to be purged":  {true, sandbox.AvailabilityPurged, 1},
	} {
		t.Run(fact, func(t *testing.T) {
			platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
				id := p.message()
				_, err := p.EditMessage(id, sandbox.MessageEdit{Availability: sandbox.AvailabilityDeleted})
				require.NoError(t, err)
				b.start()
				b.send(b.command("c1", "conv", &schemas.DeleteMessage{MessageID: strconv.FormatInt(id, 10), Purge: test.purge}))
				require.Equal(t, schemas.ReplyStateSucceeded, b.wait(1)["c1"].State)
				m, err := p.Message(id)
				require.NoError(t, err)
				require.Equal(t, test.want, m.Availability)
				require.Equal(t, test.calls, p.count(routeDelete))
			})
		})
	}
}

func TestTwoDeletesOfAMessageDoNotPurgeIt(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
		id := p.message()
		p.fault(sandbox.Fault{Route: routeDelete, Delay: sandbox.Duration(time.Second)})
		b.start()
		for n := range 2 {
			b.send(b.command(fmt.Sprint("c", n), fmt.Sprint("conv", n), &schemas.DeleteMessage{MessageID: strconv.FormatInt(id, 10)}))
		}
		b.wait(2)
		m, err := p.Message(id)
		require.NoError(t, err)
		require.Equal(t, sandbox.AvailabilityDeleted, m.Availability)
		require.Equal(t, 1, p.count(routeDelete))
	})
}

func TestADeletedMessageIsRestored(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
		id := p.message()
		_, err := p.EditMessage(id, sandbox.MessageEdit{Availability: sandbox.AvailabilityDeleted})
		require.NoError(t, err)
		b.start()
		b.send(b.command("c1", "conv", &schemas.UpdateMessage{MessageID: strconv.FormatInt(id, 10), Restore: true}))
		require.Equal(t, schemas.ReplyStateSucceeded, b.wait(1)["c1"].State)
		m, err := p.Message(id)
		require.NoError(t, err)
		require.Equal(t, sandbox.AvailabilityAlive, m.Availability)
	})
}
