package kafka_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

func TestOffsetsOfAnOpenTransactionAreHeldBack(t *testing.T) {
	opts := cluster(t, kfake.SeedTopics(2, "p.inbox"))
	adm := admin(t, opts)
	held := func() []int32 {
		partitions, err := kafka.HeldBack(t.Context(), adm, "p.publish", "p.inbox")
		require.NoError(t, err)
		return partitions
	}
	require.Empty(t, held(), "there is no such group yet")
	producer := client(t, opts, kgo.TransactionalID("x"))
	require.NoError(t, adm.CommitAllOffsets(t.Context(), "p.publish", kadm.OffsetsFromRecords(kgo.Record{Topic: "p.inbox", Partition: 1, Offset: 3})))
	require.Empty(t, held())
	for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		require.NoError(t, producer.BeginTransaction())
		require.NoError(t, producer.ProduceSync(t.Context(), &kgo.Record{Topic: "p.inbox"}).FirstErr())
		commitInTransaction(t, producer, "p.publish", "p.inbox", 1)
		require.Equal(t, []int32{1}, held())
		require.NoError(t, producer.EndTransaction(t.Context(), end))
		require.Empty(t, held())
	}
}

func TestOffsetsThatStayHeldBackAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := client(t, cluster(t, kfake.SeedTopics(2, "p.inbox")), kgo.TransactionalID("x"), kgo.TransactionTimeout(14*time.Minute))
		adm, offsets := kadm.NewClient(client), kafka.HeldOffsets{}
		look := func() int {
			n, err := offsets.Look(t.Context(), adm, "p.publish", "p.inbox")
			require.NoError(t, err)
			return n
		}
		at := func(offset int64) {
			require.NoError(t, adm.CommitAllOffsets(t.Context(), "p.publish", kadm.OffsetsFromRecords(kgo.Record{Topic: "p.inbox", Partition: 1, Offset: offset})))
		}
		at(3)
		require.NoError(t, client.BeginTransaction())
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: "p.inbox"}).FirstErr())
		commitInTransaction(t, client, "p.publish", "p.inbox", 1)
		for range 10 { // one after the other, as far as anybody can see
			require.Zero(t, look())
			time.Sleep(30 * time.Second)
			at(4)
			require.Zero(t, look())
			time.Sleep(30 * time.Second)
			at(5)
		}
		require.Zero(t, look())
		time.Sleep(time.Minute)
		require.Equal(t, 1, look())
		require.NoError(t, client.EndTransaction(t.Context(), kgo.TryAbort))
		require.Zero(t, look())
	})
}

// commitInTransaction makes the offset of a partition a part of the transaction under way.
func commitInTransaction(t *testing.T, producer *kgo.Client, group, topic string, partition int32) {
	t.Helper()
	id, epoch, err := producer.ProducerID(t.Context())
	require.NoError(t, err)
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = "x", id, epoch, group
	added, err := add.RequestWith(t.Context(), producer)
	require.NoError(t, err)
	require.NoError(t, kerr.ErrorForCode(added.ErrorCode))
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.ProducerID, commit.ProducerEpoch, commit.Group, commit.Generation = "x", id, epoch, group, -1
	of := kmsg.NewTxnOffsetCommitRequestTopic()
	details, err := kadm.NewClient(producer).ListTopics(t.Context(), topic)
	require.NoError(t, err)
	of.Topic, of.TopicID = topic, details[topic].ID
	offset := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	offset.Partition, offset.Offset = partition, 7
	of.Partitions = append(of.Partitions, offset)
	commit.Topics = append(commit.Topics, of)
	committed, err := commit.RequestWith(t.Context(), producer)
	require.NoError(t, err)
	require.NoError(t, kerr.ErrorForCode(committed.Topics[0].Partitions[0].ErrorCode))
}
