package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A replay moves the group's offset back. How far the inbox had been published before is kept in the metadata of the
// offset, until the replay has passed it: if the state is lost meanwhile, it is rebuilt up to there.
const furthestPrefix = "published-to="

// OffsetMetadata is what a replay commits with the offset that it moves a partition of the inbox back to. furthest is the
// offset that the partition had been published to, exclusive.
func OffsetMetadata(furthest int64) string { return furthestPrefix + strconv.FormatInt(furthest, 10) }

// Furthest returns how far a partition of the inbox has ever been published, by the group's committed offset.
func Furthest(committed kadm.Offset) int64 {
	if text, ok := strings.CutPrefix(committed.Metadata, furthestPrefix); ok {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return max(n, committed.At)
		}
	}
	return committed.At
}

// furthest asks the group how far the partition has ever been published; 0 where it has committed nothing.
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
	return Furthest(at.Offset), nil
}

// withOffsets returns a context with which a transaction commits the offsets at
// which the group is to go on, and keeps what a replay has noted. The client by
// itself would commit what it has polled: past the records that are held, and
// nothing where only such are published.
func (s *shards) withOffsets(ctx context.Context, inbox string, stops map[int32]kgo.EpochOffset) context.Context {
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
			if p := &topic.Partitions[i]; p.Offset < furthest[p.Partition] {
				metadata := OffsetMetadata(furthest[p.Partition])
				p.Metadata = &metadata
			}
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
