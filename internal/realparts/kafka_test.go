//go:build real

package realparts_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/realparts"
)

func TestKafkaShowsCommittedTransactionsOnly(t *testing.T) {
	client := newClient(t, parts.Kafka, kgo.TransactionalID("realparts"))
	createTopic(t, client, "committed-only")

	transact(t, client, "committed-only", kgo.TryAbort, "aborted")
	transact(t, client, "committed-only", kgo.TryCommit, "committed")

	require.Equal(t, []string{"committed"}, readAll(t, parts.Kafka, "committed-only", 1))
}

func TestKafkaKeepsItsAddressAndDataOverKillAndStop(t *testing.T) {
	broker, err := realparts.StartKafka(t.Context(), realparts.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Kill()) })
	addr := broker.Addr()
	client := newClient(t, broker, kgo.TransactionalID("realparts"))
	createTopic(t, client, "kept")
	transact(t, client, "kept", kgo.TryCommit, "before")

	require.NoError(t, broker.Kill())
	require.NoError(t, broker.Restart(t.Context()))
	transact(t, client, "kept", kgo.TryCommit, "after kill")
	require.NoError(t, broker.Stop())
	require.NoError(t, broker.Restart(t.Context()))
	transact(t, client, "kept", kgo.TryCommit, "after stop")

	require.Equal(t, addr, broker.Addr())
	require.Equal(t, []string{"before", "after kill", "after stop"}, readAll(t, broker, "kept", 3))
}

func TestKafkaMakesNoTopicByItself(t *testing.T) {
	client := newClient(t, parts.Kafka, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(1))
	err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "misspelt"}).FirstErr()
	require.ErrorContains(t, err, "UNKNOWN_TOPIC_OR_PARTITION")
}

func TestKafkaThatCannotStartSaysWhy(t *testing.T) {
	_, err := realparts.StartKafka(t.Context(), realparts.Config{Dir: t.TempDir(), Settings: []string{"num.io.threads=none"}})
	require.ErrorContains(t, err, "num.io.threads")
	require.ErrorContains(t, err, "kafka.log")
}

func newClient(t *testing.T, broker *realparts.Kafka, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(broker.Addr()))...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func createTopic(t *testing.T, client *kgo.Client, topic string) {
	t.Helper()
	_, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, topic)
	require.NoError(t, err)
}

func transact(t *testing.T, client *kgo.Client, topic string, how kgo.TransactionEndTry, value string) {
	t.Helper()
	require.NoError(t, client.BeginTransaction())
	require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr())
	require.NoError(t, client.EndTransaction(t.Context(), how))
}

// readAll reads n committed values from the topic's start.
func readAll(t *testing.T, broker *realparts.Kafka, topic string, n int) []string {
	t.Helper()
	client := newClient(t, broker, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var values []string
	for len(values) < n {
		fetches := client.PollFetches(ctx)
		require.NoError(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}
