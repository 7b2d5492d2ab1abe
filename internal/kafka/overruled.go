package kafka

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ReadWithOverruled is ReadAll, and hands those records to overruled that are aborted though their producer may have been told that
// they were committed, each when that is known. Whoever acts upon a commit must take them for committed, too.
//
// From Kafka 4.0 on each transaction has an epoch of its own, and its marker carries the next one (KIP-890). A broker that is killed
// may forget a marker that its coordinator has decided on. The transaction stays open then, the producer's next one joins it, and a
// marker with a later epoch ends both: if it aborts, what was acknowledged as committed is gone. Kafka 4.3.1 was seen to do so, alone
// and killed. Of brokers before 4.0 nobody can tell, so that all that is aborted there counts as overruled.
func ReadWithOverruled(ctx context.Context, opts []kgo.Opt, topic string, partition int32, each, overruled func(*kgo.Record)) error {
	aborted := &aborted{overruled: overruled, waiting: map[int64][]*kgo.Record{}}
	if _, err := read(ctx, opts, topic, partition, stretch{until: math.MaxInt64, aborted: aborted}, each); err != nil {
		return err
	}
	aborted.end()
	return nil
}

// aborted finds what is overruled among the records that a reader of committed ones does not see. nil looks for nothing.
type aborted struct {
	overruled func(*kgo.Record)
	waiting   map[int64][]*kgo.Record // by producer, until the marker comes that aborts them
}

// look goes through one fetch, of which these records are committed.
func (a *aborted) look(opts kgo.ProcessFetchPartitionOpts, p *kmsg.FetchResponseTopicPartition, committed []*kgo.Record) {
	if a == nil || len(p.AbortedTransactions) == 0 { // brokers list those whose records or markers are in the fetch
		return
	}
	opts.IsolationLevel, opts.KeepControlRecords = kgo.ReadUncommitted(), true
	all, _ := kgo.ProcessFetchPartition(opts, p, kgo.DefaultDecompressor(), nil)
	for _, r := range all.Records {
		if r.Attrs.IsControl() {
			a.mark(r)
			continue
		}
		_, isCommitted := slices.BinarySearchFunc(committed, r.Offset, func(c *kgo.Record, offset int64) int { return int(c.Offset - offset) })
		if !isCommitted && isAborted(p, r) {
			a.waiting[r.ProducerID] = append(a.waiting[r.ProducerID], r)
		}
	}
}

// isAborted tells whether the fetch lists an aborted transaction of the record's producer. Records of one that is open are not
// committed either.
func isAborted(p *kmsg.FetchResponseTopicPartition, r *kgo.Record) bool {
	return slices.ContainsFunc(p.AbortedTransactions, func(t kmsg.FetchResponseTopicPartitionAbortedTransaction) bool {
		return t.ProducerID == r.ProducerID && t.FirstOffset <= r.Offset
	})
}

// mark ends the transaction of a producer. The marker of its own, which nobody was told had been committed, has the next epoch.
func (a *aborted) mark(marker *kgo.Record) {
	const abort = 0 // the second number of a marker's key, after its version
	if len(marker.Key) < 4 || binary.BigEndian.Uint16(marker.Key[2:]) != abort {
		return
	}
	for _, r := range a.waiting[marker.ProducerID] {
		if marker.ProducerEpoch != r.ProducerEpoch+1 {
			a.overruled(r)
		}
	}
	delete(a.waiting, marker.ProducerID)
}

// end takes those for overruled whose marker lies beyond what was read.
func (a *aborted) end() {
	for _, records := range a.waiting {
		for _, r := range records {
			a.overruled(r)
		}
	}
}
