package timeline

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"
)

const (
	// feedRate is how many moments a second one reader gets at the most: more than
	// anybody reads, and little enough to decode for several of them.
	feedRate = 200
	// feedBuffer is how many wait for a reader that is slow for a moment.
	feedBuffer = 100
	// feedFetch is what one fetch may bring.
	feedFetch = 1 << 20
)

// Follow hands the records of the topics (names without the prefix) to each,
// from now on, until ctx ends, whose end is no error. One that comes too fast,
// more than feedRate a second, or while each is slow, is left out; dropped is
// how many were since the moment before. each is called on the caller's
// goroutine.
func (t *Timeline) Follow(ctx context.Context, topics []string, each func(m Moment, dropped int)) error {
	var names []string
	for full, short := range t.short {
		if slices.Contains(topics, short) {
			names = append(names, full)
		}
	}
	client, err := kgo.NewClient(append(slices.Clone(t.deps.Options),
		kgo.ConsumeTopics(names...), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxBytes(feedFetch), kgo.FetchMaxPartitionBytes(feedFetch),
	)...)
	if err != nil {
		return fmt.Errorf("timeline: follow: %w", err)
	}
	defer client.Close()
	ctx, stop := context.WithCancel(ctx)
	f := &feed{client: client, limit: rate.NewLimiter(feedRate, feedRate), passed: make(chan passed, feedBuffer)}
	var polling sync.WaitGroup
	polling.Go(func() { f.poll(ctx) })
	defer polling.Wait()
	defer stop()
	for next := range f.passed {
		value, err := t.decode(ctx, next.record)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		each(t.moment(next.record, value), next.dropped)
	}
	return f.err
}

// feed is a following under way.
type feed struct {
	client *kgo.Client
	limit  *rate.Limiter
	passed chan passed // closed when there will be no more
	err    error       // why; to be read after that
}

// passed is a record that is handed on.
type passed struct {
	record  *kgo.Record
	dropped int // before it
}

// poll takes what comes, and drops what can't be handed on at once: whoever
// follows wants to see what flows now.
func (f *feed) poll(ctx context.Context) {
	defer close(f.passed)
	dropped := 0
	for {
		fetches := f.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return
		}
		for _, fault := range fetches.Errors() {
			f.err = fmt.Errorf("timeline: read %s/%d: %w", fault.Topic, fault.Partition, fault.Err)
			return
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			record := iter.Next()
			if !f.limit.Allow() {
				dropped++
				continue
			}
			select {
			case f.passed <- passed{record, dropped}:
				dropped = 0
			default:
				dropped++
			}
		}
	}
}
