package kafka_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// cluster starts a fake broker on the bubble's network.
func cluster(t *testing.T, opts ...kfake.Opt) []kgo.Opt {
	t.Helper()
	var net kfake.VirtualNetwork
	c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1), kfake.Ports(9093), kfake.ListenFn(net.Listen))...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return []kgo.Opt{kgo.SeedBrokers(c.ListenAddrs()...), kgo.Dialer(net.DialContext)}
}

func client(t *testing.T, base []kgo.Opt, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, base...)...)
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return cl
}

func readAll(t *testing.T, opts []kgo.Opt) (values []string) {
	t.Helper()
	require.NoError(t, kafka.ReadAll(t.Context(), opts, "seen", 0, func(r *kgo.Record) { values = append(values, string(r.Value)) }))
	return values
}

func TestReadAll(t *testing.T) {
	for fact, produce := range map[string]func(t *testing.T, opts []kgo.Opt) (want []string){
		"an empty partition is nothing": func(*testing.T, []kgo.Opt) []string { return nil },
		"all records come, in order": func(t *testing.T, opts []kgo.Opt) (want []string) {
			cl := client(t, opts)
			for i := range 2000 {
				want = append(want, fmt.Sprint(i))
				cl.Produce(t.Context(), &kgo.Record{Topic: "seen", Value: []byte(want[i])}, nil)
			}
			require.NoError(t, cl.Flush(t.Context()))
			return want
		},
		"aborted records do not come, also at the end": func(t *testing.T, opts []kgo.Opt) []string {
			cl := client(t, opts, kgo.TransactionalID("t"))
			for _, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
				require.NoError(t, cl.BeginTransaction())
				require.NoError(t, cl.ProduceSync(t.Context(), &kgo.Record{Topic: "seen", Value: []byte(fmt.Sprint(commit))}).FirstErr())
				require.NoError(t, cl.EndTransaction(t.Context(), commit))
			}
			return []string{fmt.Sprint(kgo.TryCommit)}
		},
		"an open transaction of a killed owner is waited out": func(t *testing.T, opts []kgo.Opt) []string {
			cl := client(t, opts, kgo.TransactionalID("t"), kgo.TransactionTimeout(30*time.Second))
			require.NoError(t, cl.BeginTransaction())
			require.NoError(t, cl.ProduceSync(t.Context(), &kgo.Record{Topic: "seen", Value: []byte("never")}).FirstErr())
			require.NoError(t, client(t, opts).ProduceSync(t.Context(), &kgo.Record{Topic: "seen", Value: []byte("after")}).FirstErr())
			return []string{"after"}
		},
	} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := cluster(t, kfake.SeedTopics(1, "seen"))
				want := produce(t, opts)
				require.Equal(t, want, readAll(t, opts))
			})
		})
	}
}

func TestReadAllEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := cluster(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, kafka.ReadAll(ctx, opts, "missing", 0, func(*kgo.Record) {}), context.DeadlineExceeded)
	})
}

func admin(t *testing.T, opts []kgo.Opt) *kadm.Client {
	t.Helper()
	return kadm.NewClient(client(t, opts))
}

func config() kafka.TopicConfig { return kafka.TopicConfig{Prefix: "p.", Partitions: 3} }

func TestApplyMakesAllTopicsAndIsSafeToRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		adm := admin(t, cluster(t))
		first, err := kafka.Apply(t.Context(), adm, config())
		require.NoError(t, err)
		require.Len(t, first, 11)
		for _, change := range first {
			require.True(t, change.Created, change.Topic)
			require.Equal(t, 3, change.Partitions)
		}
		wider := config()
		wider.Partitions = 9
		again, err := kafka.Apply(t.Context(), adm, wider)
		require.NoError(t, err)
		for _, change := range again {
			require.False(t, change.Created, change.Topic)
		}
		faults, err := kafka.CheckTopics(t.Context(), adm, config())
		require.NoError(t, err)
		require.Empty(t, faults)
		missing, err := kafka.Missing(t.Context(), adm, config())
		require.NoError(t, err)
		require.Empty(t, missing)
	})
}

