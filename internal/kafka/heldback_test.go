package kafka_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/kafka/kafkatest"
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
		kafkatest.CommitInTransaction(t, producer, "x", "p.publish", "p.inbox", 1)
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
			n, err := offsets.Look(t.Context(), adm, "p.publish", "p.inbox", time.Minute)
			require.NoError(t, err)
			return n
		}
		at := func(offset int64) {
			require.NoError(t, adm.CommitAllOffsets(t.Context(), "p.publish", kadm.OffsetsFromRecords(kgo.Record{Topic: "p.inbox", Partition: 1, Offset: offset})))
		}
		at(3)
		require.NoError(t, client.BeginTransaction())
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: "p.inbox"}).FirstErr())
		kafkatest.CommitInTransaction(t, client, "x", "p.publish", "p.inbox", 1)
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
