package letters

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
)

// discardBatch is how many letters are discarded between two notes of it. Each
// costs a round trip; a crash leaves so many waiting, to be discarded again.
const discardBatch = 500

// Discard carries out a plan of that action: its letters are never sent back,
// and their commands keep the results that they have. by says who does it, for
// the log. Each letter is handed to each, which may be nil, once the broker
// remembers it. It returns how many were discarded.
func (o *Office) Discard(ctx context.Context, p *Plan, by string, each func(Letter)) (discarded int, err error) {
	if p.Action != Discard {
		return 0, errors.New("letters: the plan is not one to discard letters")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.keep(ctx); err != nil {
		return 0, err
	}
	if err := p.survey.refresh(ctx); err != nil {
		return 0, err
	}
	run := &discard{memory: p.survey.discarded, each: each, done: Histogram{}}
	err = p.carryOut(ctx, func(one found) error {
		run.memory.add(one)
		run.batch = append(run.batch, one.Letter)
		if len(run.batch) < discardBatch {
			return nil
		}
		return run.save(ctx)
	})
	// What was begun is noted whatever ended it.
	last, cancel := lastWord(ctx)
	defer cancel()
	err = errors.Join(err, run.save(last))
	o.tell("discarded", by, p.Choice, run.done, err)
	return run.done.Total(), err
}

// discard is a discarding under way.
type discard struct {
	memory *memory
	batch  []Letter // not saved yet
	each   func(Letter)
	done   Histogram
}

func (d *discard) save(ctx context.Context) error {
	batch := d.batch
	d.batch = nil // what can't be noted is not tried again
	partitions := map[int32]bool{}
	for _, l := range batch {
		partitions[l.Position.Partition] = true
	}
	if len(partitions) == 0 {
		return nil
	}
	if err := d.memory.reload(ctx); err != nil {
		return err
	}
	if err := d.memory.save(ctx, slices.Collect(maps.Keys(partitions))...); err != nil {
		return err
	}
	for _, l := range batch {
		d.done[l.Info.Reason]++
		if d.each != nil {
			d.each(l)
		}
	}
	return nil
}

// tell logs who did what.
func (o *Office) tell(action, by string, choice Choice, done Histogram, err error) {
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("action", action), slog.String("by", by), slog.String("topic", o.topic(choice.Source)), slog.Int("letters", done.Total()),
	}
	for _, reason := range slices.Sorted(maps.Keys(done)) {
		attrs = append(attrs, slog.Int("reason_"+string(reason), done[reason]))
	}
	if err != nil {
		level, attrs = slog.LevelError, append(attrs, slog.Any("error", err))
	}
	o.deps.Logger.LogAttrs(context.Background(), level, "dead letters dealt with", attrs...)
}
