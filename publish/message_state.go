package publish

import (
	"slices"
	"strconv"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// maxStatuses bounds the statuses remembered of one message: six are known. What comes beyond them
// is published as an update.
const maxStatuses = 16

// messageUnit is that of a message's times of change.
const messageUnit = time.Millisecond

// A messageState is what was published of a message, and its newest state. The zero value is a
// message never met.
type messageState struct {
	resource
	created  bool     // message.received or message.sent was published
	statuses []uint64 // fingerprints of the statuses published, never changed in place
	revivals uint64   // how often it was restored
	revived  int64    // ms when the newest restoration came in
}

// message returns the newest state as an event shows it.
func (s *messageState) message(id string) schemas.Message {
	m := schemas.Message{ID: id}
	fill(messageFields, &s.resource, &m)
	return m
}

// reduce applies an arrival to the state, which stands at an offset of the inbox. It returns the
// events to publish, in their order, and the state after them.
//
//	is there      never created ──▶ message.received or .sent, whenever it was so
//	              else          ──▶ message.status_changed   a status that was not published yet
//	                                message.updated          anything else changed, or it was restored, or purged after it was deleted
//	is gone       was not       ──▶ message.deleted          once for each time
//
// An event shows the newest state whatever its arrival has shown. An arrival older than the state
// changes nothing that is known. One that shows no time, as a sync does of what is gone, fills in
// what is not known; that the message is gone counts when it came in after the last restoration.
func (s messageState) reduce(f *messageFinding, offset int64) (out []change, next messageState) {
	next = s
	for _, o := range f.seen(&s) {
		o.offset = offset
		next.resource = next.apply(o, messageUnit)
	}
	was, is := s.message(""), next.message("")
	wasGone, isGone := presenceOf(was.Availability).gone(), presenceOf(is.Availability).gone()
	if wasGone && !isGone {
		next.revivals++
		next.revived = max(s.revived, f.read)
	}
	statusChanged := next.publishStatus(is.Status)
	if !s.created && !presenceOf(f.message.Availability).gone() {
		next.created = true
		return []change{creation(&is)}, next
	}
	deleted := isGone && !wasGone
	if statusChanged {
		out = append(out, change{eventType: typeStatusChanged, occurrence: *is.Status})
	}
	if next.updated(&s, statusChanged || deleted) {
		next.updates++
		out = append(out, change{eventType: typeMessageUpdated, occurrence: next.occurrence(len(messageFields), strconv.FormatUint(next.revivals, 10))})
	}
	if deleted {
		out = append(out, change{eventType: typeDeleted, occurrence: next.deletion()})
	}
	return out, next
}

// creation returns the event of a message's first appearance. No webhook reports what was sent.
func creation(m *schemas.Message) change {
	if sent(m) {
		return change{eventType: typeSent}
	}
	return change{eventType: typeReceived, repaired: true}
}

// publishStatus remembers the newest status, and reports whether it is one to publish: another than
// those before.
func (s *messageState) publishStatus(status *string) bool {
	if status == nil || len(s.statuses) >= maxStatuses {
		return false
	}
	known := fingerprint(*status)
	if slices.Contains(s.statuses, known) {
		return false
	}
	s.statuses = append(slices.Clone(s.statuses), known)
	return len(s.statuses) > 1
}

// updated reports whether there is something to publish as an update. An event that is published
// anyway shows all that belongs to it; what people do beside it is an update of its own.
func (s *messageState) updated(was *messageState, shown bool) bool {
	changed := differences(messageFields, &was.resource, &s.resource)
	if !shown {
		return len(changed) > 0
	}
	beside := numbersOf(messageFields, "text", "read_status", "attachments")
	return slices.ContainsFunc(changed, func(number int) bool { return slices.Contains(beside, number) })
}

// deletion distinguishes the message's deletions: there is one more after each time that it was
// restored. It is the same wherever the first one is met, with or without the message.
func (s *messageState) deletion() string {
	if s.revivals == 0 {
		return ""
	}
	return strconv.FormatUint(s.revivals, 10)
}
