package publish

import (
	"cmp"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// A messageFinding is what an arrival says about a text message.
type messageFinding struct {
	message schemas.Message
	raw     string // as received

	created   int64     // ms of its creation; 0 = it does not tell
	read      int64     // ms when it came in
	sentAt    time.Time // when a first sight occurred
	changedAt time.Time // when anything later did
	webhook   bool      // it tells of the creation, so it brings nothing back to life

	complete bool
	told     map[string]bool
	changed  *time.Time
}

// isText tells whether a message is an SMS or MMS, as far as it says.
func isText(o *object) bool {
	switch strings.ToLower(deref(o.text("type"))) {
	case "sms", "mms", "text":
		return true
	case "":
		return o.has("id")
	}
	return false
}

// parseMessageRow reads a message as the message store, a sync or a single read
// shows it.
func parseMessageRow(a *schemas.Arrival) (finding, error) {
	o := readObject(a.Body, a.API)
	if kind := o.text("type"); kind != nil && !isText(o) && o.fault() == nil {
		return parseOtherRow(a, o, *kind)
	}
	f := readMessage(a, o)
	m := &f.message
	m.ExtensionID = firstOf(o.id("extensionId"), o.child("owner").id("extensionId"), extensionOf(deref(o.text("uri"))))
	f.sentAt = *cmp.Or(m.CreatedAt, m.UpdatedAt, &a.ReceivedAt)
	f.changedAt = *cmp.Or(m.UpdatedAt, &a.ReceivedAt)
	switch {
	case m.UpdatedAt != nil || m.Direction != schemas.DirectionUnknown:
		f.complete = true
	}
	return f, f.check(o)
}

// parseInstant reads the notification of a text that came in.
func parseInstant(a *schemas.Arrival, n *notification) (finding, error) {
	o := n.envelope.child("body")
	f := readMessage(a, o)
	m := &f.message
	m.ExtensionID = firstOf(o.child("owner").id("extensionId"), extensionOf(n.path), n.envelope.id("ownerId"))
	if m.Direction == schemas.DirectionUnknown && !o.has("direction") {
		m.Direction = schemas.DirectionInbound // of which alone there are instant ones
		f.told["direction"] = true
	}
	f.webhook, f.sentAt, f.changedAt = true, n.at, n.at
	return f, f.check(o)
}

// readMessage reads what notifications and rows name alike.
func readMessage(a *schemas.Arrival, o *object) *messageFinding {
	m := schemas.Message{
		ID:             deref(o.id("id")),
		ConversationID: firstOf(o.child("conversation").id("id"), o.id("conversationId")), // the second has been seen rounded
		Direction:      schemas.DirectionUnknown,
		Type:           o.text("type"), To: recipients(o), Text: deref(o.text("subject")),
		Status: o.id("messageStatus"), Availability: o.id("availability"), Attachments: o.files("attachments"),
		DeliveryErrorCode: o.id("deliveryErrorCode"), CreatedAt: o.instant("created_at"), UpdatedAt: o.instant("updated_at"),
	}
	if o.has("from") {
		from := o.child("from")
		m.From = &schemas.Sender{PhoneNumber: from.id("phoneNumber"), Name: nameOf(from)}
	}
	switch strings.ToLower(deref(o.text("direction"))) {
	case "inbound":
		m.Direction = schemas.DirectionInbound
	case "outbound":
		m.Direction = schemas.DirectionOutbound
	}
	switch strings.ToLower(deref(o.text("readStatus"))) {
	case "read":
		m.ReadStatus = new(string(schemas.ReadStatusRead))
	case "unread":
		m.ReadStatus = new(string(schemas.ReadStatusUnread))
	}
	f := &messageFinding{message: m, raw: validText(a.Body), read: millis(a.ReceivedAt)}
	if m.CreatedAt != nil {
		f.created = millis(*m.CreatedAt)
	}
	f.told, f.changed = toldOfMessage(o), m.UpdatedAt
	return f
}

// check returns what makes the message unusable: an event must be about some
// message, and the first about one that is there must say who wrote it.
func (f *messageFinding) check(o *object) error {
	if err := o.fault(); err != nil {
		return err
	}
	if f.message.ID == "" {
		return &ParseError{Field: o.path + "id", Want: "the message's id"}
	}
	if f.message.Direction == schemas.DirectionUnknown && !presenceOf(f.message.Availability).gone() {
		return &ParseError{Field: o.path + "direction", Want: "Inbound or Outbound"}
	}
	return nil
}

// recipients returns whom the message goes to; empty, not nil, when absent.
func recipients(o *object) []schemas.Recipient {
	out := []schemas.Recipient{}
	for i, item := range o.items("to") {
		to := o.element("to", i, item)
		if to == nil {
			break
		}
		out = append(out, schemas.Recipient{PhoneNumber: to.id("phoneNumber"), Name: nameOf(to), Status: to.id("messageStatus")})
	}
	return out
}

// nameOf returns the name of who sends or gets a message; an older form wraps it.
func nameOf(o *object) *string { return firstOf(o.text("name"), o.child("contact").text("name")) }

// extensionOf finds the extension in an address: …/extension/<id>/….
func extensionOf(address string) *string {
	_, rest, _ := strings.Cut(address, "/extension/")
	id, _, _ := strings.Cut(rest, "/")
	if id == "" || id == "~" {
		return nil
	}
	return &id
}

// firstOf returns the first that is there.
func firstOf(values ...*string) *string { return cmp.Or(values...) }

func toldOfMessage(o *object) map[string]bool {
	told := map[string]bool{"extension_id": true}
	for ours, theirs := range map[string]string{"status": "messageStatus", "availability": "availability", "direction": "direction", "type": "type", "from": "from", "to": "to", "text": "subject", "read_status": "readStatus", "attachments": "attachments", "delivery_error_code": "deliveryErrorCode", "created_at": "created_at", "updated_at": "updated_at"} {
		if o.has(theirs) {
			told[ours] = true
		}
	}
	if o.has("conversation") || o.has("conversationId") {
		told["conversation_id"] = true
	}
	return told
}

// parseOtherRow makes a row that is no text, such as a voicemail, activity: each
// of its states once.
func parseOtherRow(a *schemas.Arrival, o *object, kind string) (finding, error) {
	id, changed := o.id("id"), o.instant("updated_at")
	if err := o.fault(); err != nil {
		return nil, err
	}
	if id == nil {
		return nil, &ParseError{Field: "id", Want: "the message's id"}
	}
	return &activityFinding{occurrence: bodyDigest(a.Body), event: schemas.ActivityEvent{
		EventType: eventSort(kind) + ".changed", OccurredAt: *cmp.Or(changed, &a.ReceivedAt), ReceivedAt: a.ReceivedAt, Account: a.Account,
		ResourceType: &kind, ResourceID: id, Data: validText(a.Body),
	}}, nil
}
