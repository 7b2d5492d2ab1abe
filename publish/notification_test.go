package publish_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/samples"
	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

func event(address, body string) schemas.Arrival {
	return notice(`{"uuid":"u1","event":"` + address + `","timestamp":"2014-04-29T14:29:27.408+0000","ownerId":"3","body":` + body + `}`)
}

func TestANotificationIsCalledByItsAddress(t *testing.T) {
	const account = "/restapi/v1.0/account/405151939033"
	for address, want := range map[string]string{
		account + "/extension/1/message-store?type=SMS&direction=Outbound":  "message-store.changed",
		account + "/extension/~/message-store":                              "message-store.changed",
		account + "/extension/1/message-store/instant?type=Fax":             "message-store.received",
		account + "/extension/1/fax?direction=Inbound":                      "fax.received",
		account + "/extension/1/voicemail":                                  "voicemail.received",
		account + "/a2p-sms/messages?direction=Inbound&to=+12406680432":     "a2p-sms.received",
		account + "/a2p-sms/batches":                                        "a2p-sms.batch_changed",
		account + "/a2p-sms/opt-outs":                                       "a2p-sms.opt_out_changed",
		"/restapi/v1.0/account/~/message-threads/entries/sync":              "message-threads.entries_changed",
		"/restapi/v1.0/account/~/message-threads/sync":                      "message-threads.changed",
		"/restapi/v1.0/subscription/~?threshold=60&interval=15":             "subscription.expiring",
		account + "/extension/1/presence?detailedTelephonyState=true":       "presence.notified",
		account + "/telephony/sessions":                                     "telephony.sessions.notified",
		account + "/extension":                                              "extension.notified",
		account + "/extension/1":                                            "unknown.notified",
		"/team-messaging/v1/posts":                                          "posts.notified",
		"/cx/social-messaging/v1/contents/Liked":                            "contents.liked.notified",
		"/cx/social-messaging/v1/identities/65f1a2b3c4d5e6f708091011/x":     "identities.x.notified",
		"/restapi/v1.0/glip/groups/b6f5610f-5ff1-4273-8a8d-e3742ba4e683/it": "glip.groups.it.notified",
		"whatever": "whatever.notified",
		"//?//":    "unknown.notified",
		"/a/b/c/d/e/f/g/h/" + strings.Repeat("i", 100): "a.b.c.d.e.f.notified",
	} {
		value, err := publish.NewState().Take(event(address, `{"x":1}`))
		require.NoError(t, err)
		activity := value.(*schemas.ActivityEvent)
		require.Equal(t, want, activity.EventType, address)
		require.Equal(t, "u1", *activity.ResourceID, "its own id, where the body has none")
		require.Equal(t, at(t, "2014-04-29T14:29:27.408Z"), activity.OccurredAt, "an offset without a colon")
	}
}

func TestANotificationIsAboutTheResourceOfItsBody(t *testing.T) {
	for body, want := range map[string]string{
		`{"id":"7"}`: "7", `{"id":606090030016}`: "606090030016", `{"resource":{"id":"c1"}}`: "c1", `{"id":null}`: "u1",
		`{"id":{}}`: "u1", `{"id":""}`: "u1", `null`: "u1", `[1]`: "u1", `"text"`: "u1", `{"resource":7}`: "u1",
	} {
		value, err := publish.NewState().Take(event("/restapi/v1.0/account/1/presence", body))
		require.NoError(t, err, body)
		require.Equal(t, want, *value.(*schemas.ActivityEvent).ResourceID, body)
	}
}

func TestANotificationWithoutAnIDIsToldApartByItsBytes(t *testing.T) {
	state, published := publish.NewState(), 0
	for _, rest := range []string{`"n":1`, `"n":2`, `"n":1`} {
		value, err := state.Take(notice(`{"event":"/restapi/v1.0/account/1/presence","body":{"id":"7",` + rest + `}}`))
		require.NoError(t, err)
		if value != nil {
			published++
		}
	}
	require.Equal(t, 2, published)
}

func TestWhatIsNoNotificationIsRefused(t *testing.T) {
	for body, field := range map[string]string{
		`[]`: "", `null`: "", `{`: "", `{}`: "event", `{"event":""}`: "event", `{"event":{}}`: "event",
		`{"event":"/x"}`:                                                  "uuid",
		`{"event":"/x","uuid":["secret"]}`:                                "uuid",
		instant("u", `{"type":"SMS"}`):                                    "body.id",
		instant("u", `{"id":["secret"],"type":"SMS"}`):                    "body.id",
		`{"event":"/cx/social-messaging/v1/contents/Imported","body":{}}`: "body.resource.id",
		`{"event":"/cx/social-messaging/v1/contents/Imported","body":7}`:  "body.resource.id",
		`{"event":"/engage/advanced-messaging/v1/contents/imported"}`:     "body.resource.id",
	} {
		_, err := publish.NewState().Take(notice(body))
		var parse *publish.ParseError
		require.ErrorAs(t, err, &parse, body)
		require.Equal(t, field, parse.Field, body)
		require.NotContains(t, err.Error(), "secret")
	}
}

// eventTypeForm is what the type of an event looks like, whatever the address of
// a notification holds.
var eventTypeForm = regexp.MustCompile(`^[a-z0-9._-]{1,300}$`)

// FuzzNotification: what no parser understands is a *ParseError, and what one
// does is not larger than what came in lets expect, and a repetition after that.
func FuzzNotification(f *testing.F) {
	for _, raw := range samples.Notifications() {
		f.Add(raw, false)
	}
	for _, raw := range samples.Messages() {
		f.Add(raw, true)
	}
	f.Add(socialNotice("u", "Imported", received, `"body":"x"`).Body, false)
	f.Add([]byte(socialRow), true)
	f.Fuzz(func(t *testing.T, body []byte, isRow bool) {
		for _, api := range []schemas.Api{schemas.ApiSms, schemas.ApiSocial} {
			a := notice(string(body))
			a.API = api
			if isRow {
				a.Origin, a.Kind = schemas.OriginPoll, map[schemas.Api]string{schemas.ApiSms: "message", schemas.ApiSocial: "content"}[api]
			}
			state := publish.NewState()
			values, err := state.TakeAll(a)
			if err != nil {
				var parse *publish.ParseError
				require.ErrorAs(t, err, &parse)
				continue
			}
			require.Len(t, values, 1, "a first arrival is one event")
			for _, value := range values {
				bounded(t, value, len(body))
			}
			again, err := state.TakeAll(a)
			require.NoError(t, err)
			require.Empty(t, again, "the same arrival again is a repetition")
		}
	})
}

// bounded fails unless an event has the form it must have, and a size that
// follows from what it was made of: held twice, each byte escaped at worst.
func bounded(t *testing.T, value schemas.Value, received int) {
	t.Helper()
	var eventType, id string
	switch v := value.(type) {
	case *schemas.MessageEvent:
		eventType, id = v.EventType, v.Message.ID
	case *schemas.ContentEvent:
		eventType, id = v.EventType, v.Content.ID
	case *schemas.ActivityEvent:
		eventType, id = v.EventType, *v.ResourceID
	}
	require.Regexp(t, eventTypeForm, eventType)
	require.NotEmpty(t, id)
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	require.Less(t, len(encoded), 4000+40*received)
}
