package timeline_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/timeline"
	"github.com/ringbridge/ringbridge/schemas"
)

// follow follows topics until stop, which returns how it ended.
func (h *hall) follow(each func(timeline.Moment, int), topics ...string) (stop func() error) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.line.Follow(ctx, topics, each) }()
	time.Sleep(10 * time.Second) // until it has found the ends
	return func() error {
		cancel()
		return <-ended
	}
}

func TestTheFeedBeginsNowAndHasTheTopicsThatWereAskedFor(t *testing.T) {
	bubble(t, func(t *testing.T, h *hall) {
		h.imported("thread", "before")
		seen := make(chan timeline.Moment, 10)
		stop := h.follow(func(m timeline.Moment, dropped int) {
			require.Zero(t, dropped)
			seen <- m
		}, "contents", "replies.results")
		twoThreads(h)
		require.NoError(t, stop())
		var kinds []timeline.Kind
		for len(seen) > 0 {
			kinds = append(kinds, (<-seen).Kind)
		}
		require.Equal(t, []timeline.Kind{event, event, attempt, result, attempt, result}, kinds)
	})
}

func (h *hall) many(n int) {
	h.t.Helper()
	value, err := h.codec.Encode(&schemas.ReplyResult{CommandID: "many", State: schemas.ReplyStateAttempting, At: time.Now()})
	require.NoError(h.t, err)
	var records []*kgo.Record
	for range n {
		records = append(records, &kgo.Record{Topic: h.names.Results, Value: value})
	}
	require.NoError(h.t, h.client.ProduceSync(h.t.Context(), records...).FirstErr())
}

func TestTheFeedDropsAndCountsWhatIsTooMuch(t *testing.T) {
	for fact, tt := range map[string]struct {
		slow time.Duration // the reader, at the first
		most int64
	}{
		"too much at once":    {0, 200},
		"the reader is stuck": {time.Minute, 102},
	} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *hall) {
				var got, dropped atomic.Int64
				stop := h.follow(func(_ timeline.Moment, d int) {
					dropped.Add(int64(d))
					if got.Add(1) == 1 {
						time.Sleep(tt.slow)
					}
				}, "replies.results")
				h.many(1000)
				time.Sleep(2 * time.Minute)
				h.many(1) // tells what was dropped before it
				time.Sleep(time.Minute)
				require.NoError(t, stop())
				require.Equal(t, int64(1001), got.Load()+dropped.Load())
				require.LessOrEqual(t, got.Load(), tt.most+1)
			})
		})
	}
}
