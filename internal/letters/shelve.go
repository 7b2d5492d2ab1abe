package letters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/sleep"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	// shelfFetch is what one fetch may bring: it waits in memory while the shelf
	// rests.
	shelfFetch = 1 << 20
	// shelfBatch is how many records are taken in without a rest: some ten
	// milliseconds of work.
	shelfBatch = 1000
	// shelfRest is how long the shelf rests for each second of work: it takes no
	// more than a tenth of one core, however many letters there are.
	shelfRest = 9
	// shelfPause is the least rest once the shelf is filled, so that it asks a
	// few times a second at the most, however fast results come.
	shelfPause = 250 * time.Millisecond
	// lookInterval is how often the shelf looks what became of letters.
	lookInterval = 3 * time.Second
	// firstLooks is the same until the shelf is filled.
	firstLooks = 500 * time.Millisecond
	// retryShelf is the wait after something could not be read.
	retryShelf = time.Second
)

// Run fills the shelf, gently, and keeps it right until ctx ends. Outages are
// waited out.
func (s *Shelf) Run(ctx context.Context) error {
	client, err := kgo.NewClient(append(slices.Clone(s.deps.Options),
		kgo.ConsumeTopics(s.deps.Topics.RepliesDLQ, s.deps.Topics.InboxDLQ),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // a partition often ends with one: they tell how far it is read
		kgo.FetchMaxBytes(shelfFetch), kgo.FetchMaxPartitionBytes(shelfFetch), kgo.MaxConcurrentFetches(1),
	)...)
	if err != nil {
		return fmt.Errorf("letters: shelf: %w", err)
	}
	defer client.Close()
	f := &filling{shelf: s, client: client, adm: kadm.NewClient(client), ends: map[place]int64{}}
	for _, source := range []Source{Replies, Inbox} {
		f.sources = append(f.sources, f.follow(source))
	}
	f.run(ctx)
	return nil
}

// filling is what Run knows.
type filling struct {
	shelf   *Shelf
	client  *kgo.Client
	adm     *kadm.Client
	sources []*sourced
	ends    map[place]int64 // the offset after the last that was read
	looked  time.Time       // when it was last looked what became of letters
	results bool            // they are followed too
	told    string          // the fault that was logged last
}

// A place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// sourced is a source of letters with what became of them.
type sourced struct {
	source Source
	topic  string
	stack  *stack

	redriven, discarded *memory
	dealt               int64           // how many offsets both hold
	first               map[int32]int64 // the offsets that retention has left
}

func (f *filling) follow(source Source) *sourced {
	names := f.shelf.deps.Topics
	from := &sourced{source: source, topic: names.RepliesDLQ, stack: f.shelf.stack(source)}
	if source == Inbox {
		from.topic = names.InboxDLQ
	}
	memory := func(group string) *memory {
		return &memory{adm: f.adm, group: names.Group(group), topic: from.topic, partitions: map[int32]*stretches{}}
	}
	from.redriven, from.discarded = memory(redriveGroup), memory(discardGroup)
	return from
}

// mark notes on a line what became of its letter.
func (s *sourced) mark(l *line) {
	l.redriven, l.discarded = s.redriven.contains(l.position()), s.discarded.contains(l.position())
}

func (f *filling) run(ctx context.Context) {
	for ctx.Err() == nil {
		pause := firstLooks
		if f.done() {
			pause = lookInterval
		}
		if time.Since(f.looked) >= pause {
			f.tell(f.look(ctx))
			f.looked = time.Now()
		}
		polling, cancel := context.WithTimeout(ctx, pause)
		fetches := f.client.PollRecords(polling, shelfBatch)
		cancel()
		begun := time.Now()
		for iter := fetches.RecordIter(); !iter.Done() && ctx.Err() == nil; {
			f.take(ctx, iter.Next())
		}
		rest := shelfRest * time.Since(begun)
		if pause == lookInterval {
			rest = max(rest, shelfPause)
		}
		for _, fault := range fetches.Errors() {
			if !errors.Is(fault.Err, context.DeadlineExceeded) && ctx.Err() == nil {
				f.tell(fault.Err)
				rest = max(rest, retryShelf)
			}
		}
		_ = sleep.For(ctx, rest)
	}
}

// done tells whether all that there was at the start has been read.
func (f *filling) done() bool {
	f.shelf.mu.Lock()
	defer f.shelf.mu.Unlock()
	return f.shelf.replies.filled && f.shelf.inbox.filled
}

// tell logs a fault once, not at each try of an outage.
func (f *filling) tell(err error) {
	text := ""
	if err != nil {
		text = err.Error()
		if text != f.told {
			f.shelf.log.Warn("dead letters cannot be followed; tried again", "error", err)
		}
	}
	f.told = text
}

// take takes in a record: a letter, a result, or the marker of a transaction.
func (f *filling) take(ctx context.Context, record *kgo.Record) {
	at := place{record.Topic, record.Partition}
	for fresh := record.Offset >= f.ends[at]; fresh && !record.Attrs.IsControl(); {
		err := f.takeIn(ctx, record)
		if err == nil {
			break
		}
		f.tell(err) // the registry is out of reach
		if sleep.For(ctx, retryShelf) != nil {
			return
		}
	}
	f.ends[at] = max(f.ends[at], record.Offset+1)
}

func (f *filling) takeIn(ctx context.Context, record *kgo.Record) error {
	if record.Topic == f.shelf.deps.Topics.Results {
		return f.takeResult(ctx, record)
	}
	for _, from := range f.sources {
		if from.topic != record.Topic {
			continue
		}
		letter, err := Read(ctx, f.shelf.deps.Codec, from.source, record)
		if err != nil {
			return err
		}
		f.shelf.mu.Lock()
		l := newLine(letter)
		from.mark(l)
		from.stack.add(l)
		f.shelf.mu.Unlock()
	}
	return nil
}

func (f *filling) takeResult(ctx context.Context, record *kgo.Record) error {
	replies := f.shelf.stack(Replies)
	key := string(record.Key[:min(len(record.Key), maxKept)])
	f.shelf.mu.Lock()
	asked := replies.byCommand[key] != nil
	f.shelf.mu.Unlock()
	if !asked || record.Value == nil {
		return nil
	}
	var result schemas.ReplyResult
	if err := f.shelf.deps.Codec.Decode(ctx, record.Value, &result); err != nil {
		return unlessUndecodable(err)
	}
	if result.State == schemas.ReplyStateSucceeded {
		f.shelf.mu.Lock()
		replies.succeed(key)
		f.shelf.mu.Unlock()
	}
	return nil
}
