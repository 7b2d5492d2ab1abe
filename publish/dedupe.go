package publish

import (
	"strconv"
)

// A field is one whose change makes content.updated.
type field int

// The tracked fields. The numbers are stored: append, never reorder.
const (
	fieldBody field = iota
	fieldStatus
	fieldPrivate
	fieldPublished
	fieldRemotelyDeleted
	fieldCategories
	fieldIntervention
	fieldSynchronization
	fieldSynchronizationError
	fieldAttachments
	trackedFields
)

// tracked holds a fingerprint for each tracked field; 0 = unknown.
type tracked [trackedFields]uint64

// differs tells whether a field that both know has another value in newer.
func (t tracked) differs(newer tracked) bool {
	for i, value := range newer {
		if value != 0 && t[i] != 0 && value != t[i] {
			return true
		}
	}
	return false
}

// overlaid returns t with what newer knows.
func (t tracked) overlaid(newer tracked) tracked {
	for i, value := range newer {
		if value != 0 {
			t[i] = value
		}
	}
	return t
}

// fingerprint identifies what is known at a time.
func (t tracked) fingerprint(at int64) uint64 {
	values := []string{strconv.FormatInt(at, 10)}
	for _, value := range t {
		values = append(values, strconv.FormatUint(value, 10))
	}
	return fingerprint(values...)
}

// once is a set of the events that happen once to a content. The bits are stored.
type once uint8

const (
	onceImported once = 1 << iota
	onceReplied
	onceInitiated
	onceApproved

	// firstSights are the events of which a content has one when it appears.
	firstSights = onceImported | onceReplied | onceInitiated
)

// onceOf returns the bit of an event type; 0 for those that can happen again.
func onceOf(eventType string) once {
	switch eventType {
	case typeImported:
		return onceImported
	case typeReplied:
		return onceReplied
	case typeInitiated:
		return onceInitiated
	case typeApproved:
		return onceApproved
	}
	return 0
}

// A contentState is what was published of a content, as far as it matters to
// tell news from repetition. The zero value is a content never met.
type contentState struct {
	timeline
	published once
	tracked   tracked
}

// A verdict is what becomes of an arrival.
type verdict struct {
	eventType  string // the event to publish; "" = none, a repetition
	occurrence string // see eventID
	repaired   bool   // published from a row because no webhook has brought it yet
}

// weigh judges an arrival against the state and returns the state after it.
//
//	webhook, once-type   first time ──▶ that event
//	                     again      ──▶ content.updated if something changed, else nothing
//	webhook, other type  ──▶ that event (the caller knows the occurrences)
//	row                  no first sight published ──▶ the first sight, as its webhook would have
//	                     else       ──▶ content.updated if something changed, else nothing
//
// An arrival older than the state changes nothing that is known and makes no
// update, so that a replay of all arrivals publishes nothing.
//
// What a first sight leaves out is unknown, and no change when it is told later.
// Where an API tells so little that the rest must follow, its findings assume
// what their event shows instead.
func (s contentState) weigh(f *contentFinding) (verdict, contentState) {
	at := millis(f.at)
	var v verdict
	switch first := firstSight(&f.content); {
	case f.eventType == "" && s.published&firstSights == 0:
		v = verdict{eventType: first, repaired: true}
	case f.eventType == "" || onceOf(f.eventType)&s.published != 0:
		return s.update(at, f.tracked)
	case onceOf(f.eventType) != 0:
		v = verdict{eventType: f.eventType}
	default:
		v = verdict{eventType: f.eventType, occurrence: f.occurrence}
	}
	next := s
	if s.older(at) {
		// What it knows alone is published with it, and so a base for later changes.
		next.tracked = f.tracked.overlaid(s.tracked)
	} else {
		next = s.merged(at, f.tracked)
	}
	next.published |= onceOf(v.eventType)
	if onceOf(v.eventType)&firstSights != 0 {
		next.tracked = f.assumed.overlaid(next.tracked)
	}
	return v, next
}

// update judges a state of a content whose first sight was published.
func (s contentState) update(at int64, t tracked) (verdict, contentState) {
	if s.older(at) || s.met(at, t.fingerprint(at)) {
		return verdict{}, s
	}
	next := s.merged(at, t)
	result := next.tracked.fingerprint(at)
	if !s.tracked.differs(t) || s.met(at, result) {
		return verdict{}, next
	}
	next.timeline = next.with(at, result)
	return verdict{eventType: typeUpdated, occurrence: strconv.FormatUint(result, 16)}, next
}

// merged returns the state after an arrival that is not older: what it knows
// counts, unless it was met before.
func (s contentState) merged(at int64, t tracked) contentState {
	state := t.fingerprint(at)
	if s.met(at, state) {
		return s
	}
	s.tracked = s.tracked.overlaid(t)
	s.timeline = s.with(at, state)
	return s
}

// An identityState is the newest state published of an identity.
type identityState struct{ timeline }

// weigh tells whether an identity's state is news, and returns the state after it.
func (s identityState) weigh(f *identityFinding) (bool, identityState) {
	if s.older(f.at) || s.met(f.at, f.state) {
		return false, s
	}
	return true, identityState{s.with(f.at, f.state)}
}
