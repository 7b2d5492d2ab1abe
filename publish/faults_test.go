package publish_test

import (
	"context"
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

	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// TestATransactionThatFailsIsRedone breaks the first transactions in turn.
//
// Peer failure 5: the dedupe had marked what was then not delivered.
func TestATransactionThatFailsIsRedone(t *testing.T) {
	for fact, fault := range map[string]kfake.Fault{
		"the end is refused":                   {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.UnknownServerError, Count: 2},
		"the end is fenced":                    {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.InvalidProducerEpoch},
		"the end's answer is lost":             {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.RequestTimedOut, Count: 3},
		"the coordinator moves":                {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.NotCoordinator, Count: 3},
		"the offsets are of an old generation": {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.IllegalGeneration, Count: 2},
		"the offsets are refused":              {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.UnknownServerError, Count: 2},
		"an event is refused":                  {Keys: []kmsg.Key{kmsg.Produce}, Topic: "t.contents", Err: kerr.PolicyViolation, Count: 2},
		"an event is refused for good":         {Keys: []kmsg.Key{kmsg.Produce}, Topic: "t.contents", Err: kerr.TopicAuthorizationFailed, Count: 2},
		"the state is refused":                 {Keys: []kmsg.Key{kmsg.Produce}, Topic: "t.seen", Err: kerr.UnknownServerError, Count: 2},
		"an event's leader moves":              {Keys: []kmsg.Key{kmsg.Produce}, Topic: "t.contents", Err: kerr.NotLeaderForPartition, Count: 2},
		"the producer's id is unknown":         {Keys: []kmsg.Key{kmsg.InitProducerID}, TopLevel: true, Err: kerr.CoordinatorLoadInProgress, Count: 2},
		"a heartbeat finds a rebalance":        {Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Err: kerr.RebalanceInProgress, Count: 2},
		"a heartbeat finds us unknown":         {Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Err: kerr.UnknownMemberID, Count: 1},
	} {
		t.Run(fact, func(t *testing.T) {
			onBench(t, func(b *bench) {
				handle := b.cluster.Fault(fault)
				defer b.start()()
				for i := range 12 {
					b.arrive(thread(fmt.Sprint("t", i%5), fmt.Sprint("c", i), "hi"), webhook(fmt.Sprintf(`{"type":"task.created","id":"e%d","resource":{"type":"task","id":"1"}}`, i)))
				}
				b.settle()
				require.NotZero(b, handle.Hits())
				once(b, 12)
				require.Len(b, b.committed(b.names.Activity), 12)
			})
		})
	}
}

// TestACommitWhoseAnswerIsLostIsNotRepeated cuts the connection after the broker
// has committed and before its answer arrives.
func TestACommitWhoseAnswerIsLostIsNotRepeated(t *testing.T) {
	onBench(t, func(b *bench) {
		link := &link{dial: b.dial}
		var cut atomic.Int32
		observed := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Observe: true, Count: -1, TopLevel: true, When: func(kmsg.Request) bool {
			if cut.Add(1)%2 == 1 {
				link.deafen() // the answer to this one will not arrive
			}
			return true
		}})
		defer b.start(func(d *publish.Deps) { d.Kafka = append(d.Kafka, kgo.Dialer(link.DialContext)) })()
		for i := range 6 {
			b.arrive(thread("t1", fmt.Sprint("c", i), "hi"))
			b.caughtUp()
		}
		b.settle()
		require.NotZero(b, observed.Hits())
		once(b, 6)
	})
}

// TestACommitThatTheBrokerDeniesIsNotRepeated commits behind the broker's words
// that it did not.
func TestACommitThatTheBrokerDeniesIsNotRepeated(t *testing.T) {
	onBench(t, func(b *bench) {
		var ends atomic.Int32
		lie := func(req kmsg.Request) (kmsg.Response, error, bool) {
			b.cluster.KeepControl()
			if ends.Add(1) != 3 { // the second transaction's; the third is the one sent below
				return nil, nil, false
			}
			b.cluster.SleepControl(func() {
				answer, err := req.(*kmsg.EndTxnRequest).RequestWith(b.Context(), b.client)
				require.NoError(b, err)
				require.Zero(b, answer.ErrorCode)
			})
			denied := req.ResponseKind().(*kmsg.EndTxnResponse)
			denied.ErrorCode = kerr.UnknownServerError.Code
			return denied, nil, true
		}
		defer b.start()()
		for i := range 2 { // the state of every partition is in memory
			b.arrive(thread("t1", fmt.Sprint("c", i), "hi"))
			b.caughtUp()
		}
		b.cluster.ControlKey(int16(kmsg.EndTxn), lie)
		for i := range 9 {
			b.arrive(thread("t1", fmt.Sprint("d", i), "hi"))
			b.settle()
		}
		require.NotZero(b, b.metric("ringbridge_publish_session_restarts_total")+b.metric("ringbridge_publish_transactions_total")-11)
		once(b, 11)
	})
}

