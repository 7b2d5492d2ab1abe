package publish

import (
	"context"
	"errors"
	"fmt"
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

// noteOffsets returns a context with which the offsets of a transaction keep what a replay has
// noted, and say that they are of the inbox with this id.
func (s *shards) noteOffsets(ctx context.Context, n kafka.Names, inbox kadm.TopicID) context.Context {
	furthest := map[int32]int64{}
	for _, shard := range s.all() {
		furthest[shard.partition] = shard.furthest
	}
	return kgo.PreTxnCommitFnContext(ctx, func(request *kmsg.TxnOffsetCommitRequest) error {
		for _, topic := range request.Topics {
			if topic.Topic != n.Inbox {
				continue
			}
			for i := range topic.Partitions {
				p, note := &topic.Partitions[i], kafka.NoteOf(inbox)
				if to := furthest[p.Partition]; p.Offset < to {
					note[notePublishedTo] = strconv.FormatInt(to, 10)
				}
				metadata := note.String()
				p.Metadata = &metadata
			}
		}
		return nil
	})
}
