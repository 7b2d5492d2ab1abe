package consume_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// The routes of the platform that commands call.
const (
	user         = "/restapi/v1.0/account/{account}/extension/{extension}"
	routeSocial  = "POST /cx/social-messaging/v1/contents"
	routeSMS     = "POST " + user + "/sms"
	routeStore   = "GET " + user + "/message-store"
	routeMessage = "GET " + user + "/message-store/{id}"
	routeUpdate  = "PUT " + user + "/message-store/{id}"
	routeDelete  = "DELETE " + user + "/message-store/{id}"
	customer     = "+15551230001"
)

// simulated is the platform of the sandbox, called by the real client.
type simulated struct {
	*sandbox.Platform
	t      *testing.T
	server *sandbox.Server
	parent string // of a conversation on WhatsApp
	thread string
}

// platformBubble runs a test on fake time, with the sandbox's platform besides.
func platformBubble(t *testing.T, cfg sandbox.PlatformConfig, test func(t *testing.T, b *bench, p *simulated)) {
	t.Helper()
	bubble(t, func(t *testing.T, b *bench) {
		cfg.Limits = map[sandbox.RateGroup]int{sandbox.GroupLight: -1, sandbox.GroupMedium: -1}
		cfg.SMSPerMinute = -1
		server := sandbox.New(sandbox.Config{Platform: cfg}, sandbox.Deps{})
		t.Cleanup(server.Close)
		client := ringcentral.NewPlatform(ringcentral.PlatformConfig{
			ServerURL: "http://127.0.0.1", ClientID: sandbox.DefaultClientID, ClientSecret: sandbox.DefaultClientSecret, JWT: sandbox.DefaultJWT,
			ContentsPath: ringcentral.SocialMessaging,
		}, ringcentral.Deps{HTTP: &http.Client{Transport: sandbox.Transport{Handler: server.Handler()}}})
		t.Cleanup(client.Close)
		b.social, b.texts = client, client
		p := &simulated{Platform: server.Platform(), t: t, server: server}
		contents, err := p.ImportContents(sandbox.SocialImport{Body: "a question"})
		require.NoError(t, err)
		p.parent, p.thread = contents[0].ID, contents[0].ThreadID
		test(t, b, p)
	})
}

func (p *simulated) fault(f sandbox.Fault) {
	p.t.Helper()
	_, err := p.server.AddFault(f)
	require.NoError(p.t, err)
}

// count returns how often a route was called.
func (p *simulated) count(route string) (n int) {
	for _, call := range p.server.Calls() {
		if call.Route == route {
			n++
		}
	}
	return n
}

// written counts the calls that could change something.
func (p *simulated) written() (n int) {
	for _, call := range p.server.Calls() {
		if call.Method != http.MethodGet && !strings.Contains(call.Path, "/oauth/") {
			n++
		}
	}
	return n
}

// sent counts the text messages that went out with a text.
func (p *simulated) sent(text string) (n int) {
	for _, m := range p.Messages() {
		if m.Direction == sandbox.DirectionOutbound && m.Subject == text {
			n++
		}
	}
	return n
}

// answers counts the contents that went out with a body.
func (p *simulated) answers(body string) (n int) {
	for _, c := range p.Contents() {
		if c.CreatedFrom == "Api" && c.Body == body {
			n++
		}
	}
	return n
}

// message imports a message that a customer sent and returns its id.
func (p *simulated) message() int64 {
	p.t.Helper()
	messages, err := p.ImportMessages(sandbox.MessageImport{Text: "from a customer"})
	require.NoError(p.t, err)
	return messages[0].ID
}

// command encodes a command with this action.
func (b *bench) command(id, conversation string, action any) *kgo.Record {
	b.t.Helper()
	value, err := b.codec.Encode(&schemas.ReplyCommand{CommandID: id, IssuedAt: time.Now(), Action: action})
	require.NoError(b.t, err)
	return &kgo.Record{Key: []byte(conversation), Value: value}
}

func (p *simulated) reply(body string) *schemas.CreateContent {
	return &schemas.CreateContent{API: schemas.ContentApiSocial, InReplyToID: &p.parent, Body: body, BodyFormat: schemas.BodyFormatText}
}

func sms(text string) *schemas.SendSMS {
	return &schemas.SendSMS{From: sandbox.DefaultNumber, To: []string{customer}, Text: text}
}
