package main

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/letters"
	"github.com/ringbridge/ringbridge/internal/timeline"
	"github.com/ringbridge/ringbridge/schemas"
)

// tableRows is how many rows are lined up with each other. A table holds its
// rows back until then, and there may be a hundred thousand.
const tableRows = 1000

// shownLetter is a letter in the list.
type shownLetter struct {
	Position     string            `json:"position"`
	FailedAt     time.Time         `json:"failed_at"`
	Reason       deadletter.Reason `json:"reason"`
	Attempts     int               `json:"attempts"`
	HTTPStatus   int               `json:"http_status,omitempty"`
	ErrorCode    string            `json:"error_code,omitempty"`
	Redrives     int               `json:"redrives"`
	State        letters.State     `json:"state"`
	Conversation string            `json:"conversation"`
	CommandID    string            `json:"command_id,omitempty"`
	Message      string            `json:"message"`
}

func showLetter(l letters.Letter) shownLetter {
	return shownLetter{
		Position: l.Position.String(), FailedAt: l.Info.FailedAt, Reason: l.Info.Reason, Attempts: l.Info.Attempts,
		HTTPStatus: l.Info.HTTPStatus, ErrorCode: l.Info.ErrorCode, Redrives: l.Info.Redrives, State: l.State,
		Conversation: timeline.Printable([]byte(l.Key)), CommandID: l.CommandID, Message: oneLine(l.Info.Message),
	}
}

func (p *program) dlqList(ctx context.Context, f dlqFlags, all bool) error {
	choice, err := f.choice(time.Now())
	if err != nil {
		return err
	}
	office, err := p.openLetters(ctx)
	if err != nil {
		return err
	}
	defer office.adm.Close()
	if f.json {
		return office.List(ctx, choice, all, func(l letters.Letter) error { return p.printJSON(showLetter(l)) })
	}
	table := &letterTable{out: tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0), counts: letters.Histogram{}}
	err = office.List(ctx, choice, all, table.add)
	if flushed := table.out.Flush(); err == nil {
		err = flushed
	}
	switch {
	case err != nil:
		return err
	case table.rows == 0:
		p.printf("no letters\n")
	default:
		p.printf("%s\n", histogram(table.counts))
	}
	return nil
}

// letterTable prints letters one a row.
type letterTable struct {
	out    *tabwriter.Writer
	rows   int
	counts letters.Histogram
}

func (t *letterTable) add(l letters.Letter) error {
	if t.rows == 0 {
		fmt.Fprintln(t.out, "POSITION\tGIVEN UP\tREASON\tATTEMPTS\tSTATUS\tREDRIVES\tSTATE\tCONVERSATION\tCOMMAND\tMESSAGE")
	}
	t.rows++
	t.counts[l.Info.Reason]++
	s := showLetter(l)
	status := "-"
	if s.HTTPStatus != 0 {
		status = strconv.Itoa(s.HTTPStatus)
	}
	fmt.Fprintf(t.out, "%s\t%s\t%s\t%d\t%s\t%d\t%s\t%s\t%s\t%s\n", s.Position, s.FailedAt.UTC().Format(time.RFC3339),
		orDash(string(s.Reason)), s.Attempts, status, s.Redrives, s.State, orDash(s.Conversation), orDash(s.CommandID), s.Message)
	if t.rows%tableRows == 0 {
		return t.out.Flush()
	}
	return nil
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return oneLine(text)
}

func (p *program) dlqShow(ctx context.Context, which string, f dlqFlags) error {
	choice, err := f.choice(time.Now(), which)
	if err != nil {
		return err
	}
	office, err := p.openLetters(ctx)
	if err != nil {
		return err
	}
	defer office.adm.Close()
	some := false
	err = office.Show(ctx, choice, func(whole letters.Whole) error {
		some = true
		return p.showLetter(ctx, decoder{office.codec}, whole, choice.Source)
	})
	if err == nil && !some {
		return fmt.Errorf("no letter of %s is %q", choice.Source, which)
	}
	return err
}

func (p *program) showLetter(ctx context.Context, d decoder, whole letters.Whole, source letters.Source) error {
	record, err := d.show(ctx, whole.Record, source.Topic())
	if err != nil {
		return err
	}
	return p.printIndented(struct {
		State letters.State `json:"state"`
		shownRecord
		Results []schemas.ReplyResult `json:"results,omitempty"`
	}{whole.State, record, whole.Results})
}
