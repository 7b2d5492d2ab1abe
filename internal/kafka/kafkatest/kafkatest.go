// Package kafkatest helps tests to bring a broker into a state that clients leave behind.
package kafkatest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CommitInTransaction makes the offset of a partition a part of the transaction that a producer of this transactional id has under way.
func CommitInTransaction(t *testing.T, producer *kgo.Client, transactionalID, group, topic string, partition int32) {
	t.Helper()
	id, epoch, err := producer.ProducerID(t.Context())
	require.NoError(t, err)
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = transactionalID, id, epoch, group
	added, err := add.RequestWith(t.Context(), producer)
	require.NoError(t, err)
	require.NoError(t, kerr.ErrorForCode(added.ErrorCode))
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.ProducerID, commit.ProducerEpoch, commit.Group, commit.Generation = transactionalID, id, epoch, group, -1
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

// AbortedBy writes a record in a transaction and aborts it by a marker that is so many epochs later: 1 is the transaction's own, from
// Kafka 4.0 on; with more it is another's, as where a broker has lost the marker of a commit.
func AbortedBy(t *testing.T, opts []kgo.Opt, record *kgo.Record, epochs int16) {
	t.Helper()
	own := []kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("of a process that is gone")}
	gone, err := kgo.NewClient(slices.Concat(opts, own)...)
	require.NoError(t, err)
	t.Cleanup(gone.Close)
	require.NoError(t, gone.BeginTransaction())
	require.NoError(t, gone.ProduceSync(t.Context(), record).FirstErr())
	topics := kadm.TopicsSet{}
	topics.Add(record.Topic, record.Partition)
	written, err := kadm.NewClient(gone).WriteTxnMarkers(t.Context(), kadm.TxnMarkers{
		ProducerID: record.ProducerID, ProducerEpoch: record.ProducerEpoch + epochs, Topics: topics,
	})
	require.NoError(t, err)
	written.EachPartition(func(p kadm.TxnMarkersPartitionResponse) { require.NoError(t, p.Err) })
}
