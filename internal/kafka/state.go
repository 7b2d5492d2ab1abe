package kafka

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// fetchWait is how long a broker may hold a fetch back for lack of records.
	fetchWait = 500 * time.Millisecond
	// fetchBytes is what one fetch may bring.
	fetchBytes = 8 << 20
	// retryPause is the wait before something is asked of a broker again.
	retryPause = 250 * time.Millisecond
)

// ReadAll reads one partition of a state topic from its beginning to its end as
// it stood when ReadAll was called, committed records only, and hands each to
// each, in order, on the caller's goroutine.
//
// The end is the high watermark, not the last stable offset: where a killed
// owner left a transaction open, ReadAll waits until the broker has ended it, so
// that nothing the owner committed is missed. That wait is bounded by the
// owner's transaction timeout. Broker outages are waited out; only ctx ends it.
func ReadAll(ctx context.Context, opts []kgo.Opt, topic string, partition int32, each func(*kgo.Record)) error {
	_, err := ReadTo(ctx, opts, topic, partition, math.MaxInt64, each)
	return err
}

// ReadTo is ReadAll up to an offset, which is not read. It returns the first
// offset that the partition has: more than 0 where records were deleted.
func ReadTo(ctx context.Context, opts []kgo.Opt, topic string, partition int32, until int64, each func(*kgo.Record)) (first int64, err error) {
	return read(ctx, opts, topic, partition, stretch{until: until}, each)
}

// ReadSince is ReadAll from a time on. Records are told apart by their
// timestamps, which producers set: one whose clock is wrong is missed. A time before
// 1970 is the beginning.
func ReadSince(ctx context.Context, opts []kgo.Opt, topic string, partition int32, since time.Time, each func(*kgo.Record)) error {
	_, err := read(ctx, opts, topic, partition, stretch{since: since, until: math.MaxInt64}, each)
	return err
}

// A stretch is what is read of a partition: from a time, or with the zero time
// from the beginning, up to an offset.
type stretch struct {
	since   time.Time
	until   int64
	aborted *aborted // what is looked for among the others; nil = nothing
}

func read(ctx context.Context, opts []kgo.Opt, topic string, partition int32, of stretch, each func(*kgo.Record)) (first int64, err error) {
	client, err := kgo.NewClient(slices.Clone(opts)...)
	if err != nil {
		return 0, fmt.Errorf("kafka: read %s/%d: %w", topic, partition, err)
	}
	defer client.Close()
	r := reader{client: client, adm: kadm.NewClient(client), topic: topic, partition: partition, bytes: fetchBytes, aborted: of.aborted}
	var next, end int64 = 0, -1
	for {
		err := r.locate(ctx)
		if err == nil && end < 0 {
			first, end, err = r.bounds(ctx)
			next, end = first, min(end, of.until)
			if err == nil && of.since.Unix() > 0 {
				next, err = r.after(ctx, of.since)
			}
			if err != nil {
				end = -1
			}
		}
		for err == nil && next < end {
			next, err = r.fetch(ctx, next, end, func(record *kgo.Record) bool { each(record); return true })
		}
		if err == nil {
			return first, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("kafka: read %s/%d: %w", topic, partition, errors.Join(context.Cause(ctx), err))
		case <-time.After(retryPause):
		}
	}
}

// A reader fetches from one partition's leader. It keeps the position itself: a
// consumer does not tell when it has passed the last offset of a partition whose
// last records were compacted away or aborted.
type reader struct {
	client    *kgo.Client
	adm       *kadm.Client
	topic     string
	partition int32
	bytes     int32 // that one fetch may bring
	aborted   *aborted

	id     kadm.TopicID
	leader int32
}

// locate finds the partition's leader.
func (r *reader) locate(ctx context.Context) error {
	details, err := r.adm.ListTopics(fresh(ctx), r.topic)
	if err != nil {
		return err
	}
	detail := details[r.topic]
	p, ok := detail.Partitions[r.partition]
	if err := errors.Join(detail.Err, p.Err); err != nil {
		return err
	}
	if !ok || p.Leader < 0 {
		return kerr.LeaderNotAvailable
	}
	r.id, r.leader = detail.ID, p.Leader
	return nil
}

func (r *reader) bounds(ctx context.Context) (first, end int64, err error) {
	starts, err := r.adm.ListStartOffsets(ctx, r.topic)
	if err != nil {
		return 0, -1, err
	}
	ends, err := r.adm.ListEndOffsets(ctx, r.topic)
	if err != nil {
		return 0, -1, err
	}
	s, okStart := starts.Lookup(r.topic, r.partition)
	e, okEnd := ends.Lookup(r.topic, r.partition)
	if err := errors.Join(s.Err, e.Err); err != nil || !okStart || !okEnd {
		return 0, -1, errors.Join(err, kerr.UnknownTopicOrPartition)
	}
	return s.Offset, e.Offset, nil
}

// after returns the first offset whose record is not older than the time.
func (r *reader) after(ctx context.Context, since time.Time) (int64, error) {
	listed, err := r.adm.ListOffsetsAfterMilli(ctx, since.UnixMilli(), r.topic)
	if err != nil {
		return 0, err
	}
	first, ok := listed.Lookup(r.topic, r.partition)
	if first.Err != nil || !ok {
		return 0, errors.Join(first.Err, kerr.UnknownTopicOrPartition)
	}
	return first.Offset, nil
}

// fetch reads once from next and returns the position after what it read, or end
// when each wants no more.
func (r *reader) fetch(ctx context.Context, next, end int64, each func(*kgo.Record) (more bool)) (int64, error) {
	answer, err := r.client.Broker(int(r.leader)).RetriableRequest(ctx, r.request(next))
	if err != nil {
		return next, err
	}
	response := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(response.ErrorCode); err != nil {
		return next, err
	}
	if len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
		return next, nil // nothing new within fetchWait
	}
	p := &response.Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
		return next, err
	}
	opts := kgo.ProcessFetchPartitionOpts{Offset: next, IsolationLevel: kgo.ReadCommitted(), Topic: r.topic, Partition: r.partition}
	fetched, position := kgo.ProcessFetchPartition(opts, p, kgo.DefaultDecompressor(), nil)
	if fetched.Err != nil {
		return next, fetched.Err
	}
	r.aborted.look(opts, p, fetched.Records)
	for _, record := range fetched.Records {
		if record.Offset < end && !each(record) {
			return end, nil
		}
	}
	return position, nil
}

func (r *reader) request(next int64) *kmsg.FetchRequest {
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.Partition = r.partition
	partition.FetchOffset = next
	partition.PartitionMaxBytes = r.bytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic = r.topic
	topic.TopicID = r.id
	topic.Partitions = append(topic.Partitions, partition)
	request := kmsg.NewPtrFetchRequest()
	request.MaxWaitMillis = int32(fetchWait.Milliseconds())
	request.MinBytes = 1
	request.MaxBytes = r.bytes
	request.IsolationLevel = 1 // committed records only
	request.Topics = append(request.Topics, topic)
	return request
}
