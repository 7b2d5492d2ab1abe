package webhook

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/internal/lenient"
	"github.com/ringbridge/ringbridge/schemas"
)

// ErrNoNotification says that a body is JSON, but none of the platform's
// notifications: those name their event.
var ErrNoNotification = errors.New("no event named in the notification")

// KindNotification is the kind of the arrivals that notifications become.
const KindNotification = "notification"

// A notification is what a request of the platform holds.
type notification struct {
	item ingest.Item
	hint *string // whose message store changed; nil = it is no such hint
}

// SplitNotification is Split for the platform: one item, the whole notification as
// received. Errors: ErrNotJSON, ErrNoNotification.
func SplitNotification(body []byte) ([]ingest.Item, error) {
	n, err := readNotification(body)
	if err != nil {
		return nil, err
	}
	return []ingest.Item{n.item}, nil
}

// noted is what is read of a notification's body. Which of it is there depends on
// the event.
type noted struct {
	ID           lenient.Text `json:"id"`
	ExtensionID  lenient.Text `json:"extensionId"` // of a hint: text in the documentation, a number in recordings
	Conversation struct {
		ID lenient.Text `json:"id"`
	} `json:"conversation"`
	ConversationID lenient.Text `json:"conversationId"` // before there was the above
	Resource       struct {
		ID       lenient.Text `json:"id"`
		ThreadID lenient.Text `json:"threadId"`
	} `json:"resource"`
}

// readNotification reads of a notification what the inbox needs to know: API,
// resource and key.
func readNotification(body []byte) (notification, error) {
	var envelope struct {
		UUID    lenient.Text    `json:"uuid"`
		Event   lenient.Text    `json:"event"`
		OwnerID lenient.Text    `json:"ownerId"`
		Body    json.RawMessage `json:"body"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return notification{}, ErrNotJSON
	}
	if envelope.Event == "" {
		return notification{}, ErrNoNotification
	}
	var about noted
	_ = json.Unmarshal(envelope.Body, &about) // a wrong shape, or none, leaves the rest readable
	path, _, _ := strings.Cut(string(envelope.Event), "?")
	arrival := schemas.Arrival{Origin: schemas.OriginWebhook, API: schemas.ApiSms, Kind: KindNotification, ContentType: contentType, Body: body}
	conversation := cmp.Or(about.Conversation.ID, about.ConversationID)
	if strings.Contains(path, "/social-messaging/") || strings.Contains(path, "/advanced-messaging/") {
		arrival.API, conversation = schemas.ApiSocial, about.Resource.ThreadID
	}
	resource := string(cmp.Or(about.ID, about.Resource.ID, envelope.UUID))
	if resource != "" {
		arrival.ResourceID = &resource
	}
	n := notification{item: ingest.Item{Key: cmp.Or(string(conversation), resource), Arrival: arrival}}
	if strings.HasSuffix(path, "/message-store") {
		n.hint = new(cmp.Or(string(about.ExtensionID), extensionOf(path), string(envelope.OwnerID)))
	}
	return n, nil
}

// extensionOf returns the extension that an event's path names; "" for none.
func extensionOf(path string) string {
	_, rest, _ := strings.Cut(path, "/extension/")
	id, _, _ := strings.Cut(rest, "/")
	if id == "~" {
		return ""
	}
	return id
}
