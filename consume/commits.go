package consume

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

// groupCommits commits offsets of the replies topic as a member of the group.
//
// The client's own way to commit within a transaction commits whatever was
// polled; here only what is finished may be committed, so the two requests of
// the protocol (KIP-98, KIP-447) are made here. The generation in them is the
// fence: the coordinator refuses a member that the group has moved on without.
type groupCommits struct {
	group    string
	topic    string
	topicID  [16]byte // newer brokers know topics by id only
	id       string   // the producer's transactional id
	member   *kgo.Client
	producer *kgo.Client
}

// concurrentPause is the wait while the coordinator still ends the transaction
// before.
const concurrentPause = 5 * time.Millisecond

func (g *groupCommits) commitInTransaction(ctx context.Context, offsets map[int32]commitPoint) error {
	producerID, epoch, err := g.producer.ProducerID(ctx)
	if err != nil {
		return fmt.Errorf("consume: ledger: producer id: %w", err)
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = g.id, producerID, epoch, g.group
	if err := untilFree(ctx, func() error {
		answer, err := add.RequestWith(ctx, g.producer)
		if err != nil {
			return err
		}
		return kerr.ErrorForCode(answer.ErrorCode)
	}); err != nil {
		return fmt.Errorf("consume: ledger: add offsets: %w", err)
	}
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.ProducerID, commit.ProducerEpoch, commit.Group = g.id, producerID, epoch, g.group
	commit.MemberID, commit.Generation = g.member.GroupMetadata()
	if failpoint.Off("fencing") {
		commit.MemberID, commit.Generation = "", -1
	}
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic, topic.TopicID = g.topic, g.topicID
	for partition, at := range offsets {
		p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = partition, at.offset, -1, &at.metadata
		topic.Partitions = append(topic.Partitions, p)
	}
	commit.Topics = append(commit.Topics, topic)
	if err := untilFree(ctx, func() error {
		answer, err := commit.RequestWith(ctx, g.producer)
		if err != nil {
			return err
		}
		for _, t := range answer.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		return fmt.Errorf("consume: ledger: commit offsets: %w", err)
	}
	return nil
}

func untilFree(ctx context.Context, request func() error) error {
	for {
		err := request()
		if !errors.Is(err, kerr.ConcurrentTransactions) {
			return err
		}
		if waitErr := sleep.For(ctx, concurrentPause); waitErr != nil {
			return errors.Join(waitErr, err)
		}
	}
}

func (g *groupCommits) commit(ctx context.Context, offsets map[int32]commitPoint) error {
	epochs := map[int32]kgo.EpochOffset{}
	for partition, at := range offsets {
		epochs[partition] = kgo.EpochOffset{Epoch: -1, Offset: at.offset}
	}
	ctx = kgo.PreCommitFnContext(ctx, func(request *kmsg.OffsetCommitRequest) error {
		for _, t := range request.Topics {
			for i := range t.Partitions {
				metadata := offsets[t.Partitions[i].Partition].metadata
				t.Partitions[i].Metadata = &metadata
			}
		}
		return nil
	})
	var failure error
	g.member.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{g.topic: epochs},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
			failure = err
			if err != nil {
				return
			}
			for _, t := range answer.Topics {
				for _, p := range t.Partitions {
					failure = errors.Join(failure, kerr.ErrorForCode(p.ErrorCode))
				}
			}
		})
	if failure != nil {
		return fmt.Errorf("consume: ledger: commit offsets: %w", failure)
	}
	return nil
}
