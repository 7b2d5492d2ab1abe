package consume_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

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
