package sandbox_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

func TestInstantTextLooksAsDocumented(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		p, s := subscribed(t, &l, sandbox.PlatformConfig{OldEvents: true}, instantFilter)
		m := p.importMessage(sandbox.MessageImport{From: customer, Text: "hi"})
		synctest.Wait()
		require.Len(t, l.received(), 1)
		got := l.received()[0]
		want := without(keysOf(t, sample("rc_event_instant_sms_doc")), "body.to.location", "body.from.name")
		require.Equal(t, want, keysOf(t, got.raw))
		require.Equal(t, s.ID, got.SubscriptionID)
		require.Equal(t, s.EventFilters[0], got.Event)
		require.Equal(t, sandbox.ExtensionID, got.OwnerID)
		require.Equal(t, "v3rify", got.header.Get("Verification-Token"))
		require.Equal(t, "application/json; charset=UTF-8", got.header.Get("Content-Type"))
		require.Equal(t, "RingCentral-Webhook/8.3", got.header.Get("User-Agent"))
		require.Contains(t, got.Timestamp, "+0000", "an offset without a colon")
		require.Contains(t, string(got.Body), `"conversationId":"`+m.Conversation.ID+`"`)
	})
}

func TestInstantTextOfToday(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		p, _ := subscribed(t, &l, sandbox.PlatformConfig{MediaURL: "https://media.invalid"}, instantFilter)
		m := p.importMessage(sandbox.MessageImport{Files: []sandbox.ImportFile{{Name: "cat.png", ContentType: "image/png", Data: []byte("cat")}}})
		synctest.Wait()
		got := l.received()[0]
		require.Len(t, got.UUID, 19)
		require.True(t, strings.HasSuffix(got.Timestamp, "Z"))
		var body struct {
			ID           string
			Conversation struct{ ID string }
			EventType    string
			Attachments  []struct{ ID, URI, Type string }
		}
		require.NoError(t, json.Unmarshal(got.Body, &body))
		require.Equal(t, m.Conversation.ID, body.Conversation.ID)
		require.Equal(t, "Create", body.EventType)
		require.Equal(t, "MmsAttachment", body.Attachments[1].Type, "an MMS is an SMS with files")
		require.True(t, strings.HasPrefix(body.Attachments[1].URI, "https://media.invalid/"))
		require.NotContains(t, keysOf(t, got.raw), "body.conversationId")
	})
}

func TestWhatIsInstant(t *testing.T) {
	no := false
	for name, test := range map[string]struct {
		in   sandbox.MessageImport
		want int
	}{
		"an inbound text":              {sandbox.MessageImport{}, 1},
		"not an outbound one":          {sandbox.MessageImport{Direction: "Outbound"}, 0},
		"nor a fax":                    {sandbox.MessageImport{Type: "Fax"}, 0},
		"nor one that is to be missed": {sandbox.MessageImport{Instant: &no}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l listener
				p, _ := subscribed(t, &l, sandbox.PlatformConfig{}, instantFilter)
				p.importMessage(test.in)
				synctest.Wait()
				require.Len(t, l.received(), test.want)
			})
		})
	}
}

func TestHints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		p, _ := subscribed(t, &l, sandbox.PlatformConfig{SentAfter: time.Second, DeliveredAfter: -1}, storeFilter+"?type=SMS&direction=Outbound")
		made := sent(p.text(customer, "x"))
		p.importMessage(sandbox.MessageImport{}) // another direction
		time.Sleep(time.Second)
		synctest.Wait()
		got := l.received()
		require.Len(t, got, 2, "one when it was made, one when it was sent")
		var first, second struct {
			ExtensionID json.Number
			LastUpdated string
			Changes     []struct {
				Type                   string
				NewCount, UpdatedCount int
				NewMessageIDs          []int64
			}
		}
		require.NoError(t, json.Unmarshal(got[0].Body, &first))
		require.NoError(t, json.Unmarshal(got[1].Body, &second))
		require.Equal(t, 1, first.Changes[0].NewCount)
		require.Equal(t, []int64{made.ID}, first.Changes[0].NewMessageIDs)
		require.Equal(t, 1, second.Changes[0].UpdatedCount)
		require.NotContains(t, got[1].raw, "Sent", "a hint does not say what changed")
	})
}

func TestHintsGetLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		p, _ := subscribed(t, &l, sandbox.PlatformConfig{Notifications: sandbox.Notifications{HintLossRate: 0.5}}, storeFilter, instantFilter)
		_, err := p.ImportMessages(sandbox.MessageImport{Count: 200})
		require.NoError(t, err)
		synctest.Wait()
		counts, _ := p.Notifications()
		require.Equal(t, 400, counts.Emitted)
		require.Equal(t, 200, counts.Hints)
		require.InDelta(t, 100, counts.Lost, 30, "of the hints only")
		require.Len(t, l.received(), 400-counts.Lost)
	})
}

func TestDuplicatesAreAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		p, _ := subscribed(t, &l, sandbox.PlatformConfig{Notifications: sandbox.Notifications{
			DuplicateRate: 1, Delay: sandbox.Duration(time.Minute), Reorder: true, TokenHeader: "Validation-Token",
		}}, instantFilter)
		p.importMessage(sandbox.MessageImport{})
		synctest.Wait()
		require.Empty(t, l.received())
		time.Sleep(time.Minute)
		synctest.Wait()
		got := l.received()
		require.Len(t, got, 2)
		require.Equal(t, got[0].raw, got[1].raw)
		require.Equal(t, "v3rify", got[0].header.Get("Validation-Token"), "as an older guide has it")
	})
}

func TestSocialNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		p, _ := subscribed(t, &l, sandbox.PlatformConfig{Notifications: sandbox.Notifications{Concurrency: 1}},
			contentsPath+"/Imported", contentsPath+"/Exported", contentsPath+"/DiscussionInitiated")
		parent := p.importContent(sandbox.SocialImport{Attachments: []sandbox.SocialAttachment{{ID: "a"}}})
		p.create(contentsPath, `{"inReplyToContentId":"`+parent.ID+`","body":"x"}`)
		p.create(contentsPath, `{"channelId":"`+parent.ChannelID+`","to":["+1"],"body":"x"}`)
		synctest.Wait()
		var events []string
		for _, n := range l.received() {
			events = append(events, strings.TrimPrefix(n.Event, contentsPath+"/"))
		}
		require.Equal(t, []string{"Imported", "Exported", "DiscussionInitiated", "Exported"}, events)
		keys := keysOf(t, l.received()[0].raw)
		require.Subset(t, keys, []string{"body.issuedAt", "body.resource.id", "body.resource.hasAttachment", "body.resource.threadId"})
		require.NotContains(t, keys, "body.resource.creationTime", "it has to be asked for")
	})
}

func TestAdvancedMessagingHasOneEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		p, _ := subscribed(t, &l, sandbox.PlatformConfig{}, advancedPath+"/Imported", advancedPath+"/Exported")
		parent := p.importContent(sandbox.SocialImport{})
		p.create(advancedPath, `{"inReplyToContentId":"`+parent.ID+`","body":"x"}`)
		synctest.Wait()
		require.Len(t, l.received(), 1)
	})
}

func TestEmitSendsAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		p, _ := subscribed(t, &l, sandbox.PlatformConfig{}, "/restapi/v1.0/account/~/a2p-sms/messages?direction=Inbound", instantFilter)
		n, err := p.Emit(sandbox.Notification{Event: "/restapi/v1.0/account/~/a2p-sms/messages", UUID: "u-1", Body: []byte(`{"id":"7"}`)})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = p.Emit(sandbox.Notification{Body: []byte(`{"id":"8"}`)})
		require.NoError(t, err)
		require.Equal(t, 1, n, "without an event: each subscription once")
		_, err = p.Emit(sandbox.Notification{Body: []byte(`{`)})
		require.ErrorIs(t, err, sandbox.ErrInvalid)
		synctest.Wait()
		require.Len(t, l.received(), 2)
	})
}

func TestPlatformControlSurface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		p, s := subscribed(t, &l, sandbox.PlatformConfig{DeliveredAfter: -1}, storeFilter)
		post := func(path, body string) answer {
			t.Helper()
			got := p.postJSON("/sandbox/platform"+path, body)
			require.Equal(t, 200, got.status, string(got.body))
			return got
		}
		made := decode[[]struct{ ID json.Number }](post("/messages", `{"text":"hi","count":2,"files":[{"name":"a","data":"AAAA"}]}`))
		require.Len(t, made, 2)
		post("/messages/"+made[0].ID.String(), `{"read_status":"Read","hint":false}`)
		content := decode[[]struct{ ID string }](post("/contents", `{"body":"hi","author":"Ann"}`))
		post("/contents/"+content[0].ID, `{"status":"Ignored"}`)
		post("/identities", `{"displayName":"Bob"}`)
		post("/notifications", `{"hint_loss_rate":1}`)
		post("/events", `{"body":{"id":"1"}}`)
		post("/sync-tokens/expire", "")
		post("/rates/light/exhaust", "")
		post("/subscriptions/"+s.ID+"/blacklist", "")
		post("/subscriptions/"+s.ID+"/expire", "")
		got, err := p.do(http.MethodDelete, base+"/sandbox/platform/subscriptions/"+s.ID, "", "")
		require.NoError(t, err)
		require.Equal(t, 200, got.status)
		post("/tokens/expire", "")
		post("/credentials/revoke", "")
		post("/credentials/restore", "")
		synctest.Wait()

		summary := decode[struct {
			Auth          sandbox.AuthCounts
			Rates         map[string]sandbox.RateCounts
			Offenders     int
			Disasters     int
			Notifications sandbox.NotificationCounts
		}](p.get("/sandbox/platform"))
		require.Equal(t, 1, summary.Auth.Granted)
		require.Equal(t, 3, summary.Notifications.Delivered, "two hints and what was emitted")
		require.Len(t, decode[[]any](p.get("/sandbox/platform/messages")), 2)
		require.Len(t, decode[[]any](p.get("/sandbox/platform/contents")), 1)
		require.Equal(t, 404, p.postJSON("/sandbox/platform/messages/1", "{}").status)
		require.Equal(t, 400, p.postJSON("/sandbox/platform/messages", `{"texxt":"x"}`).status)
		require.Equal(t, 200, p.get("/sandbox/platform/notifications").status)
		require.Equal(t, 200, p.get("/sandbox/platform/subscriptions").status)
	})
}

func TestFaultsMatchTexts(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	p.fault(sandbox.Fault{
		Route: "POST /restapi/v1.0/account/{account}/extension/{extension}/sms",
		Match: map[string]string{"to": customer, "text_contains": "stuck"}, Status: 500, AfterEffect: true, Times: 1,
	})
	require.Equal(t, 200, p.text("+16505550111", "it is stuck").status)
	require.Equal(t, 500, p.text(customer, "it is stuck").status)
	require.Len(t, p.Messages(), 2, "the effect came before the answer was lost")
	require.NotEmpty(t, p.Calls()[2].MessageID)
}
