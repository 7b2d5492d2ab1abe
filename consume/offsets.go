package consume

import (
	"slices"

	"github.com/ringbridge/ringbridge/internal/failpoint"
)

// offsets tells how far a partition is finished without a gap: the only offset
// that may be committed. It is not safe for concurrent use.
type offsets struct {
	first   int64          // the lowest offset that is not finished, or the next expected
	waiting []int64        // offsets taken in, ascending, from the lowest that is not finished
	done    map[int64]bool // those of waiting that are finished
	most    int64          // with the safeguard left out alone: beyond the newest that is finished
}

func newOffsets(start int64) *offsets {
	return &offsets{first: start, done: map[int64]bool{}}
}

// take notes an offset that was read. Offsets ascend, with gaps where records
// were compacted away or belong to transactions.
func (o *offsets) take(offset int64) { o.waiting = append(o.waiting, offset) }

// with returns the offset to commit once these are finished too, changing
// nothing: a commit may fail.
func (o *offsets) with(finished ...int64) int64 {
	extra := make(map[int64]bool, len(finished))
	for _, offset := range finished {
		extra[offset] = true
	}
	if failpoint.Off("contiguous-commit") {
		o.most = max(o.most, o.first, slices.Max(append(finished, -1))+1)
		return o.most
	}
	commit := o.first
	for _, offset := range o.waiting {
		if !o.done[offset] && !extra[offset] {
			return offset
		}
		commit = offset + 1
	}
	return commit
}

// finish notes that an offset is finished, and the commit of it done.
func (o *offsets) finish(offset int64) {
	o.done[offset] = true
	n := 0
	for n < len(o.waiting) && o.done[o.waiting[n]] {
		delete(o.done, o.waiting[n])
		o.first = o.waiting[n] + 1
		n++
	}
	o.waiting = o.waiting[n:]
	if len(o.waiting) > 0 {
		o.first = o.waiting[0]
	}
}

// open is how many are taken in and not committed past.
func (o *offsets) open() int { return len(o.waiting) }
