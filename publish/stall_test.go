package publish_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// waitingCodec waits for good once, without an error.
type waitingCodec struct {
	*schemas.Codec
	waited atomic.Bool
}

func (c *waitingCodec) Decode(ctx context.Context, data []byte, v schemas.Value) error {
	if c.waited.CompareAndSwap(false, true) {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return c.Codec.Decode(ctx, data, v)
}

func TestASessionThatWaitsForGoodIsEnded(t *testing.T) {
	onBench(t, func(b *bench) {
		codec, board := &waitingCodec{Codec: b.codec}, &board{}
		b.arrive(thread("t1", "c1", "hi"), thread("t2", "c2", "hi"))
		defer b.start(func(d *publish.Deps) { d.Codec, d.Health = codec, board })()
		time.Sleep(time.Minute)
		require.Empty(b, b.contents())
		b.eventually("it says so", func() bool { return board.get("publish/kafka") != "" })
		require.Contains(b, board.get("publish/kafka"), "none was published for two minutes: it is making events")
		b.settle()
		once(b, 2)
		require.Equal(b, 1, b.metric("ringbridge_publish_session_restarts_total"))
	})
}

// A broker that has lost track of a transaction tells the offsets that it held to
// nobody. No other session would get them: the reason is told instead.
func TestOffsetsThatAreHeldBackAreTold(t *testing.T) {
	onBench(t, func(b *bench) {
		held := b.holdOffsets()
		b.arrive(thread("t1", "c1", "hi"))
		board := &board{}
		byName := kversion.Stable()
		byName.SetMaxKeyVersion(int16(kmsg.OffsetFetch), 9) // the last without ids of topics
		defer b.start(func(d *publish.Deps) { d.Health, d.Session = board, []kgo.Opt{kgo.MaxVersions(byName)} })()
		time.Sleep(time.Minute)
		require.Empty(b, board.get("publish/kafka"))
		b.eventually("it says so", func() bool { return board.get("publish/kafka") != "" })
		require.Contains(b, board.get("publish/kafka"), "restart the broker that coordinates group t.publish")
		time.Sleep(10 * time.Minute)
		require.NotEmpty(b, board.get("publish/kafka"))
		require.Zero(b, b.metric("ringbridge_publish_session_restarts_total"))
		held.Store(false)
		b.settle()
		require.Empty(b, board.get("publish/kafka"))
		once(b, 1)
	})
}

// holdOffsets keeps the committed offsets of the inbox from everyone who asks for
// stable ones, until it is set to false.
func (b *bench) holdOffsets() *atomic.Bool {
	held := &atomic.Bool{}
	held.Store(true)
	b.cluster.ControlKey(int16(kmsg.OffsetFetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		request := r.(*kmsg.OffsetFetchRequest)
		if !request.RequireStable || !held.Load() {
			return nil, nil, false
		}
		answer := request.ResponseKind().(*kmsg.OffsetFetchResponse)
		for _, asked := range request.Groups {
			group := kmsg.OffsetFetchResponseGroup{Group: asked.Group, Topics: []kmsg.OffsetFetchResponseGroupTopic{{Topic: b.names.Inbox}}}
			for p := range int32(partitions) {
				group.Topics[0].Partitions = append(group.Topics[0].Partitions, kmsg.OffsetFetchResponseGroupTopicPartition{
					Partition: p, Offset: -1, LeaderEpoch: -1, ErrorCode: kerr.UnstableOffsetCommit.Code,
				})
			}
			answer.Groups = append(answer.Groups, group)
		}
		return answer, nil, true
	})
	return held
}