func TestWhatIsAbortedInTheInboxNeverWas(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		producer, err := kgo.NewClient(append(b.opts, kgo.TransactionalID("x"))...)
		require.NoError(b, err)
		defer producer.Close()
		for i, commit := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
			arrival := thread("t1", fmt.Sprint("c", i), "hi")
			value, err := b.codec.Encode(&arrival)
			require.NoError(b, err)
			require.NoError(b, producer.BeginTransaction())
			require.NoError(b, producer.ProduceSync(b.Context(), &kgo.Record{Topic: b.names.Inbox, Key: []byte("t1"), Value: value}).FirstErr())
			time.Sleep(time.Second)
			require.NoError(b, producer.EndTransaction(b.Context(), commit))
		}
		b.eventually("the other is published", func() bool { return len(b.contents()) > 0 })
		time.Sleep(time.Hour)
		once(b, 1)
		require.Zero(b, b.metric("ringbridge_publish_session_restarts_total"), "the inbox ends with a marker, which is nothing to read")
	})
}

func TestAnOutageIsToldAndWaitedOut(t *testing.T) {
	for fact, key := range map[string]kmsg.Key{
		"while reading":              kmsg.Fetch,
		"when the end is on its way": kmsg.EndTxn,
		"when the offsets are":       kmsg.TxnOffsetCommit,
		"when the events are":        kmsg.Produce,
		"when a heartbeat is":        kmsg.Heartbeat,
	} {
		t.Run(fact, func(t *testing.T) {
			t.Parallel()
			// In real time: while the end of a transaction waits for the broker, the
			// client's group waits on a mutex, which stops a bubble's clock.
			inRealTime(t, func(b *bench) {
				link, board := &link{dial: b.dial}, &board{}
				defer b.start(func(d *publish.Deps) {
					d.Kafka, d.Health = append(d.Kafka, kgo.Dialer(link.DialContext)), board
				})()
				b.arrive(thread("t1", "c1", "hi"))
				b.settle()
				var cut sync.Once
				b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Observe: true, Count: -1, When: func(kmsg.Request) bool {
					cut.Do(link.cut)
					return true
				}})
				b.arrive(thread("t1", "c2", "hi"))
				b.eventually("it says so", func() bool { return board.get("publish/kafka") != "" })
				time.Sleep(12 * time.Second) // longer than the group waits for a member
				link.mend()
				b.arrive(thread("t1", "c3", "hi"))
				b.settle()
				b.eventually("it is well again", func() bool { return board.get("publish/kafka") == "" })
				b.arrive(thread("t1", "c1", "hi"))
				b.settle()
				once(b, 3)
			})
		})
	}
}

// flakyCodec fails until it is mended.
type flakyCodec struct {
	*schemas.Codec
	broken atomic.Bool
}

func (c *flakyCodec) Decode(ctx context.Context, data []byte, v schemas.Value) error {
	if c.broken.Load() {
		return &schemas.UnavailableError{Err: errBroken}
	}
	return c.Codec.Decode(ctx, data, v)
}

func TestARegistryOutageIsWaitedOut(t *testing.T) {
	onBench(t, func(b *bench) {
		codec, board := &flakyCodec{Codec: b.codec}, &board{}
		codec.broken.Store(true)
		defer b.start(func(d *publish.Deps) { d.Codec, d.Health = codec, board })()
		b.arrive(thread("t1", "c1", "hi"))
		b.eventually("it says so", func() bool { return board.get("publish/registry") != "" })
		time.Sleep(time.Minute)
		require.Empty(b, b.committed(b.names.InboxDLQ), "an outage is not a letter")
		codec.broken.Store(false)
		b.settle()
		require.Empty(b, board.get("publish/registry"))
		once(b, 1)
	})
}

func TestStoppingReturnsAtOnce(t *testing.T) {
	for fact, prepare := range map[string]func(*bench){
		"while idle": func(b *bench) { b.settle() },
		"with work":  func(b *bench) { b.arrive(thread("t1", "c1", "hi")) },
		"before it has joined the group, as no broker is there": func(b *bench) { b.cluster.Close() },
	} {
		t.Run(fact, func(t *testing.T) {
			onBench(t, func(b *bench) {
				stop := b.start()
				prepare(b)
				begun := time.Now()
				stop()
				require.Less(b, time.Since(begun), 10*time.Second)
			})
		})
	}
}

func TestUnreadableStateStopsTheStage(t *testing.T) {
	onBench(t, func(b *bench) {
		require.NoError(b, b.client.ProduceSync(b.Context(), &kgo.Record{Topic: b.names.Seen, Key: []byte("c:x"), Value: []byte{9, 9}}).FirstErr())
		for i := range 12 {
			b.arrive(thread(fmt.Sprint("t", i), fmt.Sprint("c", i), "hi"))
		}
		err := publish.New(publish.Deps{Kafka: b.opts, Names: b.names, Codec: b.codec}, publish.Config{}).Run(b.Context())
		require.ErrorContains(b, err, "newer version")
	})
}
