package letters_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/letters"
	"github.com/ringbridge/ringbridge/schemas"
)

func TestAPlanTouchesNoLetterThatCameAfterIt(t *testing.T) {
	r := newRoom(t)
	r.give(0, deadletter.Forbidden, "a")
	r.give(1, deadletter.Forbidden, "b")
	back, away := r.plan(letters.SendBack, which("a")), r.plan(letters.Discard)
	r.give(0, deadletter.Forbidden, "a", "c")
	r.give(2, deadletter.Forbidden, "d")
	require.Equal(t, 2, r.discard(r.office, away))
	require.Empty(t, r.sendBack(back), "it was discarded after the plan was made, and its new letter is another one")
	require.Equal(t, map[string]letters.State{"a": letters.Waiting, "b": letters.Discarded, "c": letters.Waiting, "d": letters.Waiting}, r.states())
}

func TestWhatTwoOperatorsDoAtOnceIsRememberedOfBoth(t *testing.T) {
	r := newRoom(t)
	r.give(0, deadletter.Forbidden, "a", "b", "c", "d")
	mine, theirs := r.plan(letters.Discard, which("a", "d")), r.plan(letters.Discard, which("b"))
	sent := r.plan(letters.SendBack, which("c", "b"))
	again := r.plan(letters.SendBack, which("c"))
	require.Equal(t, 2, r.discard(r.office, mine))
	require.Equal(t, 1, r.discard(r.other, theirs))
	require.Equal(t, []string{"c"}, r.sendBack(sent))
	require.Empty(t, r.sendBack(again), "it was sent back after the plan was made")
	require.Equal(t, map[string]letters.State{
		"a": letters.Discarded, "b": letters.Discarded, "c": letters.Redriven, "d": letters.Discarded,
	}, r.states())
}

// Of 1,300 letters those of one reason are discarded, in several notes.
func TestManyLettersAreDiscardedByReason(t *testing.T) {
	r := newRoom(t)
	r.give(0, deadletter.Expired, ids("early", 600)...)
	r.give(0, deadletter.Forbidden, ids("kept", 100)...)
	r.give(2, deadletter.Expired, ids("late", 600)...)
	notes := r.commits()
	plan := r.plan(letters.Discard, func(c *letters.Choice) { c.Reasons = []deadletter.Reason{deadletter.Expired} })
	require.Equal(t, letters.Histogram{deadletter.Expired: 1200}, plan.Letters)
	require.Equal(t, 1200, r.discard(r.office, plan))
	require.Len(t, notes(), 3)
	require.Contains(t, r.log.String(), `level=INFO msg="dead letters dealt with" action=discarded by=me topic=t.replies.dlq letters=1200 reason_expired=1200`)
	plan = r.plan(letters.SendBack)
	require.Equal(t, letters.Histogram{deadletter.Forbidden: 100}, plan.Letters)
	require.Equal(t, map[letters.State]int{letters.Discarded: 1200}, plan.Others)
}

// Another operator discards a letter, and we are interrupted, while the first 500
// of 600 have been noted.
func TestADiscardThatIsCutShortKeepsWhatItBeganAndWhatOthersDid(t *testing.T) {
	r := newRoom(t)
	r.give(0, deadletter.Expired, ids("mine", 600)...)
	r.give(0, deadletter.Forbidden, "theirs")
	plan := r.plan(letters.Discard, func(c *letters.Choice) { c.Reasons = []deadletter.Reason{deadletter.Expired} })
	theirs := r.plan(letters.Discard, which("theirs"))
	ctx, stop := context.WithCancel(t.Context())
	noted := 0
	_, _ = r.office.Discard(ctx, plan, "me", func(letters.Letter) {
		if noted++; noted == 1 {
			require.Equal(t, 1, r.discard(r.other, theirs))
			stop()
		}
	})
	require.Greater(t, noted, 500)
	discarded := 0
	states := r.states()
	for _, state := range states {
		if state == letters.Discarded {
			discarded++
		}
	}
	require.Equal(t, letters.Discarded, states["theirs"])
	require.Equal(t, noted+1, discarded)
}

func TestALimitCountsWhatIsActedUpon(t *testing.T) {
	r := newRoom(t)
	r.give(0, deadletter.Forbidden, "a", "b", "c", "d")
	r.discard(r.office, r.plan(letters.Discard, which("b")))
	two := func(c *letters.Choice) { c.Limit = 2 }
	require.Equal(t, []string{"a", "c"}, r.sendBack(r.plan(letters.SendBack, two)))
	require.Equal(t, []string{"d"}, r.sendBack(r.plan(letters.SendBack, two)))
}

