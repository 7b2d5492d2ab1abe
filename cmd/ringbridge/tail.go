package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"
)

type tailFlags struct {
	from     string
	filters  []string
	max      int
	noFollow bool
}

func (p *program) tailCommand() *cobra.Command {
	var f tailFlags
	c := &cobra.Command{
		Use:   "tail TOPIC",
		Short: "Print a topic's records as JSON lines",
		Long: `Prints the records of a topic, decoded, one JSON object a line: topic, partition,
offset, timestamp, key, headers and value. Only committed records come, as a
read_committed consumer sees them. It follows the topic until it is interrupted.

TOPIC is a name with or without TOPIC_PREFIX:
  ` + strings.Join(shortTopics(), ", ") + `

A filter compares a field of the value, or key or headers.NAME, with a text; with
several all must hold.`,
		Example: `  ringbridge tail contents
  ringbridge tail contents --from beginning --filter content.thread_id=5f0…
  ringbridge tail replies.results --filter state=DEAD_LETTERED --from 24h
  ringbridge tail replies.dlq --from 2026-01-02T15:04:05Z --max 10 --no-follow`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.tail(c.Context(), args[0], f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.from, "from", "end", "beginning, end, a time (RFC 3339), or how long ago (10m, 24h)")
	flags.StringArrayVar(&f.filters, "filter", nil, "FIELD=TEXT, such as event_type=content.imported; may be repeated")
	flags.IntVar(&f.max, "max", 0, "stop after so many records; 0 = never")
	flags.BoolVar(&f.noFollow, "no-follow", false, "stop at the end as it is now")
	return c
}

func (p *program) tail(ctx context.Context, topic string, f tailFlags) error {
	from, err := parseFrom(f.from, time.Now())
	if err != nil {
		return err
	}
	filters, err := parseFilters(f.filters)
	if err != nil {
		return err
	}
	r, err := p.openReading(ctx)
	if err != nil {
		return err
	}
	defer r.adm.Close()
	full, short := topicArgument(topic, r.cfg.Broker.Topics.Prefix)
	if _, err := partitionsOf(ctx, r.adm, full); err != nil {
		return err
	}
	printer := &tailPrinter{p: p, decoder: decoder{r.codec}, short: short, filters: filters, left: f.max, bounded: f.max > 0}
	if f.noFollow {
		err = r.readAll(ctx, full, func(record *kgo.Record) bool {
			return !from.includes(record) || printer.print(ctx, record)
		})
	} else {
		err = r.follow(ctx, full, from.offset(), printer.print)
	}
	if ctx.Err() != nil {
		return nil // interrupted: the way this command ends
	}
	return errors.Join(err, printer.err)
}

// tailPrinter prints the records that match, until it has printed enough.
type tailPrinter struct {
	p       *program
	decoder decoder
	short   string
	filters []filter
	bounded bool
	left    int
	err     error
}

func (t *tailPrinter) print(ctx context.Context, record *kgo.Record) (more bool) {
	shown, err := t.decoder.show(ctx, record, t.short)
	if err == nil && matches(shown, t.filters) {
		err = t.p.printJSON(shown)
		t.left--
	}
	t.err = err
	return err == nil && (!t.bounded || t.left > 0)
}

// position is where a reader begins.
type position struct {
	end   bool
	since time.Time // zero = the beginning
}

func (p position) offset() kgo.Offset {
	switch {
	case p.end:
		return kgo.NewOffset().AtEnd()
	case p.since.IsZero():
		return kgo.NewOffset().AtStart()
	}
	return kgo.NewOffset().AfterMilli(p.since.UnixMilli())
}

func (p position) includes(record *kgo.Record) bool {
	return !p.end && !record.Timestamp.Before(p.since)
}

// parseFrom reads a --from.
func parseFrom(text string, now time.Time) (position, error) {
	switch text {
	case "beginning", "start":
		return position{}, nil
	case "end":
		return position{end: true}, nil
	}
	at, err := parseTime(text, now)
	if err != nil {
		return position{}, usageError("--from: want beginning, end, a time such as 2026-01-02T15:04:05Z, or how long ago, such as 10m")
	}
	return position{since: at}, nil
}

// parseTime reads a time (RFC 3339) or a duration before now; days may be
// written as in 3d.
func parseTime(text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return now.AddDate(0, 0, -n), err
	}
	d, err := time.ParseDuration(text)
	return now.Add(-d), err
}
