package publish_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/samples"
	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// notice returns a notification as ingest takes it in.
func notice(body string) schemas.Arrival {
	api := schemas.ApiSms
	if strings.Contains(body, "/social-messaging/") || strings.Contains(body, "/advanced-messaging/") {
		api = schemas.ApiSocial
	}
	return schemas.Arrival{
		ArrivalID: "a", Origin: schemas.OriginWebhook, API: api, Account: "acme", Kind: "notification",
		ReceivedAt: received, ContentType: "application/json", Body: []byte(body),
	}
}

// message returns a message as ingest reads it from the message store.
func message(body string) schemas.Arrival {
	a := notice(body)
	a.Origin, a.Kind = schemas.OriginPoll, "message"
	return a
}

// social returns a row of Social Messaging.
func social(kind, body string) schemas.Arrival {
	a := message(body)
	a.API, a.Kind = schemas.ApiSocial, kind
	return a
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return parsed.UTC()
}

func TestTheInstantSampleIsAReceivedMessage(t *testing.T) {
	raw := string(samples.Get("rc_event_instant_sms_doc"))
	value, err := publish.NewState().Take(notice(raw))
	require.NoError(t, err)
	written := new(at(t, "2016-02-22T17:01:00Z"))
	require.Equal(t, &schemas.MessageEvent{
		EventID:    publish.EventID("acme", schemas.ApiSms, "606090030016", "message.received", ""),
		EventType:  "message.received",
		OccurredAt: at(t, "2013-06-14T12:00:00Z"), // when the notification was sent
		ReceivedAt: received, Origin: schemas.OriginWebhook, Account: "acme",
		Message: schemas.Message{
			ID: "606090030016", ConversationID: new("7876416245344257449"), ExtensionID: new("823476228762"),
			Direction: schemas.DirectionInbound, Type: new("SMS"),
			From:   &schemas.Sender{PhoneNumber: new("+14157809227"), Name: new("John Smith")},
			To:     []schemas.Recipient{{PhoneNumber: new("+16508974563")}},
			Text:   "Hi there",
			Status: new("Received"), ReadStatus: new("UNREAD"), Availability: new("Alive"),
			Attachments: []schemas.Attachment{{
				ID: "606090030016", ContentType: new("text/plain"), Size: new(int64(4096)),
				URL: new("/restapi/v1.0/account/~/extension/823476228762/message-store/2640223004/content/2640223004"),
			}},
			CreatedAt: written, UpdatedAt: written,
		},
		Raw: &raw,
	}, value)
}

func TestTheMMSSampleIsASentMessage(t *testing.T) {
	raw := string(samples.Get("rc_message_get_mms"))
	value, err := publish.NewState().Take(message(raw))
	require.NoError(t, err)
	const content = "https://media.ringcentral.com/restapi/v1.0/account/403391985008/extension/403391985008/message-store/403038404008/content/"
	require.Equal(t, &schemas.MessageEvent{
		EventID:    publish.EventID("acme", schemas.ApiSms, "403038404008", "message.sent", ""),
		EventType:  "message.sent",
		OccurredAt: at(t, "2017-04-14T13:46:54Z"), // when it was created
		ReceivedAt: received, Origin: schemas.OriginPoll, Account: "acme",
		Message: schemas.Message{
			ID: "403038404008", ConversationID: new("4671355828682655051"), ExtensionID: new("403391985008"),
			Direction: schemas.DirectionOutbound, Type: new("SMS"),
			From:   &schemas.Sender{PhoneNumber: new("+18882004237")},
			To:     []schemas.Recipient{{PhoneNumber: new("+18772004569")}, {PhoneNumber: new("+18772094569")}},
			Text:   "Flight information",
			Status: new("Sent"), ReadStatus: new("READ"), Availability: new("Alive"),
			Attachments: []schemas.Attachment{
				{ID: "403038404008", ContentType: new("text/plain"), URL: new(content + "403038404008")},
				{ID: "400938873008", ContentType: new("image/png"), Filename: new("filename.png"), Size: new(int64(13)), URL: new(content + "400938873008")},
			},
			CreatedAt: new(at(t, "2017-04-14T13:46:54Z")), UpdatedAt: new(at(t, "2017-04-14T13:46:54.838Z")),
		},
		Raw: &raw,
	}, value)
}

