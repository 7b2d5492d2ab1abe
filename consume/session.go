package consume

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	// transactionTimeout is after how long the broker ends a transaction of a
	// process that died. Until then its successor waits to read the ledger.
	transactionTimeout = 10 * time.Second / failpoint.Haste
	// rebalanceDrain is how long calls in flight may take when a partition goes
	// to another member: well within the group's rebalance time-out (60 s).
	rebalanceDrain = 20 * time.Second
	// leaveBound is what leaving the group may take beyond the drain: with the drain's
	// default, the rest of a SHUTDOWN_TIMEOUT of 10 s.
	leaveBound = 1500 * time.Millisecond
	// pollRecords bounds what one poll hands over.
	pollRecords = 500
)

// A session is one membership in the group, with its clients. It ends with the
// stage, or when it is not known any more what is on record.
type session struct {
	c      *Consumer
	ctx    context.Context //nolint:containedctx // a session is a lifetime; hard: all of it ends with this
	cancel context.CancelCauseFunc

	member   *kgo.Client
	producer *kgo.Client
	ledger   *ledger
	topics   topicFacts

	mu    sync.Mutex
	parts map[int32]*partition
	notes map[int32]kafka.OffsetNote // of the committed offsets, by partition
}

// topicFacts are what a session must know of its topics.
type topicFacts struct {
	replies, results kadm.TopicID
	letters          int32 // partitions of the dead-letter topic
	limits           kafka.Limits
}

func (c *Consumer) runSession(ctx context.Context) error {
	hard, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	s := &session{c: c, ctx: hard, cancel: cancel, parts: map[int32]*partition{}, notes: map[int32]kafka.OffsetNote{}}
	defer cancel(errStopping)
	if err := s.open(ctx); err != nil {
		return err
	}
	c.set(s)
	defer c.set(nil)
	var writing sync.WaitGroup
	writing.Go(func() { s.ledger.run(s.ctx) })
	s.poll(ctx)
	leaving := time.Now().Add(c.deps.DrainTimeout + leaveBound)
	s.drain(s.owned(), errStopping, c.deps.DrainTimeout)
	cause := context.Cause(s.ctx)
	cancel(errStopping)
	writing.Wait()
	if err := kafka.Leave(ctx, s.member, s.close, time.Until(leaving), c.log); err != nil {
		return err
	}
	return cause
}

func (s *session) close() {
	s.producer.Close()
	s.member.CloseAllowingRebalance()
}

func (c *Consumer) set(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = s
}

// open makes the session's clients.
func (s *session) open(ctx context.Context) error {
	c := s.c
	id := c.deps.Group + "." + uuid.NewString()
	var err error
	s.producer, err = kgo.NewClient(append(slices.Clone(c.deps.Options),
		kgo.TransactionalID(id),
		kgo.TransactionTimeout(transactionTimeout),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(maxBatchBytes),
		kgo.ProducerLinger(0),
	)...)
	if err != nil {
		return fmt.Errorf("consume: ledger client: %w", err)
	}
	if s.topics, err = s.describe(ctx); err != nil {
		s.producer.Close()
		return err
	}
	own := kafka.OwnOffsetsOnly(c.deps.Topics.Replies, s.topics.replies, c.log, s.noted)
	s.member, err = kgo.NewClient(append(slices.Concat(c.deps.Options, kafka.MemberOptions(), own),
		kgo.ConsumerGroup(c.deps.Group),
		kgo.ConsumeTopics(c.deps.Topics.Replies),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(), // see poll
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.OnPartitionsRevoked(s.revoked),
		kgo.OnPartitionsLost(s.lost),
	)...)
	if err != nil {
		s.producer.Close()
		return fmt.Errorf("consume: group client: %w", err)
	}
	s.ledger = &ledger{
		producer: s.producer, notes: make(chan *note), turn: make(chan struct{}, 1), metrics: c.metrics,
		commits: &groupCommits{group: c.deps.Group, topic: c.deps.Topics.Replies, topicID: s.topics.replies, id: id, member: s.member, producer: s.producer},
		fatal:   func(err error) { s.cancel(fmt.Errorf("%w: %w", errRestart, err)) },
		refused: func(records []*kgo.Record) { c.refusals.Note(s.topics.limits, records...) },
	}
	return nil
}

// maxBatchBytes lets a letter be as large as its command: the topics' limit
// (max.message.bytes), less the batch's own bytes.
const maxBatchBytes = 16_000_000

// describe asks for what a session must know of its topics, until it is told.
func (s *session) describe(ctx context.Context) (facts topicFacts, err error) {
	adm := kadm.NewClient(s.producer)
	topics := s.c.deps.Topics
	for {
		details, err := adm.ListTopics(kadm.WithAuthorizedOps(ctx), topics.Replies, topics.Results, topics.RepliesDLQ)
		if err == nil {
			err = details.Error()
		}
		var limits kafka.Limits
		if err == nil {
			limits, err = kafka.ReadLimits(ctx, adm, topics.Results, topics.RepliesDLQ)
		}
		if err == nil {
			return topicFacts{
				replies: details[topics.Replies].ID, results: details[topics.Results].ID,
				letters: int32(len(details[topics.RepliesDLQ].Partitions)), limits: s.c.refusals.Under(limits),
			}, nil
		}
		s.c.log.Warn("waiting for the broker", "error", err)
		if waitErr := sleep.For(ctx, time.Second); waitErr != nil {
			return facts, waitErr
		}
	}
}

// noted keeps the note of a partition's committed offset: what was on record when it was committed.
func (s *session) noted(partition int32, note kafka.OffsetNote) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes[partition] = note
}

