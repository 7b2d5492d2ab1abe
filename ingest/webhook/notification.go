package webhook

import (
	"cmp"
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

// SplitNotifications is Split for the platform: one item a notification, the whole of it as
// received. The platform sends one in a request; several, one behind the other or in an array, are
// taken as well. Errors: those of Split, and ErrNoNotification.
func SplitNotifications(b Body, limit int64) (Parts, error) {
	return split(b, limit, (*Parts).platform)
}

// platform reads a document of the platform.
func (p *Parts) platform(document []byte) error {
	if isArray(document) {
		return p.each(document, (*Parts).notification)
	}
	return p.notification(document)
}

// notification reads of a notification what the inbox needs to know: API, resource and key. Which
// of the fields are there depends on the event.
func (p *Parts) notification(object []byte) error {
	envelope, repeated := lenient.Pick(object, "uuid", "event", "ownerId", "body")
	event := lenient.TextOf(envelope[1])
	if event == "" {
		return ErrNoNotification
	}
	// extensionId is a hint's: text in the documentation, a number in recordings. conversationId is
	// older than conversation.
	about, twice := lenient.Pick(envelope[3], "id", "extensionId", "conversation", "conversationId", "resource")
	conversation, thrice := lenient.Pick(about[2], "id")
	resource, again := lenient.Pick(about[4], "id", "threadId")
	if repeated || twice || thrice || again {
		return p.refuse(object, ErrRepeated)
	}
	path, _, _ := strings.Cut(event, "?")
	arrival := schemas.Arrival{Origin: schemas.OriginWebhook, API: schemas.ApiSms, Kind: KindNotification, ContentType: contentType, Body: object}
	key := cmp.Or(lenient.TextOf(conversation[0]), lenient.TextOf(about[3]))
	if strings.Contains(path, "/social-messaging/") || strings.Contains(path, "/advanced-messaging/") {
		arrival.API, key = schemas.ApiSocial, lenient.TextOf(resource[1])
	}
	id := cmp.Or(lenient.TextOf(about[0]), lenient.TextOf(resource[0]), lenient.TextOf(envelope[0]))
	if id != "" {
		arrival.ResourceID = &id
	}
	if strings.HasSuffix(path, "/message-store") {
		p.hints = append(p.hints, cmp.Or(lenient.TextOf(about[1]), extensionOf(path), lenient.TextOf(envelope[2])))
	}
	return p.add(ingest.Item{Key: cmp.Or(key, id), Arrival: arrival})
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
