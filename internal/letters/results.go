package letters

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// clockSlack is how far apart the clocks of those who issue commands and of those
// who carry them out may be: results are looked for from so long before their
// command was issued. More reads more, and finds nothing more.
const clockSlack = 24 * time.Hour

// asked is the commands whose results are wanted, and where those can be. A
// result goes to the partition number of its command, so what is read are the
// partitions that the letters came from, each from its oldest command on.
type asked struct {
	commands   map[commandHash]bool
	since      map[int32]time.Time
	everywhere bool // all of the topic is to be read
}

func newAsked() *asked { return &asked{commands: map[commandHash]bool{}, since: map[int32]time.Time{}} }

// add asks for the results of a letter's command. replies is the topic of the
// commands.
func (a *asked) add(one found, replies string) {
	a.commands[hash(one.CommandID)] = true
	from := one.Info
	if from.Topic != replies { // it does not say where it came from
		a.everywhere = true
		return
	}
	begun := from.FailedAt
	for _, at := range []time.Time{from.FirstFailedAt, one.command.IssuedAt} {
		if !at.IsZero() && at.Before(begun) {
			begun = at
		}
	}
	begun = begun.Add(-clockSlack)
	if known, ok := a.since[from.Partition]; !ok || begun.Before(known) {
		a.since[from.Partition] = begun
	}
}

// results hands the results of the commands that are asked for to each.
func (o *Office) results(ctx context.Context, a *asked, each func(schemas.ReplyResult)) error {
	if len(a.commands) == 0 {
		return nil
	}
	take := func(record *kgo.Record) (bool, error) {
		if !a.commands[hash(string(record.Key))] || record.Value == nil {
			return true, nil
		}
		var result schemas.ReplyResult
		if err := o.deps.Codec.Decode(ctx, record.Value, &result); err != nil {
			return true, unlessUndecodable(err)
		}
		each(result)
		return true, nil
	}
	partitions := slices.Sorted(maps.Keys(a.since))
	count, err := o.partitions(ctx, o.deps.Topics.Results)
	if err != nil {
		return err
	}
	if a.everywhere || len(partitions) > 0 && partitions[len(partitions)-1] >= count {
		return o.read(ctx, o.deps.Topics.Results, take)
	}
	for _, partition := range partitions {
		if err := o.readSince(ctx, o.deps.Topics.Results, partition, a.since[partition], take); err != nil {
			return err
		}
	}
	return nil
}

// readSince hands the records of a partition that are not older than a time to
// each.
func (o *Office) readSince(ctx context.Context, topic string, partition int32, since time.Time, each func(*kgo.Record) (more bool, err error)) error {
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var fault error
	more := true
	err := kafka.ReadSince(reading, o.deps.Options, topic, partition, since, func(record *kgo.Record) {
		if !more {
			return
		}
		if more, fault = each(record); fault != nil || !more {
			more = false
			stop(fault)
		}
	})
	if !more && ctx.Err() == nil {
		return fault // we stopped it ourselves
	}
	return errors.Join(fault, err)
}

// readAt hands the letters at positions to each; there may be none.
func (o *Office) readAt(ctx context.Context, topic string, positions []Position, each func(*kgo.Record) (more bool, err error)) error {
	begins, err := o.deps.Admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = begins.Error()
	}
	if err != nil {
		return fmt.Errorf("kafka: list offsets of topic %s: %w", topic, err)
	}
	ends, err := o.deps.Admin.ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("kafka: list offsets of topic %s: %w", topic, err)
	}
	client, err := kgo.NewClient(o.deps.Options...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer client.Close()
	for _, p := range positions {
		begin, _ := begins.Lookup(topic, p.Partition)
		end, ok := ends.Lookup(topic, p.Partition)
		if !ok || p.Offset < begin.Offset || p.Offset >= end.Offset {
			continue
		}
		var more bool
		var fault error
		err := kafka.ReadSpan(ctx, client, kafka.Span{Topic: topic, Partition: p.Partition, First: p.Offset, End: p.Offset + 1}, func(record *kgo.Record) bool {
			more, fault = each(record)
			return more && fault == nil
		})
		if err := errors.Join(fault, err); err != nil {
			return err
		}
	}
	return nil
}
