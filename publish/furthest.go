package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// A replay moves the group's offset back. How far the inbox had been published before is kept in
// the metadata of the offset, until the replay has passed it: if the state is lost meanwhile, it is
// rebuilt up to there. The metadata also says of which topic the offset is: see
// [kafka.OffsetNote].
const notePublishedTo = "published-to"

// ReplayMetadata returns the metadata of the offset that a replay moves a partition of the inbox
// back to, from what is committed.
func ReplayMetadata(committed kadm.Offset) string {
	note := kafka.ParseOffsetNote(committed.Metadata)
	note[notePublishedTo] = strconv.FormatInt(Furthest(committed), 10)
	return note.String()
}

// Furthest returns how far a partition of the inbox has ever been published, by the group's
// committed offset.
func Furthest(committed kadm.Offset) int64 {
	if n, err := strconv.ParseInt(kafka.ParseOffsetNote(committed.Metadata)[notePublishedTo], 10, 64); err == nil {
		return max(n, committed.At)
	}
	return committed.At
}

// furthest asks the group how far the partition has ever been published; 0 where it has committed
// nothing, or has of an inbox that was deleted.
func (s *session) furthest(ctx context.Context, partition int32) (int64, error) {
	s.pulse.beat("asking for the group's offsets")
	n := s.deps.Names
	committed, err := kadm.NewClient(s.kafkaSession.Client()).FetchOffsetsForTopics(ctx, n.Group(stageName), n.Inbox)
	if err == nil {
		err = committed.Error()
	}
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return 0, fmt.Errorf("publish: read the offsets of group %s: %w", n.Group(stageName), err)
	}
	at, _ := committed.Lookup(n.Inbox, partition)
	if kafka.ParseOffsetNote(at.Metadata).Foreign(s.inbox) {
		return 0, nil
	}
	return Furthest(at.Offset), nil
}

// withOffsets returns a context with which a transaction commits the offsets at
// which the group is to go on, keeps what a replay has noted, and says that they are
// of the inbox with this id. The client would commit what it has polled: past the records that are held, and
// nothing where only such are published.
func (s *shards) withOffsets(ctx context.Context, inbox string, id kadm.TopicID, stops map[int32]kgo.EpochOffset) context.Context {
	furthest := map[int32]int64{}
	for _, shard := range s.all() {
		furthest[shard.partition] = shard.furthest
	}
	return kgo.PreTxnCommitFnContext(ctx, func(request *kmsg.TxnOffsetCommitRequest) error {
		topic := topicOfCommit(request, inbox, len(stops) > 0)
		if topic == nil {
			return nil
		}
		for partition, at := range stops {
			i := slices.IndexFunc(topic.Partitions, func(p kmsg.TxnOffsetCommitRequestTopicPartition) bool { return p.Partition == partition })
			if i < 0 {
				i = len(topic.Partitions)
				topic.Partitions = append(topic.Partitions, kmsg.NewTxnOffsetCommitRequestTopicPartition())
				topic.Partitions[i].Partition, topic.Partitions[i].Metadata = partition, &request.MemberID
			}
			topic.Partitions[i].Offset, topic.Partitions[i].LeaderEpoch = at.Offset, at.Epoch
		}
		for i := range topic.Partitions {
			p, note := &topic.Partitions[i], kafka.NoteOf(id)
			if to := furthest[p.Partition]; p.Offset < to {
				note[notePublishedTo] = strconv.FormatInt(to, 10)
			}
			metadata := note.String()
			p.Metadata = &metadata
		}
		return nil
	})
}

// topicOfCommit returns the inbox in a commit of offsets, adding it if wanted.
func topicOfCommit(request *kmsg.TxnOffsetCommitRequest, inbox string, add bool) *kmsg.TxnOffsetCommitRequestTopic {
	for i := range request.Topics {
		if request.Topics[i].Topic == inbox {
			return &request.Topics[i]
		}
	}
	if !add {
		return nil
	}
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic = inbox
	request.Topics = append(request.Topics, topic)
	return &request.Topics[len(request.Topics)-1]
}
