package consume_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// A look goes back an hour, as clocks may differ, and so many pages. Where they are used up by what was sent before the call, it has
// seen all that the call can have made.
func TestABusyHourBeforeTheCallHidesNoEffect(t *testing.T) {
	const many = 1600 // more than ten pages of any of the APIs
	ago := func() time.Time { return time.Now().Add(-30 * time.Minute) }
	for fact, made := range map[string]func(t *testing.T, b *bench, p *simulated) any{
		"of texts to a number": func(t *testing.T, _ *bench, p *simulated) any {
			t.Helper()
			_, err := p.ImportMessages(sandbox.MessageImport{Direction: sandbox.DirectionOutbound, To: customer, Text: "before", Count: many, CreatedAt: ago()})
			require.NoError(t, err)
			return sms("hello")
		},
		"of contents on the platform": func(t *testing.T, _ *bench, p *simulated) any {
			t.Helper()
			_, err := p.ImportContents(sandbox.SocialImport{Status: "UserReply", ThreadID: p.thread, Body: "before", Count: many, CreatedAt: ago()})
			require.NoError(t, err)
			return p.reply("hello")
		},
		"of contents in Engage Digital": func(t *testing.T, b *bench, p *simulated) any {
			t.Helper()
			engage := ringcentral.NewEngage(ringcentral.EngageConfig{BaseURL: "http://127.0.0.1/1.0", AccessToken: sandbox.DefaultToken},
				ringcentral.Deps{HTTP: &http.Client{Transport: sandbox.Transport{Handler: p.server.Handler()}}})
			t.Cleanup(engage.Close)
			b.engage = engage
			parents, err := p.server.Import(sandbox.Import{})
			require.NoError(t, err)
			_, err = p.server.Import(sandbox.Import{Status: "user_reply", ThreadID: parents[0].ThreadID, Body: "before", Count: many, CreatedAt: ago()})
			require.NoError(t, err)
			return &schemas.CreateContent{API: schemas.ContentApiEngage, InReplyToID: &parents[0].ID, Body: "hello", BodyFormat: schemas.BodyFormatText}
		},
	} {
		t.Run(fact, func(t *testing.T) {
			platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *bench, p *simulated) {
				action := made(t, b, p)
				for _, route := range []string{
					"POST /1.0/contents", "POST /cx/social-messaging/v1/contents", "POST /restapi/v1.0/account/{account}/extension/{extension}/sms",
				} {
					p.fault(sandbox.Fault{Route: route, Reset: "after", Times: 1})
				}
				b.start()
				b.send(b.command("c1", "conv", action))
				result := b.wait(1)["c1"]
				require.Equal(t, schemas.ReplyStateSucceeded, result.State, "%+v", result)
				require.True(t, result.Recovered)
			})
		})
	}
}
