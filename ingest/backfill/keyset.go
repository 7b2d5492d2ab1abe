package backfill

import (
	"context"
	"errors"
	"time"

	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// maxDescents is how often in a row the list is read down without one page more read on the way up.
const maxDescents = 3

// keysetHistory reads a list of Social Messaging. Its pages go by token, newest first,
// and there is no way to begin in the middle. So it goes down the list once and keeps
// the tokens only; then it reads the pages again, from the oldest up.
//
// A token that has expired meanwhile makes it go down again. What cannot be read all the same is
// left out: what lies below the last page that can be read, and single pages above it.
type keysetHistory struct {
	stream   string
	source   socialPages
	order    ringcentral.OrderBy // empty = as the API likes
	unsorted bool                // the API sorts by something else than the creation
	span     Span
	pages    []keysetPage // to be read, newest first
	rows     int          // of the span, in the pages of the first descent
	done     int
	reached  time.Time
	known    map[string]bool // rows of the page before; nil = the next one is the oldest
	descents int             // since the last page that was read on the way up
	fault    error           // why rows can't be read; nil = they can, or it was said
}

// A keysetPage is a page as it was met on the way down.
type keysetPage struct {
	token, below string
	perPage      int // rows that it could be asked for; 0 = the usual number
}

func newKeysetHistory(stream string, platform patientPlatform) *keysetHistory {
	return &keysetHistory{stream: stream, source: socialPages{platform, stream}, order: ringcentral.NewestCreated}
}

func (h *keysetHistory) seek(ctx context.Context, span Span) (rows int, err error) {
	h.span, h.reached = span, span.From
	h.rows, err = h.descend(ctx)
	return h.rows, err
}

// descend notes the pages of what is still to be read, and returns how many rows of the span they
// have. A list that cannot be read on is read down again, as its tokens may have expired, and then
// as far as it goes.
func (h *keysetHistory) descend(ctx context.Context) (rows int, err error) {
	for {
		h.descents++
		rows, err = h.goDown(ctx)
		switch {
		case err == nil:
			return rows, nil
		case h.order != "" && (poll.RefusesRequest(err) || errors.Is(err, ringcentral.ErrFilterIgnored)):
			h.order = "" // the order is what is refused, or not heeded
			h.descents--
		case !poll.IsUnread(err):
			return 0, err
		case h.descents >= maxDescents:
			h.fault = err
			return rows, nil
		}
	}
}

func (h *keysetHistory) goDown(ctx context.Context) (rows int, err error) {
	h.pages = nil
	d := poll.NewDescent(h.stream, h.source, h.order, "", 0)
	for d.More() {
		page, err := d.Next(ctx)
		if err != nil {
			return rows, err
		}
		h.unsorted = h.unsorted || page.Unsorted
		for _, row := range page.Rows {
			if h.span.includes(row.At) {
				rows++
			}
		}
		if rows == 0 && !h.unsorted {
			h.pages = nil // all of it is newer
		}
		h.pages = append(h.pages, keysetPage{page.Token, page.Next, d.PerPage()})
		if h.reaches(page.Rows, h.reached) {
			break
		}
	}
	return rows, nil
}

// reaches reports whether all rows below these are older than the bound.
func (h *keysetHistory) reaches(rows []poll.HistoryRow, bound time.Time) bool {
	return !h.unsorted && older(rows, bound)
}

// next reads one page, and on from there as far as it has to: what came in since the
// tokens were noted has pushed rows off the page's end.
func (h *keysetHistory) next(ctx context.Context) (step, error) {
	if len(h.pages) == 0 { // nothing can be read below the first page
		return h.step(nil), nil
	}
	page := h.pages[len(h.pages)-1]
	rows, err := h.readUp(ctx, page)
	if poll.IsUnread(err) || poll.RefusesRequest(err) {
		if h.descents < maxDescents {
			if _, err := h.descend(ctx); err != nil {
				return step{}, err
			}
			return h.step(nil), nil
		}
		h.fault, err = err, nil
	} else if err == nil {
		h.descents = 0
	}
	if err != nil {
		return step{}, err
	}
	h.pages = h.pages[:len(h.pages)-1]
	return h.step(rows), nil
}

// readUp returns the rows of a page, oldest first, and those that were pushed off it. Where not all
// of them can be read, it returns the others beside the error.
func (h *keysetHistory) readUp(ctx context.Context, page keysetPage) (rows []poll.HistoryRow, err error) {
	d := poll.NewDescent(h.stream, h.source, h.order, page.token, page.perPage)
	for d.More() {
		part, err := d.Next(ctx)
		if err != nil {
			return rows, err
		}
		h.unsorted = h.unsorted || part.Unsorted
		rows = append(part.Rows, rows...)
		if part.Next == page.below || h.reaches(part.Rows, h.reached) {
			break
		}
	}
	return rows, nil
}

// step hands rows out.
func (h *keysetHistory) step(rows []poll.HistoryRow) step {
	var s step
	s.ofSpan(rows, h.span, h.known)
	if len(rows) > 0 {
		h.known = make(map[string]bool, len(rows))
	}
	for _, row := range rows {
		h.known[row.Ident] = true
		if !h.unsorted && row.At.After(h.reached) {
			h.reached = row.At
		}
	}
	h.done = min(h.done+len(s.items), h.rows)
	s.done, s.end = h.done, len(h.pages) == 0
	if !h.unsorted {
		s.reached = h.reached
	}
	if h.fault != nil {
		s.missing, s.cause, h.fault = 1, h.fault, nil
	}
	return s
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
