package consume_test

import (
	"fmt"
	"strconv"
	"strings"
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
				p.message("from a customer")
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
					p.message("from a customer")
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
					p.message("from a customer")
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
				id := p.message("from a customer")
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
		id := p.message("from a customer")
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
		id := p.message("from a customer")
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

func TestWhatThePlatformRefusesTellsItsCode(t *testing.T) {
	for fact, test := range map[string]struct {
		action any
		reason deadletter.Reason
		status int
		code   string
	}{
		"a number of another":     {&schemas.SendSMS{From: "+15550000000", To: []string{customer}, Text: "hi"}, deadletter.Rejected, 400, "MSG-245"},
		"a number that can't":     {&schemas.SendSMS{From: "+18665550101", To: []string{customer}, Text: "hi"}, deadletter.Forbidden, 403, ""},
		"an unknown message":      {&schemas.DeleteMessage{MessageID: "1"}, deadletter.NotFound, 404, "CMN-102"},
		"an unknown message, too": {&schemas.UpdateMessage{MessageID: "1", Restore: true}, deadletter.NotFound, 404, "CMN-102"},
	} {
		t.Run(fact, func(t *testing.T) {
			platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
				b.start()
				b.send(b.command("c1", "conv", test.action))
				result := b.wait(1)["c1"]
				require.Equal(t, string(test.reason), *result.Reason)
				letter, _ := deadletter.Parse(b.read(b.names.RepliesDLQ)[0].Headers)
				require.Equal(t, test.status, letter.HTTPStatus)
				require.NotEmpty(t, letter.ErrorCode)
				if test.code != "" {
					require.Equal(t, test.code, letter.ErrorCode)
				}
				require.Zero(t, p.Disasters())
			})
		})
	}
}

func TestWhatEndsBeforeThePlatformIsCalled(t *testing.T) {
	file := func(size int) schemas.Upload {
		return schemas.Upload{Filename: "a.png", ContentType: "image/png", Content: make([]byte, size)}
	}
	change := func(f func(*schemas.SendSMS)) *schemas.SendSMS {
		m := sms("hi")
		f(m)
		return m
	}
	none, unknown, structured := "", schemas.ReadStatusUnknown, "{}"
	many := make([]string, 11)
	for i := range many {
		many[i] = fmt.Sprintf("+1555123%04d", i)
	}
	for fact, action := range map[string]any{
		"no sender":           change(func(m *schemas.SendSMS) { m.From = "" }),
		"no recipient":        change(func(m *schemas.SendSMS) { m.To = nil }),
		"a recipient of none": change(func(m *schemas.SendSMS) { m.To = append(m.To, "") }),
		"a name, no number":   change(func(m *schemas.SendSMS) { m.To = []string{"bob"} }),
		"a written number":    change(func(m *schemas.SendSMS) { m.To = []string{"(555) 123-0001"} }),
		"an endless number":   change(func(m *schemas.SendSMS) { m.To = []string{"+1555123000155512300"} }),
		"no text":             change(func(m *schemas.SendSMS) { m.Text = " " }),
		"too long a text":     change(func(m *schemas.SendSMS) { m.Text = strings.Repeat("🙂", 501) }),
		"too many recipients": change(func(m *schemas.SendSMS) { m.To = many }),
		"too many files":      change(func(m *schemas.SendSMS) { m.Attachments = make([]schemas.Upload, 11) }),
		"too large files": change(func(m *schemas.SendSMS) {
			m.Attachments = []schemas.Upload{file(1_000_000), file(500_001)}
		}),
		"a file of no type": change(func(m *schemas.SendSMS) {
			m.Attachments = []schemas.Upload{{Filename: "a", ContentType: "\r\nX: y", Content: []byte("x")}}
		}),
		"delete nothing":           &schemas.DeleteMessage{},
		"delete several":           &schemas.DeleteMessage{MessageID: "1,2"},
		"delete a path":            &schemas.DeleteMessage{MessageID: "../1"},
		"update nothing":           &schemas.UpdateMessage{MessageID: "1"},
		"update no message":        &schemas.UpdateMessage{Restore: true},
		"update to what is new":    &schemas.UpdateMessage{MessageID: "1", ReadStatus: &unknown},
		"a reply to nothing":       &schemas.CreateContent{API: schemas.ContentApiSocial, InReplyToID: &none, Body: "hi", BodyFormat: schemas.BodyFormatText},
		"structured content":       &schemas.CreateContent{API: schemas.ContentApiSocial, InReplyToID: &none, SourceID: &structured, StructuredContent: &structured, BodyFormat: schemas.BodyFormatText},
		"HTML":                     &schemas.CreateContent{API: schemas.ContentApiSocial, SourceID: &structured, Body: "hi", BodyFormat: schemas.BodyFormatHtml},
		"a flavour not known here": &schemas.CreateContent{API: schemas.ContentApiUnknown, SourceID: &structured, Body: "hi", BodyFormat: schemas.BodyFormatText},
	} {
		t.Run(fact, func(t *testing.T) {
			platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
				b.start()
				b.send(b.command("c1", "conv", action))
				result := b.wait(1)["c1"]
				require.Equal(t, string(deadletter.Invalid), *result.Reason)
				require.Nil(t, result.HTTPStatus)
				require.Zero(t, result.Attempts)
				require.Empty(t, p.server.Calls())
			})
		})
	}
}

func TestABodyIsHeldAgainstItsChannel(t *testing.T) {
	for fact, test := range map[string]struct {
		channel string
		length  int
		want    schemas.ReplyState
	}{
		"fits":                       {"WhatsApp", 3800, schemas.ReplyStateSucceeded},
		"too long":                   {"WhatsApp", 3801, schemas.ReplyStateDeadLettered},
		"too long for another":       {"Twitter", 281, schemas.ReplyStateDeadLettered},
		"on a channel without limit": {"SomethingNew", 20_000, schemas.ReplyStateSucceeded},
	} {
		for _, start := range []bool{false, true} {
			t.Run(fmt.Sprint(fact, ", starting a discussion ", start), func(t *testing.T) {
				platformBubble(t, sandbox.PlatformConfig{Channels: []sandbox.Channel{{Type: test.channel}}}, func(t *testing.T, b *bench, p *simulated) {
					action := p.reply(strings.Repeat("ü", test.length))
					if start {
						source := p.Channels()[0].ID
						action.InReplyToID, action.SourceID, action.To = nil, &source, []string{customer}
					}
					b.start()
					b.send(b.command("c1", "conv", action))
					result := b.wait(1)["c1"]
					require.Equal(t, test.want, result.State, "%v", result)
					if test.want == schemas.ReplyStateDeadLettered {
						require.Equal(t, string(deadletter.Invalid), *result.Reason)
						require.Nil(t, result.HTTPStatus)
						require.Zero(t, p.written())
					}
				})
			})
		}
	}
}

func TestContextDataAndTemplatesGoOut(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{KeepContextData: true}, func(t *testing.T, b *bench, p *simulated) {
		action := p.reply("hello")
		action.ContextData = map[string]string{"order": `{"number":17}`, "plain": "text"}
		private := true
		action.Private = &private
		b.start()
		b.send(b.command("c1", "conv", action))
		made, err := p.Content(*b.wait(1)["c1"].ResourceID)
		require.NoError(t, err)
		require.Equal(t, map[string]any{"order": map[string]any{"number": 17.0}, "plain": "text"}, made.ContextData)
		require.False(t, made.Public)
		require.Equal(t, p.thread, made.ThreadID)
	})
}