func TestAMissingTopicGetsThePartitionsOfItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		adm := admin(t, cluster(t, kfake.SeedTopics(5, "p.inbox")))
		changes, err := kafka.Apply(t.Context(), adm, config())
		require.NoError(t, err)
		for _, change := range changes {
			want := 3
			if change.Topic == "p.contents" || change.Topic == "p.seen" || change.Topic == "p.messages" || change.Topic == "p.activity" || change.Topic == "p.inbox" {
				want = 5
			}
			require.Equal(t, want, change.Partitions, change.Topic)
		}
	})
}

func TestSettingsThatBreakAGuaranteeAreNamed(t *testing.T) {
	for topic, fault := range map[string]struct{ key, value string }{
		"p.identities":      {"max.message.bytes", "1000"},
		"p.contents":        {"cleanup.policy", "compact"},
		"p.seen":            {"cleanup.policy", "delete"},
		"p.cursors":         {"cleanup.policy", "compact,delete"},
		"p.replies.results": {"cleanup.policy", "delete"},
		"p.inbox":           {"unclean.leader.election.enable", "true"},
		"p.activity":        {"max.message.bytes", "1000"},
		"p.replies":         {"min.insync.replicas", "2"},
	} {
		t.Run(topic, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				adm := admin(t, cluster(t))
				_, err := kafka.Apply(t.Context(), adm, config())
				require.NoError(t, err)
				_, err = adm.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: fault.key, Value: &fault.value}}, topic)
				require.NoError(t, err)
				faults, err := kafka.CheckTopics(t.Context(), adm, config())
				require.NoError(t, err)
				require.Len(t, faults, 1)
				require.Equal(t, topic, faults[0].Topic)
				require.Equal(t, fault.key, faults[0].Setting)
				require.Contains(t, faults[0].Error(), fault.value)
			})
		})
	}
}

// Entries of the state hold values of what customers write.
func TestTheStateTakesRecordsAsLargeAsTheEventsDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		adm := admin(t, cluster(t))
		_, err := kafka.Apply(t.Context(), adm, config())
		require.NoError(t, err)
		small := "999999"
		for _, topic := range []string{"p.contents", "p.seen", "p.cursors"} {
			configs, err := adm.DescribeTopicConfigs(t.Context(), topic)
			require.NoError(t, err)
			for _, c := range configs[0].Configs {
				if c.Key == "max.message.bytes" {
					require.Equal(t, "16777216", c.MaybeValue(), topic)
				}
			}
			_, err = adm.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "max.message.bytes", Value: &small}}, topic)
			require.NoError(t, err)
		}
		faults, err := kafka.CheckTopics(t.Context(), adm, config())
		require.NoError(t, err)
		require.Len(t, faults, 3)
	})
}

func TestUnequalPartitionCountsAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		adm := admin(t, cluster(t, kfake.SeedTopics(3, "p.inbox"), kfake.SeedTopics(4, "p.seen")))
		faults, err := kafka.CheckTopics(t.Context(), adm, config())
		require.NoError(t, err)
		require.Contains(t, fmt.Sprint(faults), "topic p.seen: partitions is 4")
	})
}

func TestConfigNamesEveryFaultAtOnce(t *testing.T) {
	err := kafka.Config{Brokers: []string{"kafka://u:hunter2@h:1"}, TLSCAFile: "x", TLSKeyFile: "y", SASLMechanism: "MD5"}.Validate()
	for _, variable := range []string{"KAFKA_BROKERS", "KAFKA_TLS_ENABLED", "KAFKA_TLS_CERT_FILE", "KAFKA_SASL_MECHANISM"} {
		require.ErrorContains(t, err, variable)
	}
	require.NotContains(t, err.Error(), "hunter2")
	require.ErrorContains(t, kafka.TopicConfig{Prefix: "a b", Partitions: 0, Replication: -1}.Validate(), "TOPIC_REPLICATION")
	require.NoError(t, kafka.Config{SASLMechanism: "PLAIN", SASLUsername: "u", SASLPassword: "p"}.Validate())
}
