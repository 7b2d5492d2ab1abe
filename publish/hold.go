package publish

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"
)

const (
	// heldRecords and heldBytes bound the records that are held. Beyond them the
	// oldest go out with what is known.
	heldRecords = 2000
	heldBytes   = 16 << 20
)

// An arrived record has been polled, and its transaction has not yet committed. It
// is held while what its content lacks is being fetched, until due at most. So
// are the later records of its conversation, as their events must come after its
// own, and a later record of its partition that becomes a letter: what is behind
// a held record is read again after a crash, and letters are not deduplicated.
type arrived struct {
	record *kgo.Record
	due    time.Time // when it goes out with what is known
	judged bool      // what it lacks has been asked for
	calls  []*call   // that it waits for
	fault  error     // why its events cannot be written; nil = they can, as far as is known
}

// conversation is what a record's order is kept in; "" = nothing.
func (a *arrived) conversation() string { return string(a.record.Key) }

// A lane holds the arrived records of one partition, by offset; none while all that
// was polled of it is published.
type lane struct {
	shard   *shard // of the assignment under which they were polled
	arrived []*arrived
	next    kgo.EpochOffset // after the last record that was polled
}

// stop returns the offset that a transaction may commit: that of the first record
// that is not published by it.
func (l *lane) stop(published map[*arrived]bool) kgo.EpochOffset {
	for _, a := range l.arrived {
		if !published[a] {
			return kgo.EpochOffset{Epoch: a.record.LeaderEpoch, Offset: a.record.Offset}
		}
	}
	return l.next
}

// A backlog holds what has been polled and is not yet published. It belongs to
// one session, and is used by its goroutine alone.
type backlog struct {
	shards *shards
	lanes  map[int32]*lane
}

func newBacklog(s *shards) *backlog { return &backlog{shards: s, lanes: map[int32]*lane{}} }

// add takes records that were polled, which go out at due at the latest. One that
// comes again, or comes after, supersedes what is held of its partition from its
// offset on; add returns what it supersedes.
func (b *backlog) add(records []*kgo.Record, due time.Time) (superseded []*arrived) {
	for _, r := range records {
		shard, err := b.shards.get(r.Partition)
		l := b.lanes[r.Partition]
		if l == nil || err == nil && l.shard != shard {
			if l != nil {
				superseded = append(superseded, l.arrived...)
			}
			l = &lane{shard: shard}
			b.lanes[r.Partition] = l
		}
		from := len(l.arrived)
		for from > 0 && l.arrived[from-1].record.Offset >= r.Offset {
			from--
		}
		superseded = append(superseded, l.arrived[from:]...)
		l.arrived = append(l.arrived[:from], &arrived{record: r, due: due})
		l.next = kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1}
	}
	return superseded
}

// owned returns errNotOurs where records of a partition are at work that was taken
// away.
func (b *backlog) owned() error {
	for p, l := range b.lanes {
		if shard, err := b.shards.get(p); err == nil && shard == l.shard {
			continue
		}
		if len(l.arrived) > 0 {
			return errNotOurs
		}
		delete(b.lanes, p)
	}
	return nil
}

// trim makes the oldest records due that are more than may be held.
func (b *backlog) trim(now time.Time) {
	count, size := 0, 0
	for _, l := range b.lanes {
		count += len(l.arrived)
		for _, a := range l.arrived {
			size += len(a.record.Value)
		}
	}
	if count <= heldRecords && size <= heldBytes {
		return
	}
	all := make([]*arrived, 0, count)
	for _, l := range b.lanes {
		all = append(all, l.arrived...)
	}
	slices.SortStableFunc(all, func(x, y *arrived) int { return x.due.Compare(y.due) })
	for _, a := range all {
		if count <= heldRecords && size <= heldBytes {
			return
		}
		if a.due.After(now) {
			a.due = now
		}
		count, size = count-1, size-len(a.record.Value)
	}
}

// due returns when the next record is due; the zero time while none is held.
func (b *backlog) due() (next time.Time) {
	for _, l := range b.lanes {
		for _, a := range l.arrived {
			if next.IsZero() || a.due.Before(next) {
				next = a.due
			}
		}
	}
	return next
}

// len returns how many records are held.
func (b *backlog) len() (n int) {
	for _, l := range b.lanes {
		n += len(l.arrived)
	}
	return n
}

// published takes out the records that a transaction has committed.
func (b *backlog) published(done map[*arrived]bool) {
	for _, l := range b.lanes {
		l.arrived = slices.DeleteFunc(l.arrived, func(a *arrived) bool { return done[a] })
	}
}

// rewound takes out and returns what comes again, or comes no more, after a
// transaction that did not commit: the client has gone back to the offsets that
// it believes to be committed. Those are where it stood after the last
// transaction that committed, even if the offset committed was that of a record
// held before. Such a record does not come again, and stays.
func (b *backlog) rewound(position map[int32]kgo.EpochOffset) (gone []*arrived) {
	for p, l := range b.lanes {
		at, known := position[p]
		shard, err := b.shards.get(p)
		if !known || at.Offset < 0 || err != nil || shard != l.shard {
			gone = append(gone, l.arrived...)
			delete(b.lanes, p)
			continue
		}
		keep := 0
		for keep < len(l.arrived) && l.arrived[keep].record.Offset < at.Offset {
			keep++
		}
		gone = append(gone, l.arrived[keep:]...)
		l.arrived, l.next = l.arrived[:keep], at
	}
	return gone
}

// all returns every arrived record.
func (b *backlog) all() (all []*arrived) {
	for _, l := range b.lanes {
		all = append(all, l.arrived...)
	}
	return all
}

// sorted returns the partitions in their order.
func (b *backlog) sorted() []int32 { return slices.SortedFunc(maps.Keys(b.lanes), cmp.Compare) }

// span returns the span of a record, which lasts until it is published or given
// back.
func (a *arrived) span() trace.Span { return trace.SpanFromContext(a.record.Context) }
