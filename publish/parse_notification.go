package publish

import (
	"cmp"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// A notification is the envelope that every event of the platform comes in:
// {uuid, event, timestamp, subscriptionId, ownerId, body}.
type notification struct {
	envelope   *object
	path       string // of the event, without its query
	occurrence string // the uuid, else what stands for it
	uuid       *string
	at         time.Time // when it was sent
}

// parseNotification reads a notification. Instant texts are messages, the three
// content events of Social Messaging are contents, and all else is activity.
func parseNotification(a *schemas.Arrival, o *object) (finding, error) {
	event, uuid := o.id("event"), o.id("uuid")
	if event == nil {
		return nil, &ParseError{Field: "event", Want: "the event's address"}
	}
	n := &notification{envelope: o, uuid: uuid, at: *cmp.Or(o.instant("timestamp"), &a.ReceivedAt)}
	n.path, _, _ = strings.Cut(*event, "?")
	n.occurrence = *cmp.Or(uuid, new(bodyDigest(a.Body)))
	body := n.loose("body")
	if eventType := socialType(n.path); eventType != "" && a.API == schemas.ApiSocial {
		return parseSocialEvent(a, n, eventType)
	}
	if strings.HasSuffix(n.path, "/message-store/instant") && a.API == schemas.ApiSms && isText(body) {
		return parseInstant(a, n)
	}
	return parseNotice(a, n, body)
}

// loose returns an object field for what can do without it: one without fields where it has another
// shape, and nothing in it is odd.
func (n *notification) loose(name string) *object {
	body := readObject(n.envelope.raw(name), schemas.ApiSms)
	body.adopt("id", "resource")
	return body
}

// socialType returns the type of a content event of Social or Advanced
// Messaging; "" = it is none that has a schema.
func socialType(path string) string {
	_, name, _ := strings.Cut(path, "/contents/")
	switch strings.ToLower(name) {
	case "imported":
		return typeImported
	case "exported":
		return typeExported
	case "discussioninitiated":
		return typeInitiated
	}
	return ""
}

// parseNotice makes a notification activity. Whatever its body is, it goes out
// as received.
func parseNotice(a *schemas.Arrival, n *notification, body *object) (finding, error) {
	resource := body.child("resource")
	resource.adopt("id")
	id := firstOf(body.id("id"), resource.id("id"), n.uuid)
	if id == nil {
		return nil, &ParseError{Field: "uuid", Want: "the notification's id"}
	}
	sort := eventSort(n.path)
	outbound := strings.EqualFold(deref(body.text("direction")), "outbound")
	return &activityFinding{occurrence: n.occurrence, odd: n.envelope.odd, event: schemas.ActivityEvent{
		EventType: typeOfSort(sort, outbound), OccurredAt: n.at, ReceivedAt: a.ReceivedAt, Account: a.Account,
		ResourceType: &sort, ResourceID: id, Data: validText(a.Body),
	}}, nil
}
