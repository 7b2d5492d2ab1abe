package publish_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
