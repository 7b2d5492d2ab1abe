//go:build real

package e2e_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

const platformToken = "platform-token"

// newPlatformWorld is a world with the platform on, its notifications going to
// the address returned, and limits that are not what is tested.
func newPlatformWorld(t *testing.T, cfg sandbox.PlatformConfig) (w *world, public string) {
	t.Helper()
	if cfg.Limits == nil {
		cfg.Limits = map[sandbox.RateGroup]int{sandbox.GroupLight: -1, sandbox.GroupMedium: -1, sandbox.GroupHeavy: -1}
	}
	cfg.SMSPerMinute = -1
	public = freePort(t)
	w = newWorld(t, sandbox.Config{Platform: cfg}, map[string]string{"ENGAGE_WEBHOOK_SECRET": "", "ENGAGE_WEBHOOK_VERIFY_TOKEN": ""})
	maps.Copy(w.env, map[string]string{
		"RINGCENTRAL_SERVER_URL": w.api.URL, "RINGCENTRAL_CLIENT_ID": sandbox.DefaultClientID, "RINGCENTRAL_CLIENT_SECRET": sandbox.DefaultClientSecret,
		"RINGCENTRAL_JWT": sandbox.DefaultJWT, "RINGCENTRAL_WEBHOOK_TOKEN": platformToken, "SMS_RATE": "0", "POLL_INTERVAL": "300ms",
		"RINGCENTRAL_WEBHOOK_URL": "http://" + public + "/webhooks/ringcentral", "REPLIES_CALL_TIMEOUT": "2s", "REPLIES_BACKOFF_MIN": "100ms",
	})
	return w, public
}

// messages returns the events of text messages by message and type.
func (w *world) messages() map[string]map[string][]*schemas.MessageEvent {
	w.t.Helper()
	out := map[string]map[string][]*schemas.MessageEvent{}
	for _, r := range w.read(w.names.Messages) {
		var e schemas.MessageEvent
		require.NoError(w.t, w.codec.Decode(w.t.Context(), r.Value, &e))
		if out[e.Message.ID] == nil {
			out[e.Message.ID] = map[string][]*schemas.MessageEvent{}
		}
		out[e.Message.ID][e.EventType] = append(out[e.Message.ID][e.EventType], &e)
	}
	return out
}

func textTo(to, id, body string) *schemas.ReplyCommand {
	return &schemas.ReplyCommand{
		CommandID: id, IssuedAt: time.Now(), Metadata: map[string]string{"key": to},
		Action: &schemas.SendSMS{From: sandbox.DefaultNumber, To: []string{to}, Text: body},
	}
}

