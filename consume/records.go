package consume

import (
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// result builds the record of the results topic for a command. It goes to the
// partition number of its command, so that the owner of the one reads the other.
func (c *Consumer) result(cmd *command, e entry, end ending) (*kgo.Record, error) {
	result := &schemas.ReplyResult{
		CommandID: cmd.reply.CommandID, State: e.state, Attempts: e.attempts, Recovered: end.recovered,
		Conversation: cut(cmd.conversation(), maxID), SourcePartition: int(cmd.record.Partition), SourceOffset: cmd.record.Offset, At: e.at,
		Reason: optional(string(end.reason)), ResourceID: optional(end.resource), Error: optional(cut(end.message, maxError)),
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
// headers that say why, or a stub where the topic takes less. It keeps the partition number, modulo
// those that the dead letters have (KIP-1191).
func (c *Consumer) letter(p *partition, cmd *command, end ending, now time.Time) *kgo.Record {
	facts, topic := p.record.facts, c.deps.Topics.RepliesDLQ
	letter := deadletter.Letter{
		Topic: cmd.record.Topic, Partition: cmd.record.Partition, Offset: cmd.record.Offset, Group: c.deps.Group,
		Attempts: cmd.attempts, Message: end.message, Reason: end.reason, HTTPStatus: end.cause.status, ErrorCode: end.cause.code,
		FirstFailedAt: cmd.firstFailed, FailedAt: now, Redrives: cmd.redrives,
	}.Record(cmd.record, cmd.record.Value, func(r *kgo.Record) bool {
		r.Topic = topic
		return facts.limits.Fits(r) && kafka.BatchBytes(r) <= maxBatchBytes
	})
	letter.Topic, letter.Partition = topic, cmd.record.Partition%facts.letters
	return letter
}

const (
	// maxID bounds a command's id and key, in bytes: both are in each of its results. RingCentral's
	// own ids have some 40.
	maxID = 1 << 10
	// maxError bounds what a result says of an error.
	maxError = 4 << 10
)

// cut shortens a text to at most size bytes.
func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	return strings.ToValidUTF8(text[:size], "")
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
