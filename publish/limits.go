package publish

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
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

// readLimits asks the broker. It fails when the broker is out of reach; a topic
// it does not tell about gets the default.
func readLimits(ctx context.Context, opts []kgo.Opt, topics ...string) (limits, error) {
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("publish: client for topic settings: %w", err)
	}
	defer client.Close()
	configs, err := kadm.NewClient(client).DescribeTopicConfigs(ctx, topics...)
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
