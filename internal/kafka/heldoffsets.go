package kafka

import (
	"context"
	"maps"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// heldBound is how long a partition's offset is held back, and does not move, until that is no transaction of ours any more: the broker
// aborts those after ten seconds.
const heldBound = time.Minute

// HeldOffsets tells which offsets a broker holds back for good: it remembers what they were when they were looked at before, and since when
// they have not moved. Not safe for concurrent use.
type HeldOffsets map[groupPartition]heldOffset

type groupPartition struct {
	group     string
	partition int32
}

type heldOffset struct {
	at    int64
	since time.Time
}

// Look returns how many partitions of the topic are held back for good, as far as it has been looked: a partition that is held back at this
// moment, and was at another offset before, is one that is worked on. Look every half minute.
func (h HeldOffsets) Look(ctx context.Context, adm *kadm.Client, group, topic string) (stuck int, err error) {
	held, err := HeldBack(ctx, adm, group, topic)
	if err != nil {
		return 0, err
	}
	before := maps.Clone(h)
	maps.DeleteFunc(h, func(key groupPartition, _ heldOffset) bool { return key.group == group })
	if len(held) == 0 {
		return 0, nil
	}
	committed, err := adm.FetchOffsets(ctx, group)
	if err != nil {
		return 0, err
	}
	for _, partition := range held {
		key := groupPartition{group, partition}
		o, _ := committed.Lookup(topic, partition)
		offset, known := before[key]
		if !known || offset.at != o.At {
			offset = heldOffset{o.At, time.Now()}
		}
		h[key] = offset
		if time.Since(offset.since) >= heldBound {
			stuck++
		}
	}
	return stuck, nil
}
