package publish

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// An event is one that goes out for a unit, before it is encoded.
type event struct {
	topic    string // which topic, by the name of its constant below
	class    string // of the events metric
	repaired bool
	key      string
	value    schemas.Value
	content  *contentFinding // for enrichment; nil = it is no content

	// CloudEvents attributes.
	id, eventType, subject string
	at                     time.Time
}

// Classes of events, and of repetitions: label values of the metrics.
const (
	classContent  = "content"
	classActivity = "activity"
	classIdentity = "identity"
	classMessage  = "message"
	// classContentOther is the class of content events that have none of their own.
	classContentOther = "content.other"
)

// contentClass returns the class of a content event: the types that happen to
// every content by name, the rest as one.
func contentClass(eventType string) string {
	switch eventType {
	case typeImported, typeReplied, typeInitiated, typeApproved, typeExported, typeUpdated:
		return eventType
	}
	return classContentOther
}

// A target names an event topic independently of the prefix.
const (
	targetContents   = "contents"
	targetActivity   = "activity"
	targetIdentities = "identities"
	targetMessages   = "messages"
)

func topicOf(names kafka.Names, target string) string {
	switch target {
	case targetContents:
		return names.Contents
	case targetActivity:
		return names.Activity
	case targetMessages:
		return names.Messages
	}
	return names.Identities
}

func (u *unit) contentEvent(f *contentFinding, c change, id string, state *contentState) *event {
	a, at := &u.arrival, f.occurredAt
	if f.eventType == "" && c.eventType == typeUpdated {
		at = f.at // of a row, its updated_at
	}
	content := state.content(f.content.ID)
	value := &schemas.ContentEvent{
		EventID: id, EventType: c.eventType, OccurredAt: at, ReceivedAt: a.ReceivedAt, Origin: a.Origin, API: a.API, Account: a.Account,
		Content: content, Raw: readText(f.raw),
	}
	if state.authorShown {
		value.Author = u.author
	}
	return &event{
		topic: targetContents, class: contentClass(c.eventType), repaired: c.repaired && a.Origin == schemas.OriginPoll,
		key: *cmp.Or(content.ThreadID, &content.ID), id: id, eventType: c.eventType, subject: content.ID, at: at, content: f, value: value,
	}
}

func activityEvent(f *activityFinding) *event {
	resource := deref(f.event.ResourceID)
	return &event{
		topic: targetActivity, class: classActivity, key: resource, value: &f.event,
		id: f.event.EventID, eventType: f.event.EventType, subject: resource, at: f.event.OccurredAt,
	}
}

// Types of message events, which are their classes too.
const (
	typeReceived       = "message.received"
	typeSent           = "message.sent"
	typeStatusChanged  = "message.status_changed"
	typeMessageUpdated = "message.updated"
	typeDeleted        = "message.deleted"
)

func messageEvent(u *unit, f *messageFinding, c change, state *messageState) *event {
	a, m := &u.arrival, state.message(f.message.ID)
	if key := string(u.record.Key); m.ConversationID == nil && key != "" && key != m.ID {
		m.ConversationID = &key // what is gone does not say it, but the inbox knows
	}
	at := f.changedAt
	if c.eventType == typeReceived || c.eventType == typeSent {
		at = f.sentAt
	}
	id := eventID(a.Account, a.API, m.ID, c.eventType, c.occurrence)
	return &event{
		topic: targetMessages, class: c.eventType, repaired: c.repaired && a.Origin == schemas.OriginPoll,
		key: *cmp.Or(m.ConversationID, &m.ID), id: id, eventType: c.eventType, subject: m.ID, at: at,
		value: &schemas.MessageEvent{
			EventID: id, EventType: c.eventType, OccurredAt: at, ReceivedAt: a.ReceivedAt, Origin: a.Origin, Account: a.Account,
			Message: m, Raw: &f.raw,
		},
	}
}

// typeIdentity is the type that an identity's record has as a CloudEvent.
const typeIdentity = "identity.updated"

func identityEvent(a *schemas.Arrival, f *identityFinding) *event {
	id := f.identity.ID
	return &event{
		topic: targetIdentities, class: classIdentity, key: id, value: &f.identity, eventType: typeIdentity, subject: id,
		id: eventID(a.Account, a.API, id, typeIdentity, strconv.FormatUint(f.state, 16)), at: f.at,
	}
}

// cloudEventTime is RFC 3339 in UTC with the milliseconds that the schemas keep.
const cloudEventTime = "2006-01-02T15:04:05.000Z"

// headers returns the CloudEvents attributes in Kafka's binary mode, and the
// trace that the arrival belongs to.
func (e *event) headers(u *unit) []kgo.RecordHeader {
	source := "/ringcentral/" + u.arrival.Account + "/" + strings.ToLower(string(u.arrival.API))
	headers := make([]kgo.RecordHeader, 0, 8)
	for _, h := range [][2]string{
		{"ce_specversion", "1.0"},
		{"ce_id", e.id},
		{"ce_source", source},
		{"ce_type", "com.ringcentral." + e.eventType},
		{"ce_time", e.at.UTC().Format(cloudEventTime)},
		{"ce_subject", e.subject},
		{"content-type", "application/avro"},
		{traceHeader, traceOf(u.record)},
	} {
		headers = append(headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
	}
	return headers
}
