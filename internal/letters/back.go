package letters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
)

// ErrNotSendable says why a letter can't be sent back.
var ErrNotSendable = errors.New("cannot be sent back")

// maxBatchBytes is what the topics take: a letter was a record once and must
// fit again.
const maxBatchBytes = 16 << 20

// ProducerOptions are those of the client that sends letters of the source back,
// beside what every client has.
func ProducerOptions(s Source) []kgo.Opt {
	opts := []kgo.Opt{kgo.ProducerLinger(0), kgo.ProducerBatchMaxBytes(maxBatchBytes)}
	if s == Replies {
		// A command's ledger is kept by partition: on another one than it came from,
		// nobody would know what was done for it. Which partition a key has is its
		// producer's to say, and producers differ.
		opts = append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	return opts
}

// sendable returns ErrNotSendable, with the reason, for a letter that can't be
// sent back. partitions is how many the topic of commands has.
func (o *Office) sendable(one found, partitions int32) error {
	if one.record.Topic == o.deps.Topics.InboxDLQ {
		if _, err := o.split(one.record); err != nil {
			return fmt.Errorf("%w: %w", ErrNotSendable, err)
		}
		return nil
	}
	switch from := one.Info; {
	case from.Topic != o.deps.Topics.Replies:
		return fmt.Errorf("%w: it came from topic %q, not from %s", ErrNotSendable, from.Topic, o.deps.Topics.Replies)
	case from.Partition >= partitions:
		return fmt.Errorf("%w: it came from partition %d, and %s has %d", ErrNotSendable, from.Partition, from.Topic, partitions)
	}
	return nil
}

// split takes a letter of the inbox apart.
func (o *Office) split(r *kgo.Record) ([]Event, error) {
	var contentType, contentEncoding string
	for _, h := range r.Headers {
		switch h.Key {
		case deadletter.HeaderContentType:
			contentType = string(h.Value)
		case deadletter.HeaderContentEncoding:
			contentEncoding = string(h.Value)
		}
	}
	return o.deps.Split(r.Value, contentType, contentEncoding)
}

// asReceived reports whether a header says how to read bytes as they came.
func asReceived(header string) bool {
	return header == deadletter.HeaderContentType || header == deadletter.HeaderContentEncoding
}

// partitions returns how many partitions a topic has.
func (o *Office) partitions(ctx context.Context, topic string) (int32, error) {
	details, err := o.deps.Admin.ListTopics(ctx, topic)
	if err == nil {
		err = details.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("kafka: list topic %s: %w", topic, err)
	}
	return int32(len(details[topic].Partitions)), nil
}

// records returns what is sent back for a letter that is sendable.
func (o *Office) records(one found, account string) ([]*kgo.Record, error) {
	headers := deadletter.Redriven(one.record.Headers, one.Info.Redrives+1)
	if one.record.Topic == o.deps.Topics.RepliesDLQ {
		return []*kgo.Record{{
			Topic: o.deps.Topics.Replies, Partition: one.Info.Partition,
			Key: one.record.Key, Value: one.record.Value, Headers: headers,
		}}, nil
	}
	events, err := o.split(one.record)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSendable, err)
	}
	headers = slices.DeleteFunc(headers, func(h kgo.RecordHeader) bool { return asReceived(h.Key) }) // it is read now
	var records []*kgo.Record
	for _, event := range events {
		arrival := event.Arrival
		arrival.ArrivalID = uuid.NewString()
		arrival.Account = account
		arrival.ReceivedAt = time.Now().UTC()
		value, err := o.deps.Codec.Encode(&arrival)
		if err != nil {
			return nil, err
		}
		record := &kgo.Record{Topic: o.deps.Topics.Inbox, Value: value, Headers: headers}
		if event.Key != "" {
			record.Key = []byte(event.Key)
		}
		records = append(records, record)
	}
	return records, nil
}
