package kafka_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

func TestATransactionThatNobodyEndsIsTold(t *testing.T) {
	opts := cluster(t, kfake.SeedTopics(2, "p.inbox", "p.replies"))
	adm := admin(t, opts)
	hanging := func(age time.Duration) (topics []string) {
		found, err := kafka.Hanging(t.Context(), adm, kafka.TopicNames("p."), time.Now().Add(age))
		require.NoError(t, err)
		for _, h := range found {
			require.Contains(t, h.String(), h.Topic+"/1 is read no further than offset 0")
			require.Contains(t, h.Abort(), "abort --topic "+h.Topic+" --partition 1 --start-offset 0")
			topics = append(topics, h.Topic)
		}
		return topics
	}
	producer, err := kgo.NewClient(append(opts, kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	require.NoError(t, err)
	t.Cleanup(producer.Close)
	require.NoError(t, producer.BeginTransaction())
	for _, topic := range []string{"p.inbox", "p.replies"} {
		require.NoError(t, producer.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: 1}).FirstErr())
	}
	require.Empty(t, hanging(50*time.Second), "it may take that long")
	require.Equal(t, []string{"p.inbox"}, hanging(2*time.Minute), "producers of commands may take longer than the stages do")
	require.ElementsMatch(t, []string{"p.inbox", "p.replies"}, hanging(time.Hour))
	require.NoError(t, producer.EndTransaction(t.Context(), kgo.TryAbort))
	require.Empty(t, hanging(time.Hour))

	none, err := kafka.Hanging(t.Context(), adm, kafka.TopicNames("other."), time.Now())
	require.NoError(t, err)
	require.Empty(t, none)
}
