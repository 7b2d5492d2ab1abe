package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/sleep"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	// settleTime is how long nothing may be missing before the count is taken:
	// a double would come after the first.
	settleTime = 3 * time.Second
	// settleLimit is when what is missing counts as lost.
	settleLimit = 90 * time.Second
)

// playOnce plays every scene once, waits until all has come through, and
// counts both sides.
func (d *demo) playOnce(ctx context.Context) error {
	d.pace = oncePace
	if err := d.playAll(ctx, scenes(onceCrowd)); err != nil {
		return err
	}
	d.say.line("demo", "that was all the traffic; waiting until everything has come through")
	rows, err := d.settle(ctx)
	if err != nil {
		return err
	}
	return d.verdict(rows)
}

// settle counts until nothing has been missing for a while.
func (d *demo) settle(ctx context.Context) (rows []tally, err error) {
	begun, whole := time.Now(), time.Time{}
	for {
		if rows, err = d.count(ctx); err != nil {
			return nil, err
		}
		lost := 0
		for _, row := range rows {
			lost += row.lost
		}
		switch {
		case lost > 0:
			whole = time.Time{}
		case whole.IsZero():
			whole = time.Now()
		case time.Since(whole) > settleTime:
			return rows, nil
		}
		if time.Since(begun) > settleLimit {
			return rows, nil
		}
		if err := sleep.For(ctx, 500*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// tally compares one side with the other.
type tally struct {
	what                  string
	expected, seen        int
	lost, doubled, beyond int // beyond: seen and never expected
}

// compare counts how often each of the expected things was seen.
func compare(what string, expected map[string]bool, seen map[string]int) tally {
	t := tally{what: what, expected: len(expected)}
	for id := range expected {
		switch n := seen[id]; {
		case n == 0:
			t.lost++
		case n > 1:
			t.doubled += n - 1
		}
	}
	for id, n := range seen {
		t.seen += n
		if !expected[id] {
			t.beyond += n
		}
	}
	return t
}

// count takes both sides as they are now: what the simulated API holds, and
// what a read_committed consumer finds on the topics.
func (d *demo) count(ctx context.Context) ([]tally, error) {
	inbound, outbound, effects := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, content := range d.sandbox.Contents() {
		if content.Outbound() {
			outbound[content.ID] = true
			effects[string(content.Body)]++
			continue
		}
		inbound[content.ID] = true
	}
	imported, replied, err := d.readEvents(ctx)
	if err != nil {
		return nil, err
	}
	finals, succeeded, dead, err := d.readResults(ctx)
	if err != nil {
		return nil, err
	}
	letters, err := d.readLetters(ctx)
	if err != nil {
		return nil, err
	}
	commands, wanted := map[string]bool{}, map[string]bool{}
	for _, c := range d.issued {
		commands[c.id] = true
		if succeeded[c.id] {
			wanted[c.text] = true
		}
	}
	return []tally{
		compare("customers' messages → content.imported", inbound, imported),
		compare("replies in Engage → content.replied", outbound, replied),
		compare("commands → final results", commands, finals),
		compare("commands that succeeded → replies in Engage", wanted, effects),
		compare("commands given up → dead letters", dead, letters),
	}, nil
}

func (d *demo) readEvents(ctx context.Context) (imported, replied map[string]int, err error) {
	imported, replied = map[string]int{}, map[string]int{}
	err = d.readValues(ctx, d.names.Contents, func(record *kgo.Record) error {
		var event schemas.ContentEvent
		if err := d.codec.Decode(ctx, record.Value, &event); err != nil {
			return err
		}
		switch event.EventType {
		case "content.imported":
			imported[event.Content.ID]++
		case "content.replied", "content.discussion_initiated":
			replied[event.Content.ID]++
		}
		return nil
	})
	return imported, replied, err
}

func (d *demo) readResults(ctx context.Context) (finals map[string]int, succeeded, dead map[string]bool, err error) {
	finals, succeeded, dead = map[string]int{}, map[string]bool{}, map[string]bool{}
	err = d.readValues(ctx, d.names.Results, func(record *kgo.Record) error {
		var result schemas.ReplyResult
		if err := d.codec.Decode(ctx, record.Value, &result); err != nil {
			return err
		}
		switch result.State {
		case schemas.ReplyStateSucceeded:
			succeeded[result.CommandID] = true
			finals[result.CommandID]++
		case schemas.ReplyStateDeadLettered:
			dead[result.CommandID] = true
			finals[result.CommandID]++
		default: // the ledger of attempts
		}
		return nil
	})
	return finals, succeeded, dead, err
}

func (d *demo) readLetters(ctx context.Context) (map[string]int, error) {
	found := map[string]int{}
	err := d.readValues(ctx, d.names.RepliesDLQ, func(record *kgo.Record) error {
		var command schemas.ReplyCommand
		if err := d.codec.Decode(ctx, record.Value, &command); err != nil {
			return err
		}
		found[command.CommandID]++
		return nil
	})
	return found, err
}

// readValues hands each record of the topic that this run made to each.
func (d *demo) readValues(ctx context.Context, topic string, each func(*kgo.Record) error) error {
	var fault error
	err := d.reach.readAll(ctx, topic, func(record *kgo.Record) bool {
		if record.Value != nil && !record.Timestamp.Before(d.begun) {
			fault = each(record)
		}
		return fault == nil
	})
	return errors.Join(fault, err)
}

// verdict prints the count and is an error if anything was lost or doubled.
func (d *demo) verdict(rows []tally) error {
	wrong := 0
	d.p.printf("\n")
	table := tabwriter.NewWriter(d.p.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\texpected\tseen\tlost\tdoubled\tunexpected\t")
	for _, row := range rows {
		wrong += row.lost + row.doubled + row.beyond
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t\n", row.what, row.expected, row.seen, row.lost, row.doubled, row.beyond)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("demo: %d lost, doubled or unexpected", wrong)
	}
	d.p.printf("\nNothing was lost, nothing was doubled.\n")
	return nil
}