// TestTextMessagesBothWays takes 60 texts in, by notification and by sync, and
// sends 20, of which the API makes some and says 500. Each has its first event
// once, each sent one its final status once, and no customer a second text.
func TestTextMessagesBothWays(t *testing.T) {
	w, public := newPlatformWorld(t, sandbox.PlatformConfig{SentAfter: 200 * time.Millisecond, DeliveredAfter: time.Second})
	b := w.start(public, freePort(t))
	p := w.box.Platform()
	require.Eventually(t, func() bool { return len(p.Subscriptions()) == 1 }, time.Minute, 50*time.Millisecond, "%s", b.log)
	_, err := w.box.AddFault(sandbox.Fault{Route: "POST /restapi/v1.0/account/{account}/extension/{extension}/sms", Rate: 0.3, Status: 500, AfterEffect: true})
	require.NoError(t, err)
	no := false
	told, err := p.ImportMessages(sandbox.MessageImport{Count: 30})
	require.NoError(t, err)
	untold, err := p.ImportMessages(sandbox.MessageImport{Count: 30, Instant: &no, Hint: &no})
	require.NoError(t, err)
	for i := range 20 {
		w.send(textTo(fmt.Sprintf("+1415555%04d", i%5), fmt.Sprint("sms-", i), fmt.Sprint("text ", i)))
	}
	w.eventually(20, 2*time.Minute, func() int { return len(w.results()) }, "final results")
	sent := map[string]int{}
	delivered := func() (n int) {
		events := w.messages()
		for _, m := range p.Messages() {
			if m.Direction == sandbox.DirectionOutbound && len(events[fmt.Sprint(m.ID)]["message.status_changed"]) > 0 {
				for _, e := range events[fmt.Sprint(m.ID)]["message.status_changed"] {
					if *e.Message.Status == "Delivered" {
						n++
					}
				}
			}
		}
		return n
	}
	w.eventually(20, time.Minute, delivered, "deliveries told")
	w.eventually(80, time.Minute, func() int { return len(w.messages()) }, "messages on the topic")
	w.published()
	require.Equal(t, 0, b.stop())
	events := w.messages()
	for _, m := range append(told, untold...) {
		require.Len(t, events[fmt.Sprint(m.ID)]["message.received"], 1)
	}
	for _, m := range p.Messages() {
		if m.Direction != sandbox.DirectionOutbound {
			continue
		}
		sent[m.To[0].PhoneNumber+" "+m.Subject]++
		of := events[fmt.Sprint(m.ID)]
		require.Len(t, of["message.sent"], 1)
		statuses := map[string]int{}
		for _, e := range of["message.status_changed"] {
			statuses[*e.Message.Status]++
			require.Equal(t, 1, statuses[*e.Message.Status], "each status once")
		}
	}
	require.Len(t, sent, 20)
	for what, n := range sent {
		require.Equal(t, 1, n, what)
	}
	for id, results := range w.results() {
		require.Len(t, results, 1, id)
		require.Equal(t, schemas.ReplyStateSucceeded, results[0].State, id)
	}
	require.Empty(t, p.Offenders())
	require.Zero(t, p.Disasters())
	require.Empty(t, w.read(w.names.InboxDLQ))
}

// TestSocialContentsBothWays takes contents in, changes one, and answers each
// while some answers of the API are lost.
func TestSocialContentsBothWays(t *testing.T) {
	w, public := newPlatformWorld(t, sandbox.PlatformConfig{})
	b := w.start(public, freePort(t))
	p := w.box.Platform()
	_, err := w.box.AddFault(sandbox.Fault{Route: "POST /cx/social-messaging/v1/contents", Rate: 0.4, Reset: "after"})
	require.NoError(t, err)
	made, err := p.ImportContents(sandbox.SocialImport{Count: 15})
	require.NoError(t, err)
	for i, content := range made {
		id := content.ID
		w.send(&schemas.ReplyCommand{
			CommandID: fmt.Sprint("social-", i), IssuedAt: time.Now(), Metadata: map[string]string{"key": content.ThreadID},
			Action: &schemas.CreateContent{API: schemas.ContentApiSocial, BodyFormat: schemas.BodyFormatText, InReplyToID: &id, Body: fmt.Sprint("answer ", i)},
		})
	}
	w.eventually(15, 2*time.Minute, func() int { return len(w.results()) }, "final results")
	counts := func() map[string]int {
		n := map[string]int{}
		for _, e := range w.contents() {
			n[e.EventType]++
		}
		return n
	}
	w.eventually(15, time.Minute, func() int { return counts()["content.imported"] }, "imports")
	w.eventually(15, time.Minute, func() int { return counts()["content.replied"] }, "replies")
	w.published()
	require.Equal(t, 0, b.stop())
	require.Equal(t, 15, counts()["content.imported"])
	require.Equal(t, 15, counts()["content.replied"])
	answers := map[string]int{}
	for _, c := range p.Contents() {
		if c.InReplyToContentID != "" {
			answers[string(c.InReplyToContentID)]++
		}
	}
	for _, content := range made {
		require.Equal(t, 1, answers[content.ID])
	}
	for id, results := range w.results() {
		require.Equal(t, schemas.ReplyStateSucceeded, results[0].State, id)
	}
	require.Empty(t, w.read(w.names.InboxDLQ))
}
