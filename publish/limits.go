package publish

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// errTooLarge means that an event, or what must be remembered of it, is larger than its topic takes.
var errTooLarge = errors.New("publish: larger than the topic's max.message.bytes")

// limits are the largest batches that topics take, in bytes.
type limits kafka.Limits

func (l limits) of(topic string) int32 { return kafka.Limits(l).Of(topic) }

// fits reports whether the topic takes the record. Compression is not counted on.
func (l limits) fits(r *kgo.Record) bool { return kafka.Limits(l).Fits(r) }

// describeTopics asks for what a session must know of its topics: how large their batches may be,
// and the id of the inbox. It fails when the broker is out of reach, or there is no inbox.
func (p *Publisher) describeTopics(ctx context.Context) (fit limits, inbox kadm.TopicID, err error) {
	client, err := kgo.NewClient(p.deps.Kafka...)
	if err != nil {
		return nil, inbox, fmt.Errorf("publish: client for topic settings: %w", err)
	}
	defer client.Close()
	adm := kadm.NewClient(client)
	n := p.deps.Names
	ids, err := kafka.TopicIDs(ctx, adm, n.Inbox)
	if err != nil {
		return nil, inbox, fmt.Errorf("publish: find the inbox: %w", err)
	}
	told, err := kafka.ReadLimits(ctx, adm, n.Contents, n.Messages, n.Activity, n.Identities, n.Inbox, n.InboxDLQ, n.Seen)
	if err != nil {
		return nil, inbox, fmt.Errorf("publish: %w", err)
	}
	return limits(p.refusals.Under(told)), ids[n.Inbox], nil
}
