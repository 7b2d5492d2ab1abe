package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
	"github.com/ringbridge/ringbridge/publish"
)

// groupPause is how often a group is looked at that is waited for.
const groupPause = time.Second

type replayFlags struct {
	from   string
	dryRun bool
	wait   bool
}

func (p *program) replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay",
		Short: "Put the inbox through publish again, after a parser was fixed",
		Long: `Moves the offsets of publish back on the inbox, so that it reads again what came in.
What was published already is dropped: only what is new gets onto the topics. An
arrival that still cannot be read gets another letter in inbox.dlq.

The stage publish must not run meanwhile: the command refuses while its group has
members, or with --wait waits until they are gone. Nothing happens before the
stage is started again. Offsets are never moved forward.

It reads as far back as the inbox goes (7 days, unless its retention was changed).
Letters of the inbox are sent back by ` + "`ringbridge dlq redrive --topic inbox`" + ` instead.
Exit status 1 when the group has members or Kafka refuses.`,
		Example: `  ringbridge replay --from earliest --dry-run
  ringbridge replay --from 6h --wait                  # then stop the bridge
  ringbridge replay --from 2026-01-02T15:04:05Z`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.replay(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.from, "from", "", "what came in since: a time (RFC 3339), how long ago (90m, 3d), or earliest")
	flags.BoolVar(&f.dryRun, "dry-run", false, "move nothing; say what would be read again")
	flags.BoolVar(&f.wait, "wait", false, "wait until the stage publish has stopped everywhere")
	return c
}

func (p *program) replay(ctx context.Context, f replayFlags) error {
	from, err := parseReplayFrom(f.from, time.Now())
	if err != nil {
		return err
	}
	return p.withTopics(ctx, func(ctx context.Context, adm *kadm.Client, cfg kafka.TopicConfig) error {
		names := kafka.TopicNames(cfg.Prefix)
		r := replaying{p: p, adm: adm, topic: names.Inbox, group: names.Group(stagePublish), from: from}
		if _, err := partitionsOf(ctx, adm, names.Inbox); err != nil {
			return err
		}
		if !f.dryRun {
			if err := r.untilStopped(ctx, f.wait); err != nil {
				return err
			}
		}
		moves, err := r.plan(ctx)
		if err != nil {
			return err
		}
		if err := r.show(moves, f.dryRun); err != nil || f.dryRun || len(moves) == 0 {
			return err
		}
		return r.move(ctx, moves)
	})
}

// parseReplayFrom reads a --from; the zero position is the beginning.
func parseReplayFrom(text string, now time.Time) (position, error) {
	if text == "earliest" || text == "beginning" {
		return position{}, nil
	}
	at, err := parseTime(text, now)
	if err != nil || text == "" {
		return position{}, usageError("--from: want a time such as 2026-01-02T15:04:05Z, how long ago, such as 90m or 3d, or earliest")
	}
	return position{since: at}, nil
}

// replaying moves a group's offsets back.
type replaying struct {
	p            *program
	adm          *kadm.Client
	topic, group string
	from         position
}

// A move is what becomes of one partition's offset.
type move struct {
	partition int32
	committed kadm.Offset
	to        int64
}

// untilStopped returns nil once the group has no members. A broker would refuse
// to move the offsets of a group that has some.
func (r replaying) untilStopped(ctx context.Context, wait bool) error {
	for told := ""; ; {
		members, err := groupMembers(ctx, r.adm, r.group)
		if err != nil {
			return err
		}
		if len(members) == 0 {
			return nil
		}
		text := fmt.Sprintf("%d of the stage publish still run (%s)", len(members), strings.Join(members, ", "))
		if !wait {
			return fmt.Errorf("replay: %s: stop the bridge, or with `run --only` its stage publish, and start it again afterwards; --wait waits for that", text)
		}
		if text != told {
			r.p.printf("waiting: %s\n", text)
			told = text
		}
		if err := sleep.For(ctx, groupPause); err != nil {
			return err
		}
	}
}

// groupMembers returns where a group's members run, sorted.
func groupMembers(ctx context.Context, adm *kadm.Client, group string) ([]string, error) {
	described, err := adm.DescribeGroups(ctx, group)
	if err == nil {
		err = described.Error()
	}
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, fmt.Errorf("kafka: describe group %s: %w", group, err)
	}
	var members []string
	for _, member := range described[group].Members {
		members = append(members, member.ClientID+" on "+strings.TrimPrefix(member.ClientHost, "/"))
	}
	slices.Sort(members)
	return members, nil
}

// plan returns the partitions whose offsets lie after where reading is to begin.
// One that has no offset yet is read from its beginning in any case.
func (r replaying) plan(ctx context.Context) ([]move, error) {
	// A transaction that is still open may carry offsets: they would undo a move.
	committed, err := r.adm.FetchOffsetsForTopics(kadm.RequireStable(ctx), r.group, r.topic)
	if err == nil {
		err = committed.Error()
	}
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil // it has read nothing yet
	}
	if err != nil {
		return nil, fmt.Errorf("kafka: read offsets of group %s: %w", r.group, err)
	}
	begin, err := r.adm.ListStartOffsets(ctx, r.topic)
	if err == nil && !r.from.since.IsZero() {
		begin, err = r.adm.ListOffsetsAfterMilli(ctx, r.from.since.UnixMilli(), r.topic)
	}
	if err == nil {
		err = begin.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("kafka: list offsets of topic %s: %w", r.topic, err)
	}
	var moves []move
	committed.Each(func(o kadm.OffsetResponse) {
		if to, ok := begin.Lookup(r.topic, o.Partition); ok && to.Offset < o.At {
			moves = append(moves, move{partition: o.Partition, committed: o.Offset, to: to.Offset})
		}
	})
	slices.SortFunc(moves, func(a, b move) int { return int(a.partition - b.partition) })
	return moves, nil
}

func (r replaying) show(moves []move, dryRun bool) error {
	if len(moves) == 0 {
		r.p.printf("nothing to do: publish has read nothing of %s since then\n", r.topic)
		return nil
	}
	table := tabwriter.NewWriter(r.p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PARTITION\tREAD UP TO\tAGAIN FROM\tRECORDS")
	total := int64(0)
	for _, m := range moves {
		records := m.committed.At - m.to
		total += records
		fmt.Fprintf(table, "%d\t%d\t%d\t%d\n", m.partition, m.committed.At, m.to, records)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if dryRun {
		r.p.printf("would read again up to %d records of %s; nothing was moved\n", total, r.topic)
		return nil
	}
	r.p.printf("reads again up to %d records of %s\n", total, r.topic)
	return nil
}

func (r replaying) move(ctx context.Context, moves []move) error {
	var offsets kadm.Offsets
	for _, m := range moves {
		offsets.Add(kadm.Offset{Topic: r.topic, Partition: m.partition, At: m.to, LeaderEpoch: -1, Metadata: publish.ReplayMetadata(m.committed)})
	}
	if err := r.adm.CommitAllOffsets(ctx, r.group, offsets); err != nil {
		return fmt.Errorf("kafka: move the offsets of group %s (some may have been moved; the same command again moves the rest): %w", r.group, err)
	}
	r.p.printf("done: start the bridge, or its stage publish, again\n")
	return nil
}
