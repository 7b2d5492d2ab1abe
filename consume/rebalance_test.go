package consume_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// slowPoll holds a member's first records back, until somebody else is at work on them or a while has passed.
type slowPoll struct {
	once      sync.Once
	elsewhere chan struct{}
}

func (s *slowPoll) OnFetchRecordUnbuffered(_ *kgo.Record, polled bool) {
	if !polled {
		return
	}
	s.once.Do(func() {
		select {
		case <-s.elsewhere:
		case <-time.After(20 * time.Second):
		}
	})
}

// TestRecordsPolledWhileTheirPartitionMovesAreCarriedOutOnce lets another member join between the poll and what is done
// with its records. A member that works on what it no longer owns is not fenced: its membership is in order.
func TestRecordsPolledWhileTheirPartitionMovesAreCarriedOutOnce(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		slow := &slowPoll{elsewhere: make(chan struct{})}
		var began sync.Once
		b.api.script = func(context.Context, ringcentral.CreateContent, int) (bool, error) {
			began.Do(func() { close(slow.elsewhere) })
			time.Sleep(10 * time.Second)
			return true, nil
		}
		for partition, id := range []string{"c0", "c1"} {
			r := b.reply(id, "conv "+id, "text "+id)
			r.Partition = int32(partition)
			b.send(r)
		}
		opts := b.opts
		b.opts = append(slices.Clone(opts), kgo.WithHooks(slow))
		b.start()
		b.opts = opts
		time.Sleep(5 * time.Second)
		b.start()
		b.wait(2)
		time.Sleep(time.Minute)
		final, _ := b.results()
		for _, id := range []string{"c0", "c1"} {
			require.Len(t, final[id], 1, id)
			require.Equal(t, 1, b.api.effects("text "+id), id)
		}
	})
}