// TestEveryMessageSampleBecomesItsEvent compares each field with the sample's,
// read by another reader. Those that are no texts are activity.
func TestEveryMessageSampleBecomesItsEvent(t *testing.T) {
	for name, raw := range samples.Messages() {
		t.Run(name, func(t *testing.T) {
			var sent struct {
				ID                        json.Number
				Type, Direction, Subject  string
				ReadStatus, MessageStatus string
				Availability, URI         string
				CreationTime              time.Time
				LastModifiedTime          time.Time
				ConversationID            json.Number
				Conversation              struct{ ID string }
				From                      struct{ PhoneNumber, Name string }
				To                        []struct{ PhoneNumber, Name string }
				Attachments               []struct{ ID json.Number }
			}
			require.NoError(t, json.Unmarshal(raw, &sent))
			value, err := publish.NewState().Take(message(string(raw)))
			require.NoError(t, err)
			if sent.Type != "SMS" {
				event := value.(*schemas.ActivityEvent)
				require.Equal(t, strings.ToLower(sent.Type)+".changed", event.EventType)
				require.Equal(t, sent.ID.String(), *event.ResourceID)
				require.Equal(t, sent.LastModifiedTime, event.OccurredAt)
				require.Equal(t, string(raw), event.Data)
				return
			}
			event := value.(*schemas.MessageEvent)
			m := event.Message
			types := map[string]string{"Inbound": "message.received", "Outbound": "message.sent"}
			require.Equal(t, types[sent.Direction], event.EventType)
			require.Equal(t, strings.ToUpper(sent.Direction), string(m.Direction))
			require.Equal(t, sent.ID.String(), m.ID)
			conversation := sent.Conversation.ID
			if conversation == "" {
				conversation = sent.ConversationID.String()
			}
			require.Equal(t, conversation, *m.ConversationID)
			require.Contains(t, sent.URI, "/extension/"+*m.ExtensionID+"/")
			require.Equal(t, sent.Subject, m.Text)
			require.Equal(t, sent.MessageStatus, *m.Status)
			require.Equal(t, strings.ToUpper(sent.ReadStatus), *m.ReadStatus)
			require.Equal(t, sent.Availability, *m.Availability)
			require.Equal(t, sent.From.PhoneNumber, *m.From.PhoneNumber)
			require.Len(t, m.To, len(sent.To))
			for i, to := range sent.To {
				require.Equal(t, to.PhoneNumber, *m.To[i].PhoneNumber)
			}
			require.Len(t, m.Attachments, len(sent.Attachments))
			for i, file := range sent.Attachments {
				require.Equal(t, file.ID.String(), m.Attachments[i].ID)
			}
			require.Equal(t, sent.CreationTime, *m.CreatedAt)
			require.Equal(t, sent.CreationTime, event.OccurredAt)
			require.Equal(t, sent.LastModifiedTime, *m.UpdatedAt)
			require.Equal(t, string(raw), *event.Raw)
		})
	}
}

// TestEveryNotificationSampleIsOneEvent: but for the instant text they have no
// schema of their own.
func TestEveryNotificationSampleIsOneEvent(t *testing.T) {
	want := map[string]struct{ eventType, resourceType, resource string }{
		"rc_event_a2p_batch":            {"a2p-sms.batch_changed", "a2p-sms.batches", "b6f5610f-5ff1-4273-8a8d-e3742ba4e683"},
		"rc_event_a2p_message_inbound":  {"a2p-sms.received", "a2p-sms.messages", "7119"},
		"rc_event_a2p_message_outbound": {"a2p-sms.sent", "a2p-sms.messages", "7086"},
		"rc_event_a2p_optout":           {"a2p-sms.opt_out_changed", "a2p-sms.opt-outs", "12345678901234567890"},
		"rc_event_fax":                  {"fax.received", "fax", "404068973008"},
		"rc_event_voicemail":            {"voicemail.received", "voicemail", "82063400004"},
		"rc_event_instant_sms_doc":      {"message.received", "", "606090030016"},
	}
	for name, raw := range samples.Notifications() {
		t.Run(name, func(t *testing.T) {
			var sent struct{ Timestamp time.Time }
			require.NoError(t, json.Unmarshal(raw, &sent))
			state := publish.NewState()
			value, err := state.Take(notice(string(raw)))
			require.NoError(t, err)
			again, err := state.Take(notice(string(raw)))
			require.NoError(t, err)
			require.Nil(t, again)
			if event, ok := value.(*schemas.MessageEvent); ok {
				require.Equal(t, want[name].eventType, event.EventType)
				require.Equal(t, want[name].resource, event.Message.ID)
				return
			}
			event := value.(*schemas.ActivityEvent)
			require.NotEmpty(t, event.EventID)
			event.EventID = ""
			require.Equal(t, &schemas.ActivityEvent{
				EventType: want[name].eventType, OccurredAt: sent.Timestamp, ReceivedAt: received, Account: "acme",
				ResourceType: new(want[name].resourceType), ResourceID: new(want[name].resource), Data: string(raw),
			}, event)
		})
	}
}

// platformSamples are all notifications and messages, as arrivals.
func platformSamples() (arrivals []schemas.Arrival) {
	for _, raw := range samples.Notifications() {
		arrivals = append(arrivals, notice(string(raw)))
	}
	for _, raw := range samples.Messages() {
		arrivals = append(arrivals, message(string(raw)))
	}
	return arrivals
}

// isTextSample tells whether a sample is of an SMS or MMS.
func isTextSample(a schemas.Arrival) bool {
	var sent struct {
		Type string
		Body struct{ Type string }
	}
	_ = json.Unmarshal(a.Body, &sent)
	return sent.Type == "SMS" || sent.Body.Type == "SMS"
}
