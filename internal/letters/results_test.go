package letters_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/letters"
	"github.com/ringbridge/ringbridge/schemas"
)

// fetched counts the records of a topic that are asked for from now on, by
// partition: from which offset on first.
func (r *room) fetched(topic string) map[int32]int64 {
	r.t.Helper()
	details, err := kadm.NewClient(r.client).ListTopics(r.t.Context(), topic)
	require.NoError(r.t, err)
	first := map[int32]int64{}
	r.cluster.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		r.cluster.KeepControl()
		for _, t := range request.(*kmsg.FetchRequest).Topics {
			for _, p := range t.Partitions {
				if before, ok := first[p.Partition]; t.TopicID == [16]byte(details[topic].ID) && (!ok || p.FetchOffset < before) {
					first[p.Partition] = p.FetchOffset
				}
			}
		}
		return nil, nil, false
	})
	return first
}

// resultAt puts a result on record that is so old.
func (r *room) resultAt(partition int32, id string, state schemas.ReplyState, age time.Duration) {
	r.t.Helper()
	value, err := r.codec.Encode(&schemas.ReplyResult{CommandID: id, State: state, At: time.Now().Add(-age)})
	require.NoError(r.t, err)
	record := &kgo.Record{Topic: r.names.Results, Partition: partition, Key: []byte(id), Value: value, Timestamp: time.Now().Add(-age)}
	require.NoError(r.t, r.client.ProduceSync(r.t.Context(), record).FirstErr())
}

// The command is a moment old; results of half a year lie before its own.
func TestOnlyTheResultsThatCanBeMeantAreRead(t *testing.T) {
	r := newRoom(t)
	r.give(1, deadletter.Forbidden, "a")
	for partition := range int32(partitions) {
		for range 10 {
			r.resultAt(partition, "other", schemas.ReplyStateSucceeded, 180*24*time.Hour)
		}
	}
	r.resultAt(1, "a", schemas.ReplyStateAttempting, clocksApart)
	r.resultAt(1, "a", schemas.ReplyStateDeadLettered, 0)
	for name, which := range map[string]string{"by position": "1/0", "by command": "a"} {
		t.Run(name, func(t *testing.T) {
			fetched := r.fetched(r.names.Results)
			results := 0
			require.NoError(t, r.office.Show(context.WithoutCancel(t.Context()), letters.Choice{Source: letters.Replies, Which: []string{which}}, func(whole letters.Whole) error {
				results += len(whole.Results)
				return nil
			}))
			require.Equal(t, 2, results)
			require.Equal(t, map[int32]int64{1: 10}, fetched)
		})
	}
}

// clocksApart is how much later the clock of who issued the command may be.
const clocksApart = 12 * time.Hour

// Nothing says what partition its command was on, so all are read from the beginning.
func TestALetterThatDoesNotSayWhereItCameFromIsShownWhole(t *testing.T) {
	r := newRoom(t)
	value, err := r.codec.Encode(&schemas.ReplyCommand{CommandID: "a", IssuedAt: time.Now(), Action: &schemas.DeleteMessage{MessageID: "7"}})
	require.NoError(t, err)
	require.NoError(t, r.client.ProduceSync(t.Context(), &kgo.Record{Topic: r.names.RepliesDLQ, Partition: 0, Value: value}).FirstErr())
	r.resultAt(2, "a", schemas.ReplyStateDeadLettered, 180*24*time.Hour)
	shown := 0
	require.NoError(t, r.office.Show(t.Context(), letters.Choice{Source: letters.Replies, Which: []string{"0/0"}}, func(whole letters.Whole) error {
		shown++
		require.Len(t, whole.Results, 1)
		return nil
	}))
	require.Equal(t, 1, shown)
	require.NoError(t, r.office.Show(t.Context(), letters.Choice{Source: letters.Replies, Which: []string{"0/1", "7/0"}}, func(letters.Whole) error {
		shown++
		return nil
	}))
	require.Equal(t, 1, shown, "where there is no letter, nothing is shown, or waited for")
}
