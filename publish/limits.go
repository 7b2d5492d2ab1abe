package publish

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

const (
	// defaultLimit is Kafka's default max.message.bytes, the least that a topic
	// is let to have: it is assumed where the broker does not tell.
	defaultLimit = 1_000_000
	// recordOverhead is more than a batch of one record adds to its key, value
	// and headers.
	recordOverhead = 512
)

// limits are the largest batches that topics take, in bytes.
type limits map[string]int32

func (l limits) of(topic string) int32 {
	if limit := l[topic]; limit > 0 {
		return limit
	}
	return defaultLimit
}

// fits tells whether the topic takes the record. Compression is not counted on.
func (l limits) fits(r *kgo.Record) bool {
	size := len(r.Key) + len(r.Value) + recordOverhead
	for _, h := range r.Headers {
		size += len(h.Key) + len(h.Value) + 10 // the lengths before both
	}
	return size <= int(l.of(r.Topic))
}

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
	fit, err = readLimits(ctx, adm, n.Contents, n.Messages, n.Activity, n.Identities, n.Inbox, n.InboxDLQ, n.Seen)
	return fit, ids[n.Inbox], err
}

// readLimits asks the broker. It fails when the broker is out of reach; a topic
// it does not tell about gets the default.
func readLimits(ctx context.Context, adm *kadm.Client, topics ...string) (limits, error) {
	configs, err := adm.DescribeTopicConfigs(ctx, topics...)
	if err != nil {
		if _, denied := errors.AsType[*kadm.AuthError](err); denied {
			return limits{}, nil
		}
		return nil, fmt.Errorf("publish: read topic settings: %w", err)
	}
	out := limits{}
	for _, topic := range configs {
		for _, c := range topic.Configs {
			if c.Key != "max.message.bytes" {
				continue
			}
			if n, err := strconv.ParseInt(c.MaybeValue(), 10, 32); err == nil && n >= recordOverhead {
				out[topic.Name] = int32(min(n, 1<<30)) // the client's own bound
			}
		}
	}
	return out, nil
}
