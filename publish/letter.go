package publish

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// maxID bounds the ids and keys that are published, in bytes: they are keys of several topics, and
// part of what is remembered. RingCentral's have some 40.
const maxID = 1 << 10

// errLongID means that an arrival names something by more than maxID.
var errLongID = errors.New("publish: an id or a key is longer than 1 KiB")

// checkIDs makes a unit a letter if an id or a key of it is longer than maxID.
func (u *unit) checkIDs() {
	ids := []string{string(u.record.Key), deref(u.arrival.ResourceID)}
	switch f := u.finding.(type) {
	case *contentFinding:
		ids = append(ids, f.content.ID, deref(f.content.ThreadID))
	case *messageFinding:
		ids = append(ids, f.message.ID, deref(f.message.ConversationID))
	case *identityFinding:
		ids = append(ids, f.identity.ID)
	case *activityFinding:
		ids = append(ids, deref(f.event.ResourceID), f.event.EventType)
	}
	for _, id := range ids {
		if len(id) > maxID {
			u.fault, u.finding = errLongID, nil
			return
		}
	}
}

// reason returns why a unit is a letter: its bytes are at fault, or we are.
func (u *unit) reason() deadletter.Reason {
	var parse *ParseError
	var decode *schemas.UndecodableError
	if errors.As(u.fault, &parse) || errors.As(u.fault, &decode) {
		return deadletter.Undecodable
	}
	if errors.Is(u.fault, errLongID) {
		return deadletter.Invalid
	}
	return deadletter.Internal
}

// letter returns the unit as a dead letter: what came in, byte for byte, under
// its key and headers; a stub where the topic takes less.
func (u *unit) letter(names kafka.Names, fit limits, now time.Time) *kgo.Record {
	letter := deadletter.Letter{
		Topic: u.record.Topic, Partition: u.record.Partition, Offset: u.record.Offset, Group: names.Group(stageName),
		Attempts: 1, Message: u.fault.Error(), Reason: u.reason(), FailedAt: now, Redrives: deadletter.Redrives(u.record.Headers),
	}.Record(u.record, u.arrival.Body, func(r *kgo.Record) bool { r.Topic = names.InboxDLQ; return fit.fits(r) })
	letter.Topic, letter.Partition = names.InboxDLQ, u.record.Partition
	return letter
}
