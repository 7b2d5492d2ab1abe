package publish

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// errTooLarge means that an event is larger than its topic takes.
var errTooLarge = errors.New("publish: the event is larger than its topic's max.message.bytes")

// reason returns why a unit is a letter: its bytes are at fault, or we are.
func (u *unit) reason() deadletter.Reason {
	var parse *ParseError
	var decode *schemas.UndecodableError
	if errors.As(u.fault, &parse) || errors.As(u.fault, &decode) {
		return deadletter.Undecodable
	}
	return deadletter.Internal
}

// letter returns the unit as a dead letter: what came in, byte for byte, under
// its key and headers.
func (u *unit) letter(names kafka.Names, now time.Time) *kgo.Record {
	headers := deadletter.Letter{
		Topic: u.record.Topic, Partition: u.record.Partition, Offset: u.record.Offset, Group: names.Group(stageName),
		Attempts: 1, Message: u.fault.Error(), Reason: u.reason(), FailedAt: now, Redrives: deadletter.Redrives(u.record.Headers),
	}.Headers(u.record.Headers)
	return &kgo.Record{
		Topic: names.InboxDLQ, Partition: u.record.Partition, Key: u.record.Key, Value: u.arrival.Body, Headers: headers,
	}
}
