package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

const (
	// rebalanceTimeout bounds how long a rebalance waits for a member; ending a
	// transaction takes milliseconds.
	rebalanceTimeout = 30 * time.Second
	// transactionTimeout is how long a killed process's transaction may stay
	// open. Until then readers of what is committed see nothing after it.
	transactionTimeout = 10 * time.Second / failpoint.Haste
	// batchRecords bounds a transaction. More would lengthen what an abort redoes
	// and gain nothing: a transaction costs the same with a hundred.
	batchRecords = 500
	// gap lies between the end of a transaction and the begin of the next: while
	// the coordinator still writes the markers of the one before, a new one has to
	// back off, and takes 24 ms instead of 2 (p99).
	gap = 2 * time.Millisecond
	// transactionBound is when a transaction that does not end is given up, and the
	// session with it: long after the broker has aborted it, so nothing is lost.
	transactionBound = 3 * transactionTimeout
	// stopBound is how long the transaction under way and leaving the group may
	// take when the stage is stopped.
	stopBound = 5 * time.Second
	// watchInterval is how often the brokers are asked whether they are there.
	watchInterval = 5 * time.Second
	watchTimeout  = 3 * time.Second
)

// errOptions means that the client's options contradict each other.
var errOptions = errors.New("publish: wrong Kafka options")

// A session is one client's membership in the group.
type session struct {
	*Publisher
	kafkaSession *kgo.GroupTransactSession
	fit          limits
	polled       *backlog
	inbox        kadm.TopicID
	ended        time.Time // when the last transaction ended
	aborts       int       // in a row
}

// session joins the group and publishes until ctx is done or something breaks.
func (p *Publisher) session(ctx context.Context) error {
	fit, inbox, err := p.describeTopics(ctx)
	if err != nil {
		return err
	}
	gts, err := kgo.NewGroupTransactSession(p.options(fit, inbox)...)
	if err != nil {
		return fmt.Errorf("%w: %w", errOptions, err)
	}
	s := &session{Publisher: p, kafkaSession: gts, fit: fit, inbox: inbox, polled: newBacklog(p.maker.shards)}
	p.maker.furthest = s.furthest
	p.pulse.beat("joining the group")
	running, end := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.watch(running, end)
	}()
	err = s.loop(running)
	s.giveUp()
	if cause := context.Cause(running); errors.Is(cause, errStalled) {
		err = cause
	}
	end(nil)
	<-watched
	return errors.Join(err, kafka.Leave(ctx, gts.Client(), gts.Close, stopBound, p.deps.Logger))
}

func (p *Publisher) options(fit limits, inbox kadm.TopicID) []kgo.Opt {
	n, shards := p.deps.Names, p.maker.shards
	partitions := func(do func([]int32)) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, topics map[string][]int32) { do(topics[n.Inbox]) }
	}
	own := kafka.OwnOffsetsOnly(n.Inbox, inbox, p.deps.Logger, func(int32, kafka.OffsetNote) {})
	return slices.Concat(p.deps.Kafka, kafka.MemberOptions(), own, []kgo.Opt{
		kgo.ConsumerGroup(n.Group(stageName)),
		kgo.ConsumeTopics(n.Inbox),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.RebalanceTimeout(rebalanceTimeout),
		kgo.TransactionalID(p.txnID),
		kgo.TransactionTimeout(transactionTimeout),
		kgo.ManualFlushing(), // a batch is whole before it is sent: one request, at once
		kgo.ProducerBatchMaxBytesFn(fit.of),
		kgo.RecordPartitioner(partitioner{n}),
		kgo.OnPartitionsAssigned(partitions(shards.assigned)),
		kgo.OnPartitionsRevoked(partitions(shards.dropped)),
		kgo.OnPartitionsLost(partitions(shards.dropped)),
	}, p.deps.Session)
}

// loop publishes batch after batch. It returns nil when ctx is done: what is held
// then is not committed, and comes again.
func (s *session) loop(ctx context.Context) error {
	for ctx.Err() == nil {
		_ = sleep.For(ctx, time.Until(s.ended.Add(gap))) // polling sees that ctx is done
		s.pulse.beat("fetching")
		records, err := s.poll(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return fmt.Errorf("publish: read inbox: %w", err)
		}
		s.begin(records)
		s.giveBack(s.polled.add(records, time.Now().Add(s.maker.enricher.bound)))
		if err := s.publish(ctx); err != nil {
			return err
		}
	}
	return nil //nolint:nilerr // what being stopped does to the fetches is no error
}

// poll waits for records, until a record that is held is due or what it waits
// for is answered.
func (s *session) poll(ctx context.Context) ([]*kgo.Record, error) {
	waiting, cancel := s.waker.wait(ctx, s.polled.due())
	defer cancel()
	fetches := s.kafkaSession.PollRecords(waiting, batchRecords)
	err := fetches.Err()
	if ended := waiting.Err(); ended != nil && errors.Is(err, ended) {
		err = nil
	}
	return fetches.Records(), err
}

// giveUp gives back what is held when the session ends.
func (s *session) giveUp() {
	all := s.polled.all()
	s.polled = newBacklog(s.maker.shards)
	s.giveBack(all)
}

// watch asks the brokers whether they are there, and looks whether the session gets
// on: the client waits out an outage, and what it has lost, without a word.
func (s *session) watch(ctx context.Context, end context.CancelCauseFunc) {
	for sleep.For(ctx, watchInterval) == nil {
		err := ping(ctx, s.kafkaSession.Client())
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.kafka.felt("no broker answers", err)
		case s.stalled(ctx):
			end(fmt.Errorf("%w: it is %s", errStalled, s.pulse.doing()))
		default:
			s.kafka.quietFor(2 * watchInterval)
		}
	}
}

// ping is the client's, bounded: while it connects the client heeds no context.
func ping(ctx context.Context, client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- client.Ping(ctx) }()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// withGrace returns a context for one transaction: it ends stopBound after ctx, so
// that what has begun may end in order, and after transactionBound in any case.
func withGrace(ctx context.Context) (context.Context, context.CancelFunc) {
	graceful, cancel := context.WithTimeout(context.WithoutCancel(ctx), transactionBound)
	stop := context.AfterFunc(ctx, func() {
		_ = sleep.For(graceful, stopBound)
		cancel()
	})
	return graceful, func() {
		stop()
		cancel()
	}
}