// Whose producer chose partitions by a hash of its own finds its ledger again.
func TestACommandGoesBackToThePartitionItCameFrom(t *testing.T) {
	r := newRoom(t)
	for partition, id := range ids("a", partitions) {
		r.give(int32(partition), deadletter.Forbidden, id)
	}
	headers := deadletter.Letter{Topic: r.names.Replies, Partition: partitions, Reason: deadletter.Forbidden}.Headers(nil)
	require.NoError(t, r.client.ProduceSync(t.Context(), &kgo.Record{Topic: r.names.RepliesDLQ, Partition: 1, Headers: headers}).FirstErr())
	plan := r.plan(letters.SendBack)
	require.Equal(t, 1, plan.Faulty, "of a partition that there is not")
	require.Len(t, r.sendBack(plan), partitions, "all of one key")
	var at []int32
	require.NoError(t, r.read(t.Context(), r.names.Replies, func(record *kgo.Record) bool {
		at = append(at, record.Partition)
		return true
	}))
	require.Equal(t, []int32{0, 1, 2}, at)
}

func TestALetterIsShownWhole(t *testing.T) {
	r := newRoom(t)
	r.give(1, deadletter.RetriesExhausted, "a")
	r.give(0, deadletter.RetriesExhausted, "b")
	r.result(1, "a", schemas.ReplyStateAttempting)
	r.result(0, "b", schemas.ReplyStateAttempting)
	r.result(1, "a", schemas.ReplyStateDeadLettered)
	r.discard(r.office, r.plan(letters.Discard, which("a")))
	for _, name := range []string{"a", "1/0"} {
		var states []schemas.ReplyState
		require.NoError(t, r.office.Show(t.Context(), letters.Choice{Source: letters.Replies, Which: []string{name}}, func(whole letters.Whole) error {
			require.Equal(t, letters.Discarded, whole.State)
			require.Equal(t, deadletter.RetriesExhausted, whole.Info.Reason)
			require.Equal(t, &schemas.DeleteMessage{MessageID: "7"}, whole.Command.Action)
			require.NotEmpty(t, whole.Record.Headers)
			for _, result := range whole.Results {
				states = append(states, result.State)
			}
			return nil
		}))
		require.Equal(t, []schemas.ReplyState{schemas.ReplyStateAttempting, schemas.ReplyStateDeadLettered}, states, name)
	}
	require.Error(t, r.office.Show(t.Context(), letters.Choice{Source: letters.Replies}, nil), "all letters whole are more than memory has")
}

// Brokers forget what is committed by nobody for a week; a kept memory is
// committed anew, as it is.
func TestTheMemoryIsKept(t *testing.T) {
	r := newRoom(t)
	r.give(0, deadletter.Forbidden, "a", "b", "c", "d")
	r.give(1, deadletter.Forbidden, "e")
	r.discard(r.office, r.plan(letters.Discard, which("b", "e")))
	r.sendBack(r.plan(letters.SendBack, which("a", "c")))
	before := r.states()
	notes := r.commits()
	require.NoError(t, r.office.Keep(t.Context()))
	require.Equal(t, map[string]int{"t.dlq-redrive": 1, "t.dlq-discard": 2}, partitionsOf(notes()))
	require.Equal(t, before, r.states())
	require.Equal(t, letters.Waiting, before["d"])
}

// commits returns what tells the commits since.
func (r *room) commits() func() []*kmsg.OffsetCommitRequest {
	var seen []*kmsg.OffsetCommitRequest
	r.cluster.ControlKey(int16(kmsg.OffsetCommit), func(request kmsg.Request) (kmsg.Response, error, bool) {
		r.cluster.KeepControl()
		seen = append(seen, request.(*kmsg.OffsetCommitRequest))
		return nil, nil, false
	})
	return func() []*kmsg.OffsetCommitRequest { return seen }
}

// partitionsOf counts the partitions of the commits by group.
func partitionsOf(commits []*kmsg.OffsetCommitRequest) map[string]int {
	counts := map[string]int{}
	for _, c := range commits {
		for _, topic := range c.Topics {
			counts[c.Group] += len(topic.Partitions)
		}
	}
	return counts
}
