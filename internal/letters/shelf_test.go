package letters_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
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

// shelf runs a shelf until the test ends, and waits until it is filled.
func (r *room) shelf() *letters.Shelf {
	r.t.Helper()
	s := letters.NewShelf(letters.ShelfDeps{Options: r.opts, Topics: r.names, Codec: r.codec})
	ctx, stop := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	r.t.Cleanup(func() {
		stop()
		require.NoError(r.t, <-done)
	})
	require.Eventually(r.t, func() bool {
		_, _, _, complete := s.Page(letters.Choice{}, nil, 0)
		return complete
	}, 30*time.Second, 10*time.Millisecond)
	return s
}

func onShelf(s *letters.Shelf, change ...func(*letters.Choice)) (ids []string) {
	choice := letters.Choice{Source: letters.Replies}
	for _, f := range change {
		f(&choice)
	}
	lines, _, _, _ := s.Page(choice, nil, 100)
	for _, l := range lines {
		ids = append(ids, l.CommandID)
	}
	return ids
}

func in(states ...letters.State) func(*letters.Choice) {
	return func(c *letters.Choice) { c.States = states }
}

func TestTheShelfSeesWhateverBecomesOfLetters(t *testing.T) {
	bubble(t, func(t *testing.T, r *room) {
		r.give(0, deadletter.Forbidden, "a", "b")
		r.give(1, deadletter.Expired, "c", "d")
		r.result(1, "c", schemas.ReplyStateDeadLettered)
		r.discard(r.other, r.plan(letters.Discard, which("a")))
		s := r.shelf()
		require.Equal(t, []string{"d", "c", "b", "a"}, onShelf(s), "newest first")
		require.Equal(t, []string{"a"}, onShelf(s, in(letters.Discarded)))
		require.Equal(t, []string{"d", "c", "b"}, onShelf(s, in(letters.Waiting)))

		r.give(2, deadletter.Rejected, "e")
		r.discard(r.other, r.plan(letters.Discard, which("b")))
		r.sendBack(r.plan(letters.SendBack, which("d")))
		r.result(1, "c", schemas.ReplyStateSucceeded)
		want := map[letters.State][]string{
			letters.Waiting: {"e"}, letters.Discarded: {"b", "a"}, letters.Redriven: {"d"}, letters.Succeeded: {"c"},
		}
		require.Eventually(t, func() bool {
			for state, ids := range want {
				if have := onShelf(s, in(state)); len(have) != len(ids) {
					return false
				}
			}
			return true
		}, 30*time.Second, 10*time.Millisecond)
		states := r.states()
		for state, ids := range want {
			require.Equal(t, ids, onShelf(s, in(state)))
			for _, id := range ids {
				require.Equal(t, state, states[id], "the office says the same")
			}
		}
	})
}

func TestAPageIsWhatWasChosen(t *testing.T) {
	bubble(t, func(t *testing.T, r *room) {
		r.give(0, deadletter.Forbidden, ids("a", 150)...)
		r.give(1, deadletter.Expired, ids("b", 150)...)
		s := r.shelf()
		choice := letters.Choice{Source: letters.Replies}
		seen := map[string]bool{}
		var after *letters.Position
		for page := range 4 {
			lines, matching, byReason, complete := s.Page(choice, after, 100)
			require.True(t, complete)
			require.Equal(t, 300, matching)
			require.Equal(t, letters.Histogram{deadletter.Forbidden: 150, deadletter.Expired: 150}, byReason)
			if page == 3 {
				require.Empty(t, lines)
				break
			}
			require.Len(t, lines, 100)
			for _, l := range lines {
				require.False(t, seen[l.CommandID], "on one page only")
				seen[l.CommandID] = true
			}
			after = &lines[99].Position
		}
		require.Len(t, seen, 300)
		choice.Reasons = []deadletter.Reason{deadletter.Expired}
		choice.Which = []string{"b7", "a7"}
		lines, matching, byReason, _ := s.Page(choice, nil, 100)
		require.Equal(t, 1, matching)
		require.Equal(t, letters.Histogram{deadletter.Expired: 1}, byReason)
		require.WithinDuration(t, time.Now(), lines[0].At, time.Minute)
		lines[0].At = time.Time{}
		require.Equal(t, []letters.Line{{
			Position: letters.Position{Partition: 1, Offset: 7}, Reason: deadletter.Expired, Conversation: "k", CommandID: "b7", State: letters.Waiting,
		}}, lines)
	})
}

func TestTheShelfForgetsWhatRetentionDeletes(t *testing.T) {
	bubble(t, func(t *testing.T, r *room) {
		r.give(0, deadletter.Forbidden, "a", "b", "c")
		s := r.shelf()
		var gone kadm.Offsets
		gone.AddOffset(r.names.RepliesDLQ, 0, 2, -1)
		_, err := kadm.NewClient(r.client).DeleteRecords(t.Context(), gone)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return len(onShelf(s)) == 1 }, time.Minute, time.Second)
		require.Equal(t, []string{"c"}, onShelf(s))
	})
}

func TestTheShelfWaitsOutagesOut(t *testing.T) {
	bubble(t, func(t *testing.T, r *room) {
		r.give(0, deadletter.Forbidden, "a")
		s := r.shelf()
		var healed atomic.Bool
		r.cluster.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
			r.cluster.KeepControl()
			return nil, errors.New("cut"), !healed.Load()
		})
		time.Sleep(10 * time.Minute)
		require.Equal(t, []string{"a"}, onShelf(s), "what it has, it shows")
		healed.Store(true)
		r.give(0, deadletter.Forbidden, "b")
		require.Eventually(t, func() bool { return len(onShelf(s)) == 2 }, 5*time.Minute, time.Second)
	})
}

// As the stage writes them: the last offsets of a partition are a transaction's
// marker, and a letter that was taken back.
func TestTheShelfIsFilledToTheEndOfTransactions(t *testing.T) {
	bubble(t, func(t *testing.T, r *room) {
		r.give(0, deadletter.Forbidden, "a")
		writer, err := kgo.NewClient(append(r.opts, kgo.TransactionalID("t"), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
		require.NoError(t, err)
		defer writer.Close()
		for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
			require.NoError(t, writer.BeginTransaction())
			for partition := range int32(partitions) {
				letter := &kgo.Record{Topic: r.names.RepliesDLQ, Partition: partition, Value: []byte(fmt.Sprint(i))}
				require.NoError(t, writer.ProduceSync(t.Context(), letter).FirstErr())
				result := &kgo.Record{Topic: r.names.Results, Partition: partition, Key: []byte("a")}
				require.NoError(t, writer.ProduceSync(t.Context(), result).FirstErr())
			}
			require.NoError(t, writer.EndTransaction(t.Context(), end))
		}
		require.Len(t, onShelf(r.shelf()), 1+partitions)
	})
}
