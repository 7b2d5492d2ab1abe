package consume

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

const (
	// restBetween is the least time between two transactions: begun sooner, the
	// coordinator is still writing the markers of the one before, and the client
	// backs off for longer than this.
	restBetween = 2 * time.Millisecond
	// retryLedger is the wait before a transaction that was refused is tried
	// again; a group that is about to agree on its members takes about as long.
	retryLedger = 50 * time.Millisecond
	// endTransaction bounds the end of a transaction when the session is over.
	endTransaction = 5 * time.Second
)

// A note is something to put on record at once: an attempt, or the end of a
// command with its result, its letter and its offset.
type note struct {
	part     *partition
	offset   int64 // of the command
	records  []*kgo.Record
	finished []int64    // offsets of replies that are finished with it
	done     chan error // receives once: nil, or why it is not on record
}

// The ledger writes notes, all that wait in one transaction. It commits the
// offsets of their partitions in the same transaction, with the member's
// generation: so the coordinator refuses everything a zombie writes, and a note
// on record means that the partition was still ours.
type ledger struct {
	producer transactor
	commits  committer
	notes    chan *note
	fatal    func(error)         // ends the session: what is on record is not known
	refused  func([]*kgo.Record) // is handed those that the broker refuses as too large
	metrics  *metrics

	// turn holds one token while a transaction is open. A partition is closed
	// with it, so that none of its notes is written after it was given away.
	turn chan struct{}
}

// transactor is the transactional producer; *kgo.Client is one.
type transactor interface {
	BeginTransaction() error
	ProduceSync(ctx context.Context, rs ...*kgo.Record) kgo.ProduceResults
	EndTransaction(ctx context.Context, commit kgo.TransactionEndTry) error
}

// committer commits offsets for the group, fenced by its generation.
type committer interface {
	// commitInTransaction adds the offsets to the producer's open transaction.
	commitInTransaction(ctx context.Context, offsets map[int32]commitPoint) error
	// commit commits them at once.
	commit(ctx context.Context, offsets map[int32]commitPoint) error
}

// A commitPoint is an offset to commit, and its metadata.
type commitPoint struct {
	offset   int64
	metadata string
}

// put puts a note on record and waits for it. It returns errLost when the
// partition is no longer ours, or the cause of ctx's end; the note may be on
// record all the same then, as after a crash.
func (l *ledger) put(ctx context.Context, n *note) error {
	n.done = make(chan error, 1)
	select {
	case l.notes <- n:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-n.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run writes notes until ctx ends.
func (l *ledger) run(ctx context.Context) {
	for {
		select {
		case n := <-l.notes:
			l.write(ctx, l.all(n))
		case <-ctx.Done():
			return
		}
		_ = sleep.For(ctx, restBetween)
	}
}

// all adds every note that waits already.
func (l *ledger) all(first *note) []*note {
	batch := []*note{first}
	for {
		select {
		case n := <-l.notes:
			batch = append(batch, n)
		default:
			return batch
		}
	}
}

// write puts a batch on record. It tries until that has succeeded, every
// partition of the batch is lost, or the session ends.
func (l *ledger) write(ctx context.Context, batch []*note) {
	start := time.Now()
	for {
		l.turn <- struct{}{}
		batch = dropLost(batch)
		err := l.transact(ctx, batch)
		if err == nil {
			for _, n := range batch {
				n.part.recorded(n)
				n.done <- nil
			}
		}
		<-l.turn
		if err == nil {
			l.metrics.ledgerSeconds.Observe(time.Since(start).Seconds())
			return
		}
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errUncertain) || kafka.IsTooLarge(err) { // the next session makes smaller records
			l.fatal(err)
			return
		}
		l.metrics.ledgerAborts.Inc()
		if sleep.For(ctx, retryLedger) != nil {
			return
		}
	}
}

func dropLost(batch []*note) (kept []*note) {
	for _, n := range batch {
		if n.part.isClosed() {
			n.done <- errLost
			continue
		}
		kept = append(kept, n)
	}
	return kept
}

// errUncertain marks an error after which it is not known what is on record.
var errUncertain = errors.New("consume: ledger: outcome unknown")

// transact writes one transaction; an error means that nothing of it is on
// record, unless it is errUncertain.
func (l *ledger) transact(ctx context.Context, batch []*note) error {
	records, offsets := contents(batch)
	switch {
	case len(batch) == 0:
		return nil
	case len(records) == 0:
		return l.commits.commit(ctx, offsets)
	}
	if err := l.producer.BeginTransaction(); err != nil {
		// The producer id cannot be used any more: only a new client helps.
		return fmt.Errorf("%w: begin: %w", errUncertain, err)
	}
	failpoint.Hit("consume/ledger-begun")
	produced := l.producer.ProduceSync(ctx, records...)
	err := produced.FirstErr()
	if tooLarge := refusedOf(produced); len(tooLarge) > 0 {
		l.refused(tooLarge)
	}
	failpoint.Hit("consume/ledger-produced")
	if err == nil {
		err = l.commits.commitInTransaction(ctx, offsets)
	}
	if err != nil {
		return l.abort(ctx, err)
	}
	failpoint.Hit("consume/ledger-offsets-added")
	if err := l.producer.EndTransaction(ctx, kgo.TryCommit); err != nil {
		if errors.Is(err, kerr.OperationNotAttempted) {
			return l.abort(ctx, err)
		}
		return fmt.Errorf("%w: commit: %w", errUncertain, err)
	}
	failpoint.Hit("consume/ledger-committed")
	return nil
}

func refusedOf(produced kgo.ProduceResults) (tooLarge []*kgo.Record) {
	for _, result := range produced {
		if kafka.IsTooLarge(result.Err) {
			tooLarge = append(tooLarge, result.Record)
		}
	}
	return tooLarge
}

// abort ends a transaction that went wrong, and returns why it did.
func (l *ledger) abort(ctx context.Context, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTransaction)
	defer cancel()
	if err := l.producer.EndTransaction(ctx, kgo.TryAbort); err != nil {
		return fmt.Errorf("%w: abort: %w, after: %w", errUncertain, err, why)
	}
	return why
}

// contents gathers what a batch writes: its records, copied, as a client does
// not take a record twice; and for each of its partitions the offset to commit.
func contents(batch []*note) (records []*kgo.Record, offsets map[int32]commitPoint) {
	finished, upTo := map[*partition][]int64{}, map[*partition]int64{}
	for _, n := range batch {
		for _, r := range n.records {
			records = append(records, &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value, Headers: r.Headers})
		}
		finished[n.part] = append(finished[n.part], n.finished...)
		upTo[n.part] = max(upTo[n.part], n.offset+1)
	}
	offsets = map[int32]commitPoint{}
	for part, list := range finished {
		offsets[part.id] = part.commitPoint(list, upTo[part])
	}
	return records, offsets
}
