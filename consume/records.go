package consume

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/schemas"
)

// result builds the record of the results topic for a command. It goes to the
// partition number of its command, so that the owner of the one reads the other.
func (c *Consumer) result(cmd *command, e entry, end ending) (*kgo.Record, error) {
	result := &schemas.ReplyResult{
		CommandID: cmd.reply.CommandID, State: e.state, Attempts: e.attempts, Recovered: end.recovered,
		Conversation: cmd.conversation(), SourcePartition: int(cmd.record.Partition), SourceOffset: cmd.record.Offset, At: e.at,
		Reason: optional(string(end.reason)), ResourceID: optional(end.resource), Error: optional(end.message),
	}
	if end.cause.status != 0 {
		result.HTTPStatus = &end.cause.status
	}
	value, err := c.deps.Codec.Encode(result)
	if err != nil {
		return nil, fmt.Errorf("consume: result: %w", err)
	}
	return &kgo.Record{
		Topic: c.deps.Topics.Results, Partition: cmd.record.Partition,
		Key: []byte(cmd.reply.CommandID), Value: value, Headers: append(e.headers(), cmd.trace()...),
	}, nil
}

// letter builds the dead letter of a command: its record as it came, with
// headers that say why. It keeps the partition number, modulo those that the
// dead letters have (KIP-1191).
func (c *Consumer) letter(p *partition, cmd *command, end ending, now time.Time) *kgo.Record {
	headers := deadletter.Letter{
		Topic: cmd.record.Topic, Partition: cmd.record.Partition, Offset: cmd.record.Offset, Group: c.deps.Group,
		Attempts: cmd.attempts, Message: end.message, Reason: end.reason, HTTPStatus: end.cause.status, ErrorCode: end.cause.code,
		FirstFailedAt: cmd.firstFailed, FailedAt: now, Redrives: cmd.redrives,
	}.Headers(cmd.record.Headers)
	return &kgo.Record{
		Topic: c.deps.Topics.RepliesDLQ, Partition: cmd.record.Partition % p.letters,
		Key: cmd.record.Key, Value: cmd.record.Value, Headers: headers,
	}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
