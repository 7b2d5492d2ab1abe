package backfill

import (
	"context"
	"time"

	"github.com/ringbridge/ringbridge/ingest/poll"
)

// offsetHistory reads a list of Engage Digital, whose pages go by position.
type offsetHistory struct {
	tape  *poll.Tape
	span  Span
	first int // position of the span's first row
	last  int // and of the first one after it
}

func (h *offsetHistory) seek(ctx context.Context, span Span) (rows int, err error) {
	h.span = span
	if h.first, err = h.tape.Seek(ctx, span.From); err != nil {
		return 0, err
	}
	if h.last, err = h.tape.Find(ctx, span.Until); err != nil {
		return 0, err
	}
	return max(h.last-h.first, 0), nil
}

func (h *offsetHistory) next(ctx context.Context) (step, error) {
	stretch, err := h.tape.Next(ctx)
	if err != nil {
		return step{}, err
	}
	s := step{missing: stretch.Holes, cause: stretch.Err, end: stretch.End, reached: stretch.Reached, done: min(max(stretch.Position-h.first, 0), h.last-h.first)}
	for _, row := range stretch.Rows {
		if h.span.includes(row.At) {
			s.items = append(s.items, row.Item)
		}
	}
	// A list that is not sorted has its last row anywhere.
	s.end = s.end || after(stretch.Reached, h.span.Until)
	return s, nil
}

// after reports whether t is known and not before the bound.
func after(t, bound time.Time) bool { return !t.IsZero() && !t.Before(bound) }
