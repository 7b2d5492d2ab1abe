package consume

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// fullAt is how many commands of a partition are held before its fetching is
	// paused: a conversation that is stuck holds the committed offset back, and
	// what comes after it waits in memory.
	fullAt = 2000
	// roomAt is where fetching goes on.
	roomAt = fullAt / 2
	// ledgerBound is how long giving a partition away waits for the transaction
	// that is open; one takes milliseconds, unless the broker is out of reach.
	ledgerBound = time.Second
)

// A partition is one partition of the replies topic while this member owns it:
// what the ledger says of its commands, its lanes, and how far it is finished.
type partition struct {
	id    int32
	load  func(context.Context, *partition) error // reads the ledger
	work  func(*partition, *progress)             // carries one command out
	flow  flow
	since time.Time // when it became ours

	// waits ends when the partition is given away: what waits, leaves. calls
	// ends later, when what is in flight has had its time.
	waits, calls         context.Context //nolint:containedctx // a partition is a lifetime, and these are it
	stopWaits, stopCalls context.CancelCauseFunc
	busy                 sync.WaitGroup // lanes, and the loader

	mu      sync.Mutex
	leaving bool // no lane starts any more
	closed  bool // nothing is put on record any more
	loading bool
	loaded  bool
	paused  bool
	early   []*kgo.Record // came before the ledger was read
	lanes   map[string][]*kgo.Record
	heads   map[string]*progress // what each lane is at
	offsets *offsets
	record  record
	entries *entries
	active  map[idHash]bool // commands that a lane is at
	oldest  map[int64]time.Time
}

// flow holds fetching back and lets it go on; *kgo.Client is behind it.
type flow interface {
	pause(partition int32)
	resume(partition int32)
}

func newPartition(ctx context.Context, id int32) *partition {
	p := &partition{id: id, since: time.Now(), lanes: map[string][]*kgo.Record{}, heads: map[string]*progress{}, entries: newEntries(), active: map[idHash]bool{}, oldest: map[int64]time.Time{}}
	p.calls, p.stopCalls = context.WithCancelCause(ctx)
	p.waits, p.stopWaits = context.WithCancelCause(p.calls)
	return p
}

// deliver takes records in. The ledger is read at the first one: by then the
// group has given the offsets to start from, so that nothing a predecessor
// recorded can come after.
func (p *partition) deliver(records []*kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leaving || len(records) == 0 {
		return
	}
	if p.offsets == nil {
		p.offsets = newOffsets(records[0].Offset)
	}
	for _, r := range records {
		p.offsets.take(r.Offset)
		p.oldest[r.Offset] = r.Timestamp
	}
	if p.offsets.open() >= fullAt && !p.paused {
		p.paused = true
		p.flow.pause(p.id)
	}
	if !p.loaded {
		p.early = append(p.early, records...)
		if !p.loading {
			p.loading = true
			p.busy.Go(p.read)
		}
		return
	}
	p.line(records)
}

// read reads the ledger and then lets the commands that waited for it go.
func (p *partition) read() {
	if err := p.load(p.waits, p); err != nil {
		return // given away meanwhile: load waits everything else out
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leaving {
		return
	}
	p.loaded = true
	p.line(p.early)
	p.early = nil
}

// line puts records into their lanes. A lane runs while it has records.
func (p *partition) line(records []*kgo.Record) {
	for _, r := range records {
		key := laneKey(r)
		queue, running := p.lanes[key]
		p.lanes[key] = append(queue, r)
		if !running {
			p.busy.Go(func() { p.drive(key) })
		}
	}
}

// laneKey is the conversation of a record. A record without a key belongs to
// none: it waits for no other, and no other for it.
func laneKey(r *kgo.Record) string {
	if r.Key == nil {
		return "offset " + strconv.FormatInt(r.Offset, 10)
	}
	return "key " + string(r.Key)
}

// drive carries out a lane's commands, one after another.
func (p *partition) drive(key string) {
	for {
		p.mu.Lock()
		queue := p.lanes[key]
		if len(queue) == 0 || p.waits.Err() != nil {
			delete(p.lanes, key)
			delete(p.heads, key)
			p.mu.Unlock()
			return
		}
		p.lanes[key] = queue[1:]
		head := newProgress(queue[0])
		p.heads[key] = head
		p.mu.Unlock()
		p.work(p, head)
	}
}

// recorded notes that a note is on record.
func (p *partition) recorded(n *note) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.record.reach(n.offset)
	for _, offset := range n.finished {
		p.offsets.finish(offset)
		delete(p.oldest, offset)
	}
	if p.paused && p.offsets.open() <= roomAt && !p.closed {
		p.paused = false
		p.flow.resume(p.id)
	}
}

// commitPoint returns what is to be committed once these offsets are finished too, and the ledger
// holds notes on commands up to an offset.
func (p *partition) commitPoint(finished []int64, upTo int64) commitPoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.offsets.with(finished...)
	return commitPoint{at, p.record.note(at, upTo)}
}

func (p *partition) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// claim takes a command for a lane, or tells what is known of it. A command that
// another lane is at is a duplicate: it will have one result.
func (p *partition) claim(cmd *command) history {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := hashID(cmd.reply.CommandID)
	if p.active[id] {
		return history{duplicate: true}
	}
	h := p.entries.look(cmd.reply.CommandID, cmd.redrives)
	if !h.duplicate && !h.unknown && p.record.doubts(cmd.record.Offset) {
		h = history{unknown: true, last: cmd.unrecorded(p.since)}
	}
	if !h.duplicate {
		p.active[id] = true
	}
	return h
}

// release gives a command up, with what the ledger says of it now.
func (p *partition) release(commandID string, e entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.active, hashID(commandID))
	if e.state != "" {
		p.entries.set(commandID, e)
	}
}

// drain gives what is in flight until ctx ends, then closes the partition:
// nothing of it is put on record any more. stuck is called when the ledger does
// not come to an end either; it must end it.
func (p *partition) drain(ctx context.Context, cause error, l *ledger, stuck func()) {
	p.mu.Lock()
	p.leaving = true
	p.mu.Unlock()
	p.stopWaits(cause)
	idle := make(chan struct{})
	go func() {
		p.busy.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		p.stopCalls(cause)
	}
	select {
	case l.turn <- struct{}{}:
	case <-time.After(ledgerBound):
		stuck()
		l.turn <- struct{}{}
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	<-l.turn
	p.stopCalls(cause)
	<-idle
}

// standing tells how the partition stands, for metrics: commands held, lanes
// with work, and when the oldest of the commands was produced.
func (p *partition) standing() (open, lanes int, oldest time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.oldest {
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	return len(p.oldest), len(p.lanes), oldest
}
