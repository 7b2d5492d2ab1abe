package publish_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/publish"
)

// TestLostStateIsRebuilt takes records of the topic seen away, as a deleted
// segment does, then brings everything in again.
func TestLostStateIsRebuilt(t *testing.T) {
	for name, lose := range map[string]func(first, end int64) int64{
		"the oldest":   func(first, end int64) int64 { return first + (end-first)/2 },
		"all":          func(_, end int64) int64 { return end },
		"the seal too": func(_, end int64) int64 { return end - 1 },
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, func(b *bench) {
				arrive := func() {
					for i := range 50 {
						id := fmt.Sprint(i)
						b.arrive(thread("t"+id, "c"+id, "hi"), thread("t"+id, "c"+id, "ho"))
					}
				}
				stop := b.start()
				arrive()
				b.caughtUp()
				stop()
				require.Len(b, b.contents(), 100)
				b.lose(b.names.Seen, lose)
				stop = b.start()
				arrive()
				b.settle()
				stop()
				once(b, 100)

				// The topic is whole again: with nothing in the inbox to rebuild it from, it does.
				b.lose(b.names.Inbox, func(_, end int64) int64 { return end })
				defer b.start()()
				arrive()
				b.settle()
				once(b, 100)
			})
		})
	}
}

// TestAReplayIsExactThoughTheStateIsLost replays all, and loses the state before the replay is through: with the first of
// its transactions, after which another owner goes on.
func TestAReplayIsExactThoughTheStateIsLost(t *testing.T) {
	onBench(t, func(b *bench) {
		const events = 600 // more than fit into one transaction
		for i := range events {
			b.arrive(thread("t", fmt.Sprint("c", i), "hi"))
		}
		stop := b.start()
		b.caughtUp()
		stop()
		b.replay()
		all := func(_, end int64) int64 { return end }
		b.lose(b.names.Seen, all)
		var ends atomic.Int64
		var broken atomic.Bool
		b.cluster.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
			b.cluster.KeepControl()
			return nil, errBroken, ends.Add(1) > 1 && broken.Load() // the second transaction does not end
		})
		broken.Store(true)
		stop = b.start()
		b.eventually("the replay is under way", func() bool { return b.offsets()[0].At > 0 })
		stop()
		require.Less(b, b.offsets()[0].At, int64(events))
		broken.Store(false)
		b.lose(b.names.Seen, all)
		defer b.start()()
		b.settle()
		once(b, events)
	})
}

// replay moves the group back to the beginning of the inbox.
func (b *bench) replay() {
	b.Helper()
	back := kadm.Offsets{}
	for _, o := range b.offsets() {
		back.Add(kadm.Offset{Topic: o.Topic, Partition: o.Partition, LeaderEpoch: -1, Metadata: publish.ReplayMetadata(o)})
	}
	require.NoError(b, kadm.NewClient(b.client).CommitAllOffsets(b.Context(), b.names.Group("publish"), back))
}

// offsets are those that the group has committed of the inbox.
func (b *bench) offsets() (offsets []kadm.Offset) {
	b.Helper()
	committed, err := kadm.NewClient(b.client).FetchOffsetsForTopics(b.Context(), b.names.Group("publish"), b.names.Inbox)
	require.NoError(b, err)
	committed.Each(func(o kadm.OffsetResponse) {
		if o.At >= 0 {
			offsets = append(offsets, o.Offset)
		}
	})
	return offsets
}

// lose deletes the records of a topic before an offset of each partition.
func (b *bench) lose(topic string, until func(first, end int64) int64) {
	b.Helper()
	adm := kadm.NewClient(b.client)
	starts, err := adm.ListStartOffsets(b.Context(), topic)
	require.NoError(b, err)
	ends, err := adm.ListEndOffsets(b.Context(), topic)
	require.NoError(b, err)
	offsets := kadm.Offsets{}
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(topic, end.Partition)
		offsets.Add(kadm.Offset{Topic: topic, Partition: end.Partition, At: until(start.Offset, end.Offset), LeaderEpoch: -1})
	})
	_, err = adm.DeleteRecords(b.Context(), offsets)
	require.NoError(b, err)
}

// TestTheSealIsWrittenOnce: with a partition's first transaction.
func TestTheSealIsWrittenOnce(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		for i := range 20 {
			b.arrive(thread("t1", fmt.Sprint("c", i), "hi"))
			b.caughtUp()
		}
		seals := 0
		for _, r := range b.committed(b.names.Seen) {
			if string(r.Key) == "r" {
				seals++
			}
		}
		require.Equal(b, 1, seals)
	})
}
