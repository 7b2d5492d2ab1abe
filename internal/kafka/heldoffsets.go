package kafka

import (
	"context"
	"maps"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// HeldOffsets tells which offsets a broker holds back for good: it remembers what they were when they were looked at before, and since when
// they have not moved. What is held back at this moment and was not, or was at another offset before, is one that is worked on. Not safe for
// concurrent use.
type HeldOffsets map[groupPartition]heldOffset

type groupPartition struct {
	group     string
	partition int32
}

type heldOffset struct {
	at    int64
	since time.Time
}

// Look returns how many partitions of the topic are held back, and have been for bound without moving, as far as it has been looked. The
// broker aborts a transaction of ours after ten seconds: take a longer bound.
func (h HeldOffsets) Look(ctx context.Context, adm *kadm.Client, group, topic string, bound time.Duration) (stuck int, err error) {
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
		if time.Since(offset.since) >= bound {
			stuck++
		}
	}
	return stuck, nil
}
