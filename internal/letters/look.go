package letters

import (
	"context"
	"fmt"
	"maps"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// look finds out what became of letters, whoever did it, and how far the shelf
// is filled.
func (f *filling) look(ctx context.Context) error {
	for _, from := range f.sources {
		if err := f.remember(ctx, from); err != nil {
			return err
		}
	}
	topics := []string{f.shelf.deps.Topics.RepliesDLQ, f.shelf.deps.Topics.InboxDLQ, f.shelf.deps.Topics.Results}
	starts, err := f.adm.ListStartOffsets(ctx, topics...)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return fmt.Errorf("kafka: list offsets: %w", err)
	}
	for _, from := range f.sources {
		f.trim(from, starts)
	}
	if f.done() {
		return nil
	}
	ends, err := f.adm.ListCommittedOffsets(ctx, topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("kafka: list offsets: %w", err)
	}
	return f.judge(ctx, starts, ends)
}

// remember reads what was sent back and what was discarded, and marks the lines
// where that has grown.
func (f *filling) remember(ctx context.Context, from *sourced) error {
	for _, m := range []*memory{from.redriven, from.discarded} {
		if err := m.reload(ctx); err != nil {
			return err
		}
	}
	dealt := from.redriven.size() + from.discarded.size()
	if dealt == from.dealt {
		return nil
	}
	from.dealt = dealt
	f.shelf.mu.Lock()
	defer f.shelf.mu.Unlock()
	for _, l := range from.stack.lines {
		from.mark(l)
	}
	return nil
}

// size returns how many offsets the memory holds. As the memory only grows, it
// has changed if this has.
func (m *memory) size() (n int64) {
	for _, s := range m.partitions {
		n += s.base
		for _, x := range s.after {
			n += x.end - x.first
		}
	}
	return n
}

// trim takes off what retention has deleted.
func (f *filling) trim(from *sourced, starts kadm.ListedOffsets) {
	first := map[int32]int64{}
	starts.Each(func(o kadm.ListedOffset) {
		if o.Topic == from.topic {
			first[o.Partition] = o.Offset
		}
	})
	if maps.Equal(first, from.first) {
		return
	}
	from.first = first
	f.shelf.mu.Lock()
	defer f.shelf.mu.Unlock()
	from.stack.drop(func(_ int, l *line) bool { return l.offset < first[l.partition] })
}

// judge tells how far the shelf is filled. The results are followed once the
// letters are there: from the oldest one on that may have succeeded since.
func (f *filling) judge(ctx context.Context, starts, ends kadm.ListedOffsets) error {
	read := func(topic string) bool {
		for partition, end := range ends[topic] {
			start, _ := starts.Lookup(topic, partition)
			if max(start.Offset, f.ends[place{topic, partition}]) < end.Offset {
				return false
			}
		}
		return true
	}
	names := f.shelf.deps.Topics
	if !f.results && read(names.RepliesDLQ) {
		return f.followResults(ctx, ends)
	}
	f.shelf.mu.Lock()
	defer f.shelf.mu.Unlock()
	f.shelf.inbox.filled = f.shelf.inbox.filled || read(names.InboxDLQ)
	f.shelf.replies.filled = f.results && read(names.Results)
	return nil
}

// followResults begins to follow the results.
func (f *filling) followResults(ctx context.Context, from kadm.ListedOffsets) error {
	f.shelf.mu.Lock()
	oldest, ok := f.shelf.replies.oldestOpen()
	f.shelf.mu.Unlock()
	topic := f.shelf.deps.Topics.Results
	if ok {
		var err error
		if from, err = f.adm.ListOffsetsAfterMilli(ctx, max(0, oldest.Add(-clockSlack).UnixMilli()), topic); err == nil {
			err = from.Error()
		}
		if err != nil {
			return fmt.Errorf("kafka: list offsets of topic %s: %w", topic, err)
		}
	}
	partitions := map[int32]kgo.Offset{}
	for partition, begin := range from[topic] {
		partitions[partition] = kgo.NewOffset().At(begin.Offset)
		f.ends[place{topic, partition}] = begin.Offset
	}
	f.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: partitions})
	f.results = true
	return nil
}
