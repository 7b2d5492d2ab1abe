package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ringbridge/ringbridge/internal/deadletter"
)

// shownLetter is a letter in the list.
type shownLetter struct {
	Position     string            `json:"position"`
	FailedAt     time.Time         `json:"failed_at"`
	Reason       deadletter.Reason `json:"reason"`
	Attempts     int               `json:"attempts"`
	HTTPStatus   int               `json:"http_status,omitempty"`
	ErrorCode    string            `json:"error_code,omitempty"`
	Redrives     int               `json:"redrives"`
	State        string            `json:"state"`
	Conversation string            `json:"conversation"`
	CommandID    string            `json:"command_id,omitempty"`
	Message      string            `json:"message"`
}

func (l letter) shown() shownLetter {
	return shownLetter{
		Position: l.position().String(), FailedAt: l.info.FailedAt, Reason: l.info.Reason, Attempts: l.info.Attempts,
		HTTPStatus: l.info.HTTPStatus, ErrorCode: l.info.ErrorCode, Redrives: l.info.Redrives, State: l.state,
		Conversation: printable(l.record.Key), CommandID: l.command, Message: oneLine(l.info.Message),
	}
}

// String returns partition/offset.
func (p letterPosition) String() string { return fmt.Sprintf("%d/%d", p.partition, p.offset) }

func parsePosition(text string) (p letterPosition, ok bool) {
	partition, offset, ok := strings.Cut(text, "/")
	n, err1 := strconv.ParseInt(partition, 10, 32)
	m, err2 := strconv.ParseInt(offset, 10, 64)
	return letterPosition{int32(n), m}, ok && err1 == nil && err2 == nil
}

func (p *program) dlqList(ctx context.Context, f dlqFlags) error {
	choice, err := f.choice(time.Now())
	if err != nil {
		return err
	}
	r, err := p.openReading(ctx)
	if err != nil {
		return err
	}
	defer r.adm.Close()
	letters, err := openLetters(ctx, r, choice, defaultMaxRounds)
	if err != nil {
		return err
	}
	found, err := letters.list(ctx)
	if err != nil {
		return err
	}
	if err := letters.markSucceeded(ctx, found); err != nil {
		return err
	}
	if f.json {
		for _, l := range found {
			if err := p.printJSON(l.shown()); err != nil {
				return err
			}
		}
		return nil
	}
	return p.printLetters(found)
}

func (p *program) printLetters(found []letter) error {
	if len(found) == 0 {
		p.printf("no letters\n")
		return nil
	}
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "POSITION\tGIVEN UP\tREASON\tATTEMPTS\tSTATUS\tREDRIVES\tSTATE\tCONVERSATION\tCOMMAND\tMESSAGE")
	for _, l := range found {
		s := l.shown()
		status := "-"
		if s.HTTPStatus != 0 {
			status = strconv.Itoa(s.HTTPStatus)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%d\t%s\t%s\t%s\t%s\n", s.Position, s.FailedAt.UTC().Format(time.RFC3339),
			orDash(string(s.Reason)), s.Attempts, status, s.Redrives, s.State, orDash(s.Conversation), orDash(s.CommandID), s.Message)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	p.printf("%s\n", histogram(found))
	return nil
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return oneLine(text)
}

// histogram counts letters by reason, as in "3 letters: 2 forbidden, 1 expired".
func histogram(found []letter) string {
	counts := map[deadletter.Reason]int{}
	for _, l := range found {
		counts[l.info.Reason]++
	}
	var parts []string
	for _, reason := range slices.Concat(deadletter.Reasons(), []deadletter.Reason{""}) {
		if n := counts[reason]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, orDash(string(reason))))
		}
	}
	noun := "letters"
	if len(found) == 1 {
		noun = "letter"
	}
	if len(parts) == 0 {
		return "0 letters"
	}
	return fmt.Sprintf("%d %s: %s", len(found), noun, strings.Join(parts, ", "))
}

func (p *program) dlqShow(ctx context.Context, which string, f dlqFlags) error {
	choice, err := f.choice(time.Now())
	if err != nil {
		return err
	}
	r, err := p.openReading(ctx)
	if err != nil {
		return err
	}
	defer r.adm.Close()
	letters, err := openLetters(ctx, r, choice, defaultMaxRounds)
	if err != nil {
		return err
	}
	at, byPosition := parsePosition(which)
	shown := false
	err = letters.each(ctx, func(one letter) (bool, error) {
		if byPosition && one.position() != at || !byPosition && one.command != which {
			return true, nil
		}
		shown = true
		return !byPosition, p.showLetter(ctx, decoder{r.codec}, one, choice.source+dlqSuffix)
	})
	if err == nil && !shown {
		return fmt.Errorf("no letter of %s is %q", choice.source, which)
	}
	return err
}

func (p *program) showLetter(ctx context.Context, d decoder, l letter, short string) error {
	record, err := d.show(ctx, l.record, short)
	if err != nil {
		return err
	}
	return p.printIndented(struct {
		State string `json:"state"`
		shownRecord
	}{l.state, record})
}
