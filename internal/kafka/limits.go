package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// defaultLimit is Kafka's default max.message.bytes, the least that a topic
	// is let to have: it is assumed where the broker does not say.
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

// Fits reports whether the topic takes the record. Compression is not counted on.
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
// it does not describe is not in the answer.
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

// Refusals are what brokers have refused as too large (MESSAGE_TOO_LARGE) although it was within
// the limit that they had reported, or they had reported none. The bytes that were refused must not
// be sent again: the limit is lower from then on. The zero value is ready for use, by one goroutine
// at a time.
type Refusals struct{ topics map[string]refusal }

// A refusal is what is known of one topic.
type refusal struct {
	reported int32 // by the broker when it refused; 0 = nothing
	limit    int32
}

// Under returns the limits that hold: those that are reported now, and less where that was refused.
// Once another limit is reported, that one holds.
func (f *Refusals) Under(reported Limits) Limits {
	out := Limits{}
	maps.Copy(out, reported)
	for topic, r := range f.topics {
		if reported[topic] != r.reported {
			delete(f.topics, topic)
			continue
		}
		out[topic] = r.limit
	}
	return out
}

// Note takes in which records were refused under these limits.
func (f *Refusals) Note(under Limits, refused ...*kgo.Record) {
	type batch struct {
		topic     string
		partition int32
	}
	batches := map[batch][]*kgo.Record{}
	for _, r := range refused {
		at := batch{r.Topic, r.Partition}
		batches[at] = append(batches[at], r)
	}
	for at, records := range batches {
		r, again := f.topics[at.topic]
		if !again {
			r = refusal{reported: under[at.topic], limit: under.Of(at.topic)}
		}
		r.limit = lowered(r.limit, records)
		if f.topics == nil {
			f.topics = map[string]refusal{}
		}
		f.topics[at.topic] = r
	}
}

// lowered returns the limit after a batch of these records was refused. First it splits the batch;
// if that was done, the largest of the records does not fit any more.
func lowered(limit int32, records []*kgo.Record) int32 {
	largest := 0
	for _, r := range records {
		largest = max(largest, BatchBytes(r))
	}
	split := int32(max(largest, BatchBytes(records...)/2))
	if len(records) > 1 && split < limit {
		return split
	}
	return max(recordOverhead, min(limit, int32(largest))-1)
}

// IsTooLarge reports whether the broker, or the client in its stead, will never take the bytes.
func IsTooLarge(err error) bool { return errors.Is(err, kerr.MessageTooLarge) }
