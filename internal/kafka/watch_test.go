package kafka_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

func TestAWatchNamesTheTopicsThatChanged(t *testing.T) {
	remove := func(t *testing.T, adm *kadm.Client, topics ...string) {
		for _, topic := range topics {
			_, err := adm.DeleteTopic(t.Context(), topic)
			require.NoError(t, err)
		}
	}
	apply := func(t *testing.T, adm *kadm.Client) {
		_, err := kafka.Apply(t.Context(), adm, config())
		require.NoError(t, err)
	}
	for fact, test := range map[string]struct {
		change           func(t *testing.T, adm *kadm.Client)
		says             []string
		changed, settled bool
	}{
		"nothing": {change: func(*testing.T, *kadm.Client) {}, settled: true},
		"a deleted topic": {
			change: func(t *testing.T, adm *kadm.Client) { remove(t, adm, "p.seen") },
			says:   []string{"topic p.seen was deleted: "}, changed: true,
		},
		"a topic that was created again": {
			change: func(t *testing.T, adm *kadm.Client) { remove(t, adm, "p.inbox"); apply(t, adm) },
			says:   []string{"topic p.inbox was deleted and created again: "}, changed: true, settled: true,
		},
		"all topics": {
			change: func(t *testing.T, adm *kadm.Client) {
				changes, err := kafka.Apply(t.Context(), adm, config())
				require.NoError(t, err)
				for _, change := range changes {
					remove(t, adm, change.Topic)
				}
			},
			says: []string{
				"p.inbox ", "p.inbox.dlq ", "p.contents ", "p.identities ", "p.messages ", "p.activity ", "p.replies ", "p.replies.results ", "p.replies.dlq ", "p.cursors ", "p.seen ",
			}, changed: true,
		},
		"a topic that got more partitions than its group": {
			change: func(t *testing.T, adm *kadm.Client) {
				_, err := adm.CreatePartitions(t.Context(), 1, "p.contents")
				require.NoError(t, err)
			},
			says: []string{"topic p.contents has another number of partitions", "topic p.contents: partitions is 4"}, changed: true,
		},
		"a setting that breaks a guarantee": {
			change: func(t *testing.T, adm *kadm.Client) {
				policy := "compact"
				_, err := adm.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "cleanup.policy", Value: &policy}}, "p.inbox")
				require.NoError(t, err)
			},
			says: []string{"topic p.inbox: cleanup.policy is compact"},
		},
	} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				adm := admin(t, cluster(t))
				apply(t, adm)
				watch, err := kafka.WatchTopics(t.Context(), adm, config())
				require.NoError(t, err)
				test.change(t, adm)
				report, err := watch.Look(t.Context())
				require.NoError(t, err)
				require.Equal(t, test.changed, report.Changed())
				require.Equal(t, test.settled, report.Settled(), report.String())
				require.Equal(t, len(test.says) == 0, report.String() == "")
				for _, words := range test.says {
					require.Contains(t, report.String(), words)
				}
			})
		})
	}
}

func TestAWatchBeginsWithAllTopics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := kafka.WatchTopics(t.Context(), admin(t, cluster(t)), config())
		require.ErrorContains(t, err, "UNKNOWN_TOPIC")
	})
}

func TestAnOffsetNote(t *testing.T) {
	note := kafka.NoteOf(kadm.TopicID{1})
	note["upto"] = "12"
	read := kafka.ParseOffsetNote(note.String())
	require.Equal(t, note, read)
	require.False(t, read.Foreign(kadm.TopicID{1}))
	require.True(t, read.Foreign(kadm.TopicID{2}))
	for _, metadata := range []string{"", "ringbridge-3f1c", "published-to=12"} {
		require.False(t, kafka.ParseOffsetNote(metadata).Foreign(kadm.TopicID{2}), "an older program wrote %q", metadata)
	}
}
