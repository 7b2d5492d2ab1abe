package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/ringbridge/ringbridge/ingest/poll"
)

// errTokenRepeats is why a list can't be followed to its end.
var errTokenRepeats = errors.New("a page token leads back to a page that was read before")

// keysetHistory reads a list of Social Messaging. Its pages go by token, newest first,
// and there is no way to begin in the middle. So it goes down the list once and keeps
// the tokens only; then it reads the pages again, from the oldest up.
type keysetHistory struct {
	stream   string
	platform patientPlatform
	span     Span
	tokens   []string // of the pages to be read, newest first
	rows     int      // of the span, in those pages
	done     int
	reached  time.Time
	known    map[string]bool // rows of the page before
	fault    error           // why older rows can't be reached; nil = they can, or it was said
}

func (h *keysetHistory) seek(ctx context.Context, span Span) (int, error) {
	h.span, h.tokens, h.rows, h.done = span, nil, 0, 0
	followed := map[string]bool{"": true}
	for token := ""; ; {
		page, err := h.platform.list(ctx, h.stream, token)
		if err != nil {
			return 0, err
		}
		rows := poll.PlatformHistory(h.stream, page.Records)
		for _, row := range rows {
			if span.includes(row.At) {
				h.rows++
			}
		}
		if h.rows == 0 {
			h.tokens = nil // all of it is newer
		}
		h.tokens = append(h.tokens, token)
		if page.Next == "" || older(rows, span.From) {
			return h.rows, nil
		}
		if followed[page.Next] {
			h.fault = errTokenRepeats // what lies below can't be reached
			return h.rows, nil
		}
		token = page.Next
		followed[token] = true
	}
}

// next reads one page, and on from there as far as it has to: what came in since the
// tokens were noted has pushed rows off the page's end.
func (h *keysetHistory) next(ctx context.Context) (step, error) {
	last := len(h.tokens) - 1
	token := h.tokens[last]
	h.tokens = h.tokens[:last]
	var records []json.RawMessage
	for {
		page, err := h.platform.list(ctx, h.stream, token)
		if err != nil {
			return step{}, err
		}
		records = append(records, page.Records...)
		if page.Next == "" || h.known == nil || older(poll.PlatformHistory(h.stream, page.Records), h.reached) {
			break
		}
		token = page.Next
	}
	rows := poll.PlatformHistory(h.stream, records)
	var s step
	s.ofSpan(rows, h.span, h.known)
	h.known = make(map[string]bool, len(rows))
	for _, row := range rows {
		h.known[row.Ident] = true
		if row.At.After(h.reached) {
			h.reached = row.At
		}
	}
	h.done = min(h.done+len(s.items), h.rows)
	s.done, s.reached, s.end = h.done, h.reached, len(h.tokens) == 0
	if h.fault != nil {
		s.missing, s.cause, h.fault = 1, h.fault, nil
	}
	return s, nil
}

// older reports whether the rows reach down beyond the bound.
func older(rows []poll.HistoryRow, bound time.Time) bool {
	for _, row := range rows { // oldest first, behind those without a readable time
		if !row.At.IsZero() {
			return row.At.Before(bound)
		}
	}
	return false
}