// poll hands records to their partitions until ctx or the session ends.
//
// Between the two no partition may be given away. Records of one that was would
// make it anew here, and nothing would ever take it back: the member may well be
// in the group, with other partitions, so its commits are not refused.
func (s *session) poll(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(s.ctx, stop)()
	defer s.member.AllowRebalance()
	told := ""
	for {
		s.member.AllowRebalance()
		fetches := s.member.PollRecords(ctx, pollRecords)
		if ctx.Err() != nil {
			return
		}
		told = s.tell(fetches.Err(), told)
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			s.partition(p.Partition).deliver(p.Records)
		})
	}
}

// tell logs an error of fetching once, not at each try of an outage, and returns
// what was told last.
func (s *session) tell(err error, told string) string {
	if err == nil {
		return ""
	}
	if err.Error() != told {
		s.c.log.Warn("commands cannot be fetched", "error", err)
	}
	return err.Error()
}

// partition returns the state of a partition, new at its first records.
func (s *session) partition(id int32) *partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.parts[id]
	if !ok {
		p = newPartition(s.ctx, id)
		p.load, p.work, p.flow = s.load, s.carry, s
		p.record = recordOf(s.topics, s.notes[id])
		s.parts[id] = p
	}
	return p
}

// carry sends the work of a partition to the consumer, with this session's
// ledger.
func (s *session) carry(p *partition, head *progress) { s.c.carry(s.ledger, p, head) }

func (s *session) pause(partition int32) {
	s.member.PauseFetchPartitions(map[string][]int32{s.c.deps.Topics.Replies: {partition}})
}

func (s *session) resume(partition int32) {
	s.member.ResumeFetchPartitions(map[string][]int32{s.c.deps.Topics.Replies: {partition}})
}

func (s *session) owned() []*partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.parts))
}

// forget takes partitions out, so that they begin anew if they come back.
func (s *session) forget(gone map[string][]int32) (parts []*partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range gone[s.c.deps.Topics.Replies] {
		if p, ok := s.parts[id]; ok {
			delete(s.parts, id)
			parts = append(parts, p)
		}
	}
	return parts
}

// revoked gives partitions away in an orderly manner: calls in flight are waited
// for, and their outcomes put on record, before another member starts.
func (s *session) revoked(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	s.drain(s.forget(gone), errLost, rebalanceDrain)
}

// lost drops partitions that another member may have already.
func (s *session) lost(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	s.drain(s.forget(gone), errLost, 0)
}

func (s *session) drain(parts []*partition, cause error, bound time.Duration) {
	ctx, cancel := context.WithTimeout(s.ctx, bound)
	defer cancel()
	var draining sync.WaitGroup
	for _, p := range parts {
		draining.Go(func() {
			p.drain(ctx, cause, s.ledger, func() { s.cancel(fmt.Errorf("%w: the ledger is stuck", errRestart)) })
			s.resume(p.id)
		})
	}
	draining.Wait()
}

// load reads what the ledger says of a partition's commands.
func (s *session) load(ctx context.Context, p *partition) error {
	start := time.Now()
	n := 0
	err := kafka.ReadWithOverruled(ctx, s.c.deps.Options, s.c.deps.Topics.Results, p.id, func(r *kgo.Record) {
		result, ok := s.c.readResult(ctx, r)
		if !ok {
			return
		}
		n++
		e := entryOf(result, r.Headers)
		if e.resource != "" {
			s.c.claims.take(e.resource, result.CommandID)
		}
		p.mu.Lock()
		p.entries.set(result.CommandID, e)
		p.mu.Unlock()
	}, func(r *kgo.Record) { s.suspect(ctx, p, r) })
	if p.record.lost != "" {
		s.c.log.Error("the ledger of replies was deleted: which commands were carried out is not known any more; those that were under way are looked up before they are sent",
			"partition", p.id, "looked_up_before_offset", p.record.doubtful)
	}
	if err == nil {
		s.c.log.Info("owning a partition", "partition", p.id, "results_read", n, "duration_ms", time.Since(start).Milliseconds())
	}
	return err
}

// suspect takes note of an attempt that the broker has aborted though it may have told its maker that it was committed: the call
// was made then, and is looked for before it is made again.
func (s *session) suspect(ctx context.Context, p *partition, r *kgo.Record) {
	result, ok := s.c.readResult(ctx, r)
	if !ok || result.State != schemas.ReplyStateAttempting {
		return // an end that is not on record is found by its attempt
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries.suspect(result.CommandID, entryOf(result, r.Headers))
}

// readResult decodes a record of the ledger. One that cannot be decoded is not
// ours, and tells nothing.
func (c *Consumer) readResult(ctx context.Context, r *kgo.Record) (*schemas.ReplyResult, bool) {
	var result schemas.ReplyResult
	if r.Value == nil || c.decode(ctx, r, &result) != nil {
		return nil, false
	}
	return &result, true
}

// decode decodes a value, waiting for as long as the registry is out of reach.
func (c *Consumer) decode(ctx context.Context, r *kgo.Record, v schemas.Value) error {
	for n := 1; ; n++ {
		err := c.deps.Codec.Decode(ctx, r.Value, v)
		var undecodable *schemas.UndecodableError
		if err == nil || errors.As(err, &undecodable) {
			if n > 1 {
				c.clearHealth("replies.registry")
			}
			return err
		}
		c.log.Warn("waiting for the schema registry", "error", err)
		c.setHealth("replies.registry", err.Error())
		if waitErr := sleep.For(ctx, c.pace.bound(n)); waitErr != nil {
			return waitErr
		}
	}
}
