package consume_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// Peer failure 3: the commit of a later offset passed one that had failed.
func TestALaterEndCommitsNothingPastAnUnfinishedCommand(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		var up atomic.Bool
		b.api.script = func(_ context.Context, c ringcentral.CreateContent, _ int) (bool, error) {
			if c.Body == "waits" && !up.Load() {
				return false, status(429)
			}
			return true, nil
		}
		stop := b.start()
		b.send(b.reply("c1", "conv1", "waits"), b.reply("c2", "conv2", "ends"))
		b.wait(1)
		time.Sleep(time.Minute)
		stop()
		require.LessOrEqual(t, b.committed(), int64(0))
		up.Store(true)
		b.start()
		require.Equal(t, schemas.ReplyStateSucceeded, b.wait(2)["c1"].State)
		require.Equal(t, 1, b.api.count("ends"))
		require.Eventually(t, func() bool { return b.committed() == 2 }, time.Minute, time.Second)
	})
}

// Peer failure 4: the key of the dedupe had the offset but not the partition.
func TestCommandsAtOneOffsetOfTwoPartitionsAreTwo(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.start()
		first, second := b.reply("c1", "conv1", "one"), b.reply("c2", "conv2", "two")
		second.Partition = 1
		b.send(first, second)
		require.Equal(t, first.Offset, second.Offset)
		final := b.wait(2)
		require.Equal(t, 1, b.api.effects("one"))
		require.Equal(t, 1, b.api.effects("two"))
		require.Equal(t, 1, final["c2"].SourcePartition)
	})
}

// Peer failure 9: the worker ended after so many errors of the broker.
func TestNoNumberOfBrokerErrorsEndsTheStage(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.start()
		b.send(b.reply("c1", "conv", "before"))
		b.wait(1)
		var healed atomic.Bool
		var errs atomic.Int32
		b.cluster.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
			b.cluster.KeepControl()
			if healed.Load() {
				return nil, nil, false
			}
			errs.Add(1)
			return nil, errors.New("cut"), true
		})
		time.Sleep(time.Hour)
		require.Greater(t, errs.Load(), int32(100))
		healed.Store(true)
		b.send(b.reply("c2", "conv", "after"))
		require.Equal(t, schemas.ReplyStateSucceeded, b.wait(2)["c2"].State)
	})
}

// Peer failure 11: a producer beyond repair left a stage that hung in silence.
func TestAProducerBeyondRepairIsReplaced(t *testing.T) {
	for fact, fault := range map[string]kfake.Fault{
		"fenced at the end":          {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.InvalidProducerEpoch},
		"fenced by another":          {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.ProducerFenced},
		"fenced at a record":         {Keys: []kmsg.Key{kmsg.Produce}, Topic: "t.replies.results", Err: kerr.InvalidProducerEpoch},
		"out of order":               {Keys: []kmsg.Key{kmsg.Produce}, Topic: "t.replies.results", Err: kerr.OutOfOrderSequenceNumber},
		"unknown to the broker":      {Keys: []kmsg.Key{kmsg.Produce}, Topic: "t.replies.results", Err: kerr.UnknownProducerID},
		"its transaction is unknown": {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.InvalidTxnState},
		"its id maps to another":     {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.InvalidProducerIDMapping},
	} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.start()
				b.send(b.reply("c0", "conv", "before"))
				b.wait(1)
				handle := b.cluster.Fault(fault)
				for n := range 3 {
					b.send(b.reply(fmt.Sprint("c", n+1), "conv", fmt.Sprint("text", n)))
				}
				for id, result := range b.wait(4) {
					require.Equal(t, schemas.ReplyStateSucceeded, result.State, id)
				}
				for n := range 3 {
					require.Equal(t, 1, b.api.effects(fmt.Sprint("text", n)))
				}
				require.NotZero(t, handle.Hits())
			})
		})
	}
}

// Peer failure 16: the throttle after an error was shared, and another request's
// success reset it.
func TestAnothersSuccessShortensNoWait(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		var mu sync.Mutex
		var tries []time.Time
		b.api.script = func(_ context.Context, c ringcentral.CreateContent, n int) (bool, error) {
			if c.Body != "limited" {
				return true, nil
			}
			mu.Lock()
			defer mu.Unlock()
			tries = append(tries, time.Now())
			if n <= 3 {
				return false, &ringcentral.Error{Op: "create_content", Status: 429, Outcome: ringcentral.Refused, RetryAfter: time.Minute}
			}
			return true, nil
		}
		b.start()
		b.send(b.reply("limited", "limited", "limited"))
		for n := range 240 {
			b.send(b.reply(fmt.Sprint("c", n), "free", fmt.Sprint("text", n)))
			time.Sleep(time.Second)
		}
		b.wait(241)
		require.Len(t, tries, 4)
		for n := range 3 {
			require.GreaterOrEqual(t, tries[n+1].Sub(tries[n]), time.Minute)
		}
	})
}

// Peer failure 17: a rebalance while a POST was in flight had it sent again.
func TestARebalanceDuringACallSendsNothingTwice(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.latency = 4 * time.Second // within the call's time
		b.start()
		b.wait(0)
		records := []*kgo.Record{b.reply("c1", "conv1", "one"), b.reply("c2", "conv2", "two"), b.reply("c3", "conv1", "three"), b.reply("c4", "conv2", "four")}
		records[1].Partition, records[3].Partition = 1, 1
		b.send(records...)
		require.Eventually(t, func() bool { return b.api.count("one") == 1 && b.api.count("two") == 1 }, time.Minute, 10*time.Millisecond)
		require.Zero(t, b.api.effects("one")+b.api.effects("two"), "both are in flight")
		b.start()
		b.wait(4)
		for _, body := range []string{"one", "two", "three", "four"} {
			require.Equal(t, 1, b.api.count(body), body)
		}
	})
}
