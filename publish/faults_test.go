package publish_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// TestATransactionThatFailsIsRedone breaks the first transactions in turn.
func TestATransactionThatFailsIsRedone(t *testing.T) {
	for fact, fault := range map[string]kfake.Fault{
		"the end is refused":                   {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.UnknownServerError, Count: 2},
		"the end is fenced":                    {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.InvalidProducerEpoch},
		"the end's answer is lost":             {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.RequestTimedOut, Count: 3},
		"the coordinator moves":                {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.NotCoordinator, Count: 3},
		"the offsets are of an old generation": {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.IllegalGeneration, Count: 2},
		"the offsets are refused":              {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.UnknownServerError, Count: 2},
		"an event is refused":                  {Keys: []kmsg.Key{kmsg.Produce}, Topic: "t.contents", Err: kerr.MessageTooLarge, Count: 2},
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
				for i := range 30 {
					b.arrive(thread(fmt.Sprint("t", i%5), fmt.Sprint("c", i), "hi"), webhook(fmt.Sprintf(`{"type":"task.created","id":"e%d","resource":{"type":"task","id":"1"}}`, i)))
				}
				b.settle()
				require.NotZero(b, handle.Hits())
				once(b, 30)
				require.Len(b, b.committed(b.names.Activity), 30)
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
		time.Sleep(time.Second)
		once(b, 1)
	})
}

// A link is a network that can be cut: what is connected breaks, and new
// connections wait until it is mended.
type link struct {
	dial  dialFunc
	mu    sync.Mutex
	down  chan struct{} // nil = up; closed when mended
	conns []*linkConn
}

type linkConn struct {
	net.Conn
	deaf atomic.Bool
}

func (c *linkConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.deaf.Load() {
		c.Close()
		return 0, errors.New("cut")
	}
	return n, err
}

func (l *link) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	down := l.down
	l.mu.Unlock()
	if down != nil {
		select {
		case <-down:
		case <-time.After(10 * time.Second): // as the client's own dialer
			return nil, errors.New("dial: timed out")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	conn, err := l.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	wrapped := &linkConn{Conn: conn}
	l.conns = append(l.conns, wrapped)
	return wrapped, nil
}

// deafen lets what is on its way to the broker arrive, and no answer.
func (l *link) deafen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.deaf.Store(true)
	}
	l.conns = nil
}

func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = make(chan struct{})
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.down)
	l.down = nil
}

// TestACutOffPublisherIsReplacedAndComesBack is a process that is frozen in the
// middle of its work, as far as the broker can tell.
func TestACutOffPublisherIsReplacedAndComesBack(t *testing.T) {
	inRealTime(t, func(b *bench) {
		link := &link{dial: b.dial}
		defer b.start(hasty, func(d *publish.Deps) { d.Kafka = append(d.Kafka, kgo.Dialer(link.DialContext)) })()
		produce := func(from, to int) {
			for i := from; i < to; i++ {
				b.arrive(thread(fmt.Sprint("t", i%9), fmt.Sprint("c", i), "hi"))
			}
		}
		produce(0, 100)
		link.cut()
		produce(100, 200)
		stop := b.start(hasty)
		b.caughtUp() // the other took over
		produce(200, 300)
		link.mend()
		produce(300, 400)
		b.settle()
		stop()
		produce(400, 500)
		produce(0, 100) // again
		b.settle()
		once(b, 500)
	})
}

func TestAnOutageIsToldAndWaitedOut(t *testing.T) {
	onBench(t, func(b *bench) {
		link, board := &link{dial: b.dial}, &board{}
		defer b.start(func(d *publish.Deps) {
			d.Kafka, d.Health = append(d.Kafka, kgo.Dialer(link.DialContext)), board
		})()
		b.arrive(thread("t1", "c1", "hi"))
		b.settle()
		link.cut()
		b.arrive(thread("t1", "c2", "hi"))
		b.eventually("it says so", func() bool { return board.get("publish/kafka") != "" })
		time.Sleep(10 * time.Minute)
		link.mend()
		b.settle()
		b.eventually("it is well again", func() bool { return board.get("publish/kafka") == "" })
		b.arrive(thread("t1", "c1", "hi"))
		b.settle()
		once(b, 2)
	})
}

// A board is where the stage says that it is unwell.
type board struct {
	mu      sync.Mutex
	reasons map[string]string
	said    int
}

func (h *board) Set(component, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reasons == nil {
		h.reasons = map[string]string{}
	}
	h.reasons[component] = reason
	h.said++
}

func (h *board) Clear(component string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.reasons, component)
}

func (h *board) get(component string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reasons[component]
}

func TestPublishersShareAndHandOver(t *testing.T) {
	inRealTime(t, func(b *bench) {
		stops := []func(){b.start(hasty)}
		next := 0
		burst := func() {
			for range 40 {
				b.arrive(thread(fmt.Sprint("t", next%9), fmt.Sprint("c", next), "hi"), thread(fmt.Sprint("t", next/2%9), fmt.Sprint("c", next/2), "hi"))
				next++
			}
		}
		for range 3 { // come and go while records flow
			burst()
			stops = append(stops, b.start(hasty))
			for range 10 {
				burst()
			}
			stops[0]()
			stops = stops[1:]
			burst()
		}
		b.settle()
		stops[0]()
		once(b, next)
	})
}

