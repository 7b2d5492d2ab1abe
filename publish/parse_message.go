package publish

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// A messageFinding is what an arrival says about a text message.
type messageFinding struct {
	message schemas.Message
	raw     string // as received

	read      int64     // ms when it came in
	sentAt    time.Time // when a first sight occurred
	changedAt time.Time // when anything later did

	changed  *time.Time      // the state's own time, as read; nil = it has none
	complete bool            // a row that is no stub: what it lacks is empty
	told     map[string]bool // where it is not complete: the fields of the message that it shows
	derived  map[string]bool // where it is not complete: those that follow from something else
	odd      *oddFields
}

// sent reports whether the company sent a message. Where the direction does not say, the status may:
// only what is sent is queued, sent, delivered, or fails.
func sent(m *schemas.Message) bool {
	if m.Direction != schemas.DirectionUnknown {
		return m.Direction == schemas.DirectionOutbound
	}
	switch deref(m.Status) {
	case "Queued", "Sent", "Delivered", "DeliveryFailed", "SendingFailed":
		return true
	}
	return false
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
	if err := o.fault(); err != nil {
		return nil, err
	}
	o.adopt("id", "type")
	if kind := o.text("type"); kind != nil && !isText(o) {
		return parseOtherRow(a, o, *kind)
	}
	f := readMessage(a, o)
	m := &f.message
	if m.ID == "" {
		return nil, &ParseError{Field: "id", Want: "the message's id"}
	}
	m.ExtensionID = firstOf(o.id("extensionId"), m.OwnerExtensionID, extensionOf(deref(o.text("uri"))))
	f.sentAt = *cmp.Or(m.CreatedAt, m.UpdatedAt, &a.ReceivedAt)
	f.changedAt = *cmp.Or(m.UpdatedAt, &a.ReceivedAt)
	// Of what is gone a sync shows the id and the availability alone.
	f.complete = m.UpdatedAt != nil || !presenceOf(m.Availability).gone()
	if !f.complete {
		f.told = toldOfMessage(o, m)
	}
	return f, nil
}

// parseInstant reads the notification of a text that came in.
func parseInstant(a *schemas.Arrival, n *notification) (finding, error) {
	o := n.envelope.child("body")
	o.adopt("id", "type")
	f := readMessage(a, o)
	m := &f.message
	if m.ID == "" {
		return nil, &ParseError{Field: "body.id", Want: "the message's id"}
	}
	m.ExtensionID = firstOf(m.OwnerExtensionID, extensionOf(n.path), n.envelope.id("ownerId"))
	f.told, f.derived = toldOfMessage(o, m), map[string]bool{}
	if m.Direction == schemas.DirectionUnknown {
		m.Direction = schemas.DirectionInbound // of which alone there are instant ones
		f.derived["direction"] = true
		delete(f.told, "direction")
	}
	f.sentAt, f.changedAt = n.at, n.at
	return f, nil
}

// readMessage reads what notifications and rows name alike.
func readMessage(a *schemas.Arrival, o *object) *messageFinding {
	m := schemas.Message{
		ID:             deref(o.id("id")),
		ConversationID: conversationOf(o),
		Direction:      messageDirection(o),
		Type:           o.text("type"), From: senderOf(o), To: recipients(o), Text: deref(o.text("subject")),
		Status: o.id("messageStatus"), ReadStatus: readStatusOf(o), Availability: o.id("availability"), Attachments: o.files("attachments"),
		DeliveryErrorCode: o.id("deliveryErrorCode"), CreatedAt: o.instant("created_at"), UpdatedAt: o.instant("updated_at"),
		SegmentCount: o.small("segmentCount"), DeliveredAt: o.instant("smsDeliveryTime"),
		OwnerExtensionID: o.child("owner").id("extensionId"), OwnerName: o.child("owner").text("name"),
	}
	f := &messageFinding{
		message: m, raw: validText(a.Body), read: millis(a.ReceivedAt),
		changed: m.UpdatedAt, odd: o.odd,
	}
	return f
}

