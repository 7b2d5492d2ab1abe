package kafka

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
	defaultLimit = minMessageBytes
	// recordOverhead is more than a batch of one record adds to its key, value
	// and headers.
	recordOverhead = 512
)

// Limits are the largest batches that topics take, in bytes, by topic.
type Limits map[string]int32

// Of returns a topic's limit: Kafka's default where it is not known.
func (l Limits) Of(topic string) int32 {
	if limit := l[topic]; limit > 0 {
		return limit
	}
	return defaultLimit
}

// Fits tells whether the topic takes the record. Compression is not counted on.
func (l Limits) Fits(r *kgo.Record) bool { return BatchBytes(r) <= int(l.Of(r.Topic)) }

// BatchBytes returns the most that a batch of these records has, uncompressed.
func BatchBytes(records ...*kgo.Record) (size int) {
	for _, r := range records {
		size += len(r.Key) + len(r.Value) + recordOverhead
		for _, h := range r.Headers {
			size += len(h.Key) + len(h.Value) + 10 // the lengths before both
		}
	}
	return size
}

// ReadLimits asks the broker. It fails when the broker is out of reach; a topic
// it does not tell about is not in the answer.
func ReadLimits(ctx context.Context, adm *kadm.Client, topics ...string) (Limits, error) {
	configs, err := adm.DescribeTopicConfigs(ctx, topics...)
	if err != nil {
		if _, denied := errors.AsType[*kadm.AuthError](err); denied {
			return Limits{}, nil
		}
		return nil, fmt.Errorf("kafka: read topic settings: %w", err)
	}
	out := Limits{}
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

// Refused returns a topic's limit, less than before, after the broker has refused a batch of these
// records as too large (MESSAGE_TOO_LARGE). First it splits the batch; if that was done, the
// largest of the records does not fit any more.
func Refused(before int32, records []*kgo.Record) int32 {
	largest := 0
	for _, r := range records {
		largest = max(largest, BatchBytes(r))
	}
	split := int32(max(largest, BatchBytes(records...)/2))
	if len(records) > 1 && split < before {
		return split
	}
	return max(recordOverhead, min(before, int32(largest))-1)
}