// TestRevocationsWhileIdleAreNotMissed takes two partitions away from a member
// that has nothing to do, one after the other: the client tells it of the first
// only. When it gets them back it must not trust what it knew of them.
func TestRevocationsWhileIdleAreNotMissed(t *testing.T) {
	inRealTime(t, func(b *bench) {
		name := func(id string) func(*publish.Deps) {
			return func(d *publish.Deps) { d.Session = append(d.Session, kgo.ClientID(id)) }
		}
		defer b.start(hasty, name("first"))()
		var arrivals []schemas.Arrival
		for i := range 30 {
			arrivals = append(arrivals, thread(fmt.Sprint("t", i), fmt.Sprint("c", i), "hi"))
		}
		b.arrive(arrivals[:15]...) // the first has state of each partition
		b.settle()
		second := b.start(hasty, name("second"))
		b.eventually("the second has its share", func() bool { return len(b.assigned("second")) == 1 && len(b.assigned("first")) == 2 })
		third := b.start(hasty, name("third"))
		b.eventually("the third has its share", func() bool { return len(b.assigned("third")) == 1 && len(b.assigned("first")) == 1 })
		mine := b.assigned("first")
		partitioner := kgo.StickyKeyPartitioner(nil).ForTopic(b.names.Inbox)
		for _, a := range arrivals[15:] { // all but what would end the first's idleness
			if p := partitioner.Partition(&kgo.Record{Key: []byte(conversation(a.Body))}, partitions); int32(p) != mine[0] {
				b.arrive(a)
			}
		}
		b.caughtUp()
		second()
		third()
		b.eventually("the first has all", func() bool { return len(b.assigned("first")) == partitions })
		b.arrive(arrivals...)
		b.settle()
		once(b, len(arrivals))
	})
}

func TestWhatNoParserUnderstandsIsALetter(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		odd := webhook(`{"type":"content.imported","resource":{"id":"c1","metadata":{"thread_id":"t1","body":{"text":"private words"}}}}`)
		headers := []kgo.RecordHeader{{Key: "x", Value: []byte{0xff, 0}}, {Key: "ringbridge.dlq.redrives", Value: []byte("2")}}
		value, err := b.codec.Encode(&odd)
		require.NoError(b, err)
		garbage := &kgo.Record{Topic: b.names.Inbox, Key: nil, Value: []byte("no Avro"), Headers: headers}
		require.NoError(b, b.client.ProduceSync(b.Context(), garbage, &kgo.Record{Topic: b.names.Inbox, Key: []byte("t1"), Value: value, Headers: headers[:1]}).FirstErr())
		b.arrive(thread("t1", "c2", "hi"))
		b.settle()
		once(b, 1)
		letters := b.committed(b.names.InboxDLQ)
		require.Len(b, letters, 2)
		for _, r := range letters {
			letter, ok := deadletter.Parse(r.Headers)
			require.True(b, ok)
			require.Equal(b, deadletter.Undecodable, letter.Reason)
			require.Equal(b, b.names.Inbox, letter.Topic)
			require.Equal(b, "t.publish", letter.Group)
			require.Equal(b, 1, letter.Attempts)
			require.Zero(b, letter.HTTPStatus)
			require.Equal(b, headers[:1], deadletter.Strip(r.Headers))
			require.NotContains(b, letter.Message, "private words")
			if r.Key == nil {
				require.Equal(b, "no Avro", string(r.Value))
				require.Equal(b, 2, letter.Redrives)
				require.Equal(b, garbage.Offset, letter.Offset)
				continue
			}
			require.Equal(b, string(odd.Body), string(r.Value), "the event as received, not the arrival around it")
			require.Contains(b, letter.Message, "resource.metadata.body")
		}
		require.Equal(b, 2., b.metric("ringbridge_publish_letters_total"))
	})
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

func TestAnEventTooLargeForItsTopicGoesWithoutItsRaw(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		b.arrive(thread("t1", "c1", strings.Repeat("x", 600_000)), thread("t1", "c2", "hi"))
		b.settle()
		for _, event := range b.contents() {
			require.Equal(b, event.Content.ID == "c2", event.Raw != nil)
		}
		once(b, 2)
	})
}

func TestAnEventTooLargeAtAllIsALetterAndCanBeReplayed(t *testing.T) {
	onBench(t, func(b *bench) {
		small := "9000"
		alter := func(value *string) {
			req := kmsg.NewPtrIncrementalAlterConfigsRequest()
			resource := kmsg.NewIncrementalAlterConfigsRequestResource()
			resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, b.names.Contents
			config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			config.Name, config.Value = "max.message.bytes", value
			resource.Configs = append(resource.Configs, config)
			req.Resources = append(req.Resources, resource)
			_, err := req.RequestWith(b.Context(), b.client)
			require.NoError(b, err)
		}
		alter(&small)
		stop := b.start()
		large := thread("t1", "c1", strings.Repeat("x", 10_000))
		b.arrive(thread("t1", "c0", "hi"), large, thread("t1", "c2", "hi"))
		b.settle()
		once(b, 2)
		letters := b.committed(b.names.InboxDLQ)
		require.Len(b, letters, 1)
		letter, _ := deadletter.Parse(letters[0].Headers)
		require.Equal(b, deadletter.Internal, letter.Reason)
		stop()
		small = "1000000"
		alter(&small)
		defer b.start()()
		b.arrive(large)
		b.settle()
		once(b, 3)
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
