package publish

import (
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// singleEvents is a set of the events that happen once to a content. The bits are stored.
type singleEvents uint8

const (
	singleImported singleEvents = 1 << iota
	singleReplied
	singleInitiated
	singleApproved

	// creationEvents are the events of which a content has one when it appears.
	creationEvents = singleImported | singleReplied | singleInitiated
)

// singleEvent returns the bit of an event type; 0 for those that can happen again.
func singleEvent(eventType string) singleEvents {
	switch eventType {
	case typeImported:
		return singleImported
	case typeReplied:
		return singleReplied
	case typeInitiated:
		return singleInitiated
	case typeApproved:
		return singleApproved
	}
	return 0
}

// A contentState is what was published of a content, and its newest state. The zero value is a
// content never met.
type contentState struct {
	resource
	published   singleEvents
	authorShown bool // the newest event shows who the author is
}

// A change is an event that an arrival makes.
type change struct {
	eventType  string // "" = none, a repetition
	occurrence string // see eventID
	repaired   bool   // published from a row because no webhook has brought it yet
}

// contentUnit is that of a content's times of change: rows have seconds.
const contentUnit = time.Second

// content returns the newest state as an event shows it.
func (s *contentState) content(id string) schemas.Content {
	c := schemas.Content{ID: id}
	fill(contentFields, &s.resource, &c)
	c.Direction = directionOf(deref(c.Status))
	return c
}

// authorID returns the id of the author; "" = none.
func (s *contentState) authorID() string {
	return deref(readText(s.value(authorField)))
}

// A contentView is what an arrival about a content brings, with what was fetched for it.
type contentView struct {
	eventType  string         // the webhook's; "" = a row, which shows a state and no event
	occurrence string         // the webhook's
	seen       []*observation // of its own, then of the GET that completes it
	author     string         // the id of the identity that is known as its author; "" = none is
}

// reduce applies an arrival to the state. It returns the event to publish and the state after it.
//
//	webhook, single type   first time ──▶ that event
//	                       again      ──▶ content.updated if something changed, else nothing
//	webhook, other type    ──▶ that event (the caller knows the occurrences)
//	row                    no creation event published ──▶ the creation event, as its webhook would have
//	                       else       ──▶ content.updated if something changed, else nothing
//
// An event shows the newest state whatever its arrival has shown, so that the newest event of a
// content holds the newest value of each field. An arrival older than the state changes nothing that
// is known; what it alone shows is an update.
func (s contentState) reduce(v *contentView) (change, contentState) {
	next := s
	for _, o := range v.seen {
		next.resource = next.apply(o, contentUnit)
	}
	author := v.author != "" && v.author == next.authorID()
	var c change
	switch {
	case v.eventType == "" && s.published&creationEvents == 0:
		if len(v.seen) == 0 {
			return change{}, s // an author alone creates nothing
		}
		shown := next.content("")
		c = change{eventType: creationEvent(&shown), repaired: true}
	case v.eventType == "" || singleEvent(v.eventType)&s.published != 0:
		if len(differences(contentFields, &s.resource, &next.resource)) == 0 && (s.authorShown || !author) {
			return change{}, next
		}
		next.updates++
		c = change{eventType: typeUpdated, occurrence: next.occurrence(len(contentFields))}
	case singleEvent(v.eventType) != 0:
		c = change{eventType: v.eventType}
	default:
		c = change{eventType: v.eventType, occurrence: v.occurrence}
	}
	next.published |= singleEvent(c.eventType)
	next.authorShown = author
	return c, next
}