// conversationOf returns the conversation's id: of the object, or a bare one, else the older member,
// which has been seen rounded.
func conversationOf(o *object) *string {
	if raw := o.raw("conversation"); raw != nil && !blank(raw) {
		if id, ok := scalar(raw); ok {
			return id
		}
	}
	return firstOf(o.child("conversation").id("id"), o.id("conversationId"))
}

func messageDirection(o *object) schemas.Direction {
	switch direction := o.id("direction"); {
	case direction == nil:
	case strings.EqualFold(*direction, "inbound"):
		return schemas.DirectionInbound
	case strings.EqualFold(*direction, "outbound"):
		return schemas.DirectionOutbound
	default:
		o.markOdd("direction")
	}
	return schemas.DirectionUnknown
}

func readStatusOf(o *object) *string {
	switch status := o.id("readStatus"); {
	case status == nil:
	case strings.EqualFold(*status, "read"):
		return new(string(schemas.ReadStatusRead))
	case strings.EqualFold(*status, "unread"):
		return new(string(schemas.ReadStatusUnread))
	default:
		o.markOdd("readStatus")
	}
	return nil
}

// senderOf returns who sent the message; nil when it is not said.
func senderOf(o *object) *schemas.Sender {
	for _, from := range o.parties("from") { // the first of several
		return &schemas.Sender{PhoneNumber: from.id("phoneNumber"), Name: nameOf(from)}
	}
	return nil
}

// recipients returns whom the message goes to; empty, not nil, when it is not said.
func recipients(o *object) []schemas.Recipient {
	out := []schemas.Recipient{}
	for _, to := range o.parties("to") {
		out = append(out, schemas.Recipient{PhoneNumber: to.id("phoneNumber"), Name: nameOf(to), Status: to.id("messageStatus")})
	}
	return out
}

// messageMembers returns the members of a message's JSON that show each field of Message, by the
// field's name in the schema; its extension is left out, since an address shows it as well.
func messageMembers() map[string][]string {
	return map[string][]string{
		"conversation_id": {"conversation", "conversationId"}, "direction": {"direction"}, "type": {"type"}, "from": {"from"}, "to": {"to"},
		"text": {"subject"}, "status": {"messageStatus"}, "read_status": {"readStatus"}, "availability": {"availability"},
		"attachments": {"attachments"}, "delivery_error_code": {"deliveryErrorCode"}, "created_at": {"created_at"}, "updated_at": {"updated_at"},
		"segment_count": {"segmentCount"}, "delivered_at": {"smsDeliveryTime"}, "owner_extension_id": {"owner"}, "owner_name": {"owner"},
	}
}

// toldOfMessage returns the fields of Message that an arrival shows. The id is one of them: without
// it there is no finding.
func toldOfMessage(o *object, m *schemas.Message) map[string]bool {
	out := map[string]bool{"id": true}
	for field, members := range messageMembers() {
		if slices.ContainsFunc(members, o.shows) {
			out[field] = true
		}
	}
	if m.ExtensionID != nil {
		out["extension_id"] = true
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

// parseOtherRow makes a row that has no schema of its own, such as a voicemail, activity: each of its
// states once.
func parseOtherRow(a *schemas.Arrival, o *object, kind string) (finding, error) {
	id, changed := o.id("id"), o.instant("updated_at")
	if id == nil {
		return nil, &ParseError{Field: "id", Want: "the row's id"}
	}
	return &activityFinding{occurrence: bodyDigest(a.Body), odd: o.odd, event: schemas.ActivityEvent{
		EventType: eventSort(kind) + ".changed", OccurredAt: *cmp.Or(changed, &a.ReceivedAt), ReceivedAt: a.ReceivedAt, Account: a.Account,
		ResourceType: &kind, ResourceID: id, Data: validText(a.Body),
	}}, nil
}
