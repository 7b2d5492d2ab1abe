package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/failpoint"
)

const (
	// DeliveryTimeout is the longest that an item waits for its acknowledgement.
	// The sender of a webhook must have its answer within 10 s; a longer wait would
	// make it hang up first.
	DeliveryTimeout = 8 * time.Second

	// requestTimeout is how long a broker that took a request may stay silent, and
	// again how long the connection may: a frozen broker is left after twice this.
	requestTimeout = 5 * time.Second

	// maxBufferedRecords and maxBufferedBytes bound what waits for a broker. More
	// is refused at once: in an outage memory must not grow with the traffic.
	maxBufferedRecords = 100_000
	maxBufferedBytes   = 256 << 20

	// maxRecordBytes is the max.message.bytes with which the topics are made. Larger records are
	// never written.
	maxRecordBytes = 16 << 20
)

// producerOptions make a producer that loses nothing it has acknowledged and
// gives up in time.
//
// Cancelling what is in flight gives up the producer's own protection from
// duplicates for those records. Without it a caller would be answered in time all
// the same, but the records would stay in memory until the broker is back.
func producerOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.AllowIdempotentProduceCancellation(),
		kgo.ProducerLinger(0), // lingering delays a lone webhook and gains nothing below 64 at once
		kgo.ProducerBatchMaxBytes(maxRecordBytes),
		kgo.MaxBufferedRecords(maxBufferedRecords),
		kgo.MaxBufferedBytes(maxBufferedBytes),
		kgo.ProduceRequestTimeout(requestTimeout),
		kgo.RequestTimeoutOverhead(requestTimeout),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), // Kafka's own, so that other producers agree
	}
}

// produce hands the records over, unless ctx has ended, and waits for all acknowledgements, until
// ctx ends or the time until. Records that the broker calls too large, or that shared a batch with
// one, are no error: they are returned.
//
// The records live on when ctx ends then: the client gives up a whole partition's
// records with the first one that is cancelled, and one caller that hangs up must
// not fail the others.
func (i *Inbox) produce(ctx context.Context, until time.Time, out []*outgoing) (tooLarge []*outgoing, err error) {
	if len(out) == 0 {
		return nil, nil
	}
	failpoint.Hit("ingest/received")
	if err := over(ctx); err != nil {
		return nil, fmt.Errorf("ingest: write: %w", err)
	}
	live, cancel := context.WithDeadlineCause(context.WithoutCancel(ctx), until, errNotInTime)
	w := &acks{all: make(chan struct{}), cancel: cancel}
	w.missing.Store(int64(len(out)))
	large := make([]bool, len(out)) // each written before the last acknowledgement, and read after it
	for n, o := range out {
		o.record.Context = nil // that of an earlier try has ended
		i.client.TryProduce(live, o.record, func(_ *kgo.Record, err error) {
			if large[n] = errors.Is(err, kerr.MessageTooLarge); large[n] {
				err = nil
			}
			w.done(err)
		})
	}
	if failpoint.Off("ack") {
		return nil, nil
	}
	err = w.wait(live, ctx)
	failpoint.Hit("ingest/written")
	if err != nil {
		if ctx.Err() == nil { // else it is the caller's doing, not an outage
			i.outage.saw(err)
		}
		return nil, fmt.Errorf("ingest: write: %w", err)
	}
	i.outage.saw(nil)
	i.limits.well.Store(true)
	for n, o := range out {
		if large[n] {
			tooLarge = append(tooLarge, o)
		}
	}
	return tooLarge, nil
}

// over returns why ctx has ended. A process that was frozen comes here before the timer that ends it.
func over(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return context.Cause(ctx)
}

// errNotInTime is why records are given up after DeliveryTimeout.
var errNotInTime = fmt.Errorf("no acknowledgement within %s", DeliveryTimeout)

// acks counts acknowledgements. It is safe for concurrent use.
type acks struct {
	missing atomic.Int64
	first   atomic.Pointer[error]
	all     chan struct{}
	cancel  context.CancelFunc // frees the records' context, after the last
}

// done notes one outcome.
func (a *acks) done(err error) {
	if err != nil {
		a.first.CompareAndSwap(nil, &err)
	}
	if a.missing.Add(-1) == 0 {
		close(a.all)
		a.cancel()
	}
}

// wait returns nil when all have come without an error, else the first error or
// why it stopped waiting.
func (a *acks) wait(live, caller context.Context) error {
	select {
	case <-a.all:
	case <-live.Done():
	case <-caller.Done():
	}
	select {
	case <-a.all: // perhaps at the same moment, and then it counts
		if err := a.first.Load(); err != nil {
			return *err
		}
		return nil
	default:
	}
	if caller.Err() != nil {
		return context.Cause(caller)
	}
	return context.Cause(live)
}
