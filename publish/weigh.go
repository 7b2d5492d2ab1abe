package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/schemas"
)

// A Codec encodes and decodes the records' values. Both block at most for a call
// to the schema registry, bounded by ctx, and return *schemas.UnavailableError
// while it is out of reach: then the stage waits. Decode returns
// *schemas.UndecodableError when the bytes are at fault. Safe for concurrent use.
type Codec interface {
	Encode(schemas.Value) ([]byte, error)
	Decode(context.Context, []byte, schemas.Value) error
}

// A unit is one inbox record and what is made of it: events, a letter, or
// nothing.
type unit struct {
	record  *kgo.Record
	arrival schemas.Arrival
	finding finding
	fault   error // why it is a letter; nil = it is none

	arrived    *arrived
	author     *schemas.Identity // of its content, as far as it is known when it is weighed
	completion *completion       // of its content; nil = none was fetched
	wishes     []question        // what is to follow its content event

	events []*event // in their order; none = nothing to publish
	repeat string   // the class of the repetition; "" = it is none
}

// publish adds an event to what is made of the unit.
func (u *unit) publish(e *event) { u.events = append(u.events, e) }

// content returns the content event among the events; nil when there is none.
func (u *unit) content() *event {
	for _, e := range u.events {
		if e.content != nil {
			return e
		}
	}
	return nil
}

// read decodes and parses a record. An error is the registry's or the context's,
// never the record's.
func read(ctx context.Context, codec Codec, record *kgo.Record) (*unit, error) {
	u := &unit{record: record}
	err := codec.Decode(ctx, record.Value, &u.arrival)
	var undecodable *schemas.UndecodableError
	switch {
	case errors.As(err, &undecodable):
		u.fault, u.arrival = err, schemas.Arrival{Body: record.Value}
	case err != nil:
		return nil, fmt.Errorf("publish: decode arrival: %w", err)
	default:
		if u.finding, u.fault = parse(&u.arrival); u.fault != nil {
			u.finding = nil
		}
	}
	u.checkIDs()
	return u, nil
}

// weigh decides what a unit becomes, and stages what is to be remembered. The
// units of a partition must be weighed in the order of their offsets.
func (u *unit) weigh(s *stage) error {
	switch f := u.finding.(type) {
	case *contentFinding:
		return u.weighContent(s, f)
	case *activityFinding:
		f.event.EventID = eventID(u.arrival.Account, u.arrival.API, deref(f.event.ResourceID), f.event.EventType, f.occurrence)
		if !u.first(s, f.event.EventID) {
			u.repeat = classActivity
			return nil
		}
		u.publish(activityEvent(f))
	case *messageFinding:
		return u.weighMessage(s, f)
	case *identityFinding:
		return u.weighIdentity(s, f)
	case *authorFinding:
		return u.weighAuthor(s, f)
	}
	return nil
}

func (u *unit) weighContent(s *stage, f *contentFinding) error {
	key := contentKey(u.arrival.API, f.content.ID)
	state, err := readContentState(s.get(key))
	if err != nil {
		return err
	}
	id := func(c change) string {
		return eventID(u.arrival.Account, u.arrival.API, f.content.ID, c.eventType, c.occurrence)
	}
	if f.eventType != "" && singleEvent(f.eventType) == 0 && !u.first(s, id(change{eventType: f.eventType, occurrence: f.occurrence})) {
		u.repeat = classContent
		return nil
	}
	c, next := state.reduce(u.contentView(f))
	s.put(key, next.entry())
	if c.eventType == "" {
		u.repeat = classContent
		return nil
	}
	u.publish(u.contentEvent(f, c, id(c), &next))
	return nil
}

// order returns the offset of a record where that shows when its resource was read: the poller writes
// what it reads as it has read it. 0 = it does not.
func (u *unit) order() int64 {
	fetched := func(h kgo.RecordHeader) bool { return h.Key == fetchedHeader }
	if u.arrival.Origin != schemas.OriginPoll || slices.ContainsFunc(u.record.Headers, fetched) {
		return 0
	}
	return u.record.Offset
}

// contentView returns what the unit shows of a content.
func (u *unit) contentView(f *contentFinding) *contentView {
	v := &contentView{eventType: f.eventType, occurrence: f.occurrence, seen: f.seen(millis(u.arrival.ReceivedAt))}
	if u.completion != nil {
		if whole, err := parseContentBody(u.completion.body, u.arrival.API, u.completion.at); err == nil {
			o := whole.seen(millis(u.completion.at))[0]
			o.fresh = true
			v.seen = append(v.seen, o)
		}
	}
	for _, o := range v.seen {
		o.offset = u.order()
	}
	if u.author != nil {
		v.author = u.author.ID
	}
	return v
}

// weighAuthor completes a content whose newest event went out without its author.
func (u *unit) weighAuthor(s *stage, f *authorFinding) error {
	key := contentKey(u.arrival.API, f.contentID)
	state, err := readContentState(s.get(key))
	if err != nil {
		return err
	}
	c, next := state.reduce(&contentView{author: f.identity.ID})
	if c.eventType == "" {
		u.repeat = classContent
		return nil
	}
	s.put(key, next.entry())
	u.author = &f.identity
	received := u.arrival.ReceivedAt
	content := &contentFinding{content: schemas.Content{ID: f.contentID}, at: received, occurredAt: received}
	id := eventID(u.arrival.Account, u.arrival.API, f.contentID, c.eventType, c.occurrence)
	u.publish(u.contentEvent(content, c, id, &next))
	return nil
}

func (u *unit) weighMessage(s *stage, f *messageFinding) error {
	key := messageKey(u.arrival.API, f.message.ID)
	state, err := readMessageState(s.get(key))
	if err != nil {
		return err
	}
	changes, next := state.reduce(f, u.order())
	s.put(key, next.entry())
	if len(changes) == 0 {
		u.repeat = classMessage
	}
	for _, c := range changes {
		u.publish(messageEvent(u, f, c, &next))
	}
	return nil
}

func (u *unit) weighIdentity(s *stage, f *identityFinding) error {
	key := identityKey(u.arrival.API, f.identity.ID)
	state, err := readIdentityState(s.get(key))
	if err != nil {
		return err
	}
	news, next := state.reduce(f, u.order())
	s.put(key, next.entry())
	if !news {
		u.repeat = classIdentity
		return nil
	}
	u.publish(identityEvent(&u.arrival, f))
	return nil
}

// first tells whether an event that can happen again was not published before,
// and remembers it.
func (u *unit) first(s *stage, eventID string) bool {
	key := eventKey(eventID)
	if s.get(key) != "" {
		return false
	}
	s.put(key, eventEntry)
	return true
}
