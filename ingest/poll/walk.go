package poll

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// errOffsetIgnored is returned for a list whose pages repeat.
var errOffsetIgnored = errors.New("the API ignores the offset")

const (
	// minOverlap is how many rows of a page are read again with the next one, so
	// that as many may be deleted meanwhile without a step back.
	minOverlap = 5
	// maxSteps bounds the steps back for one page. Each covers a page of deleted
	// rows; a list that loses 3,000 rows between two calls is not worth following.
	maxSteps = 20
)

// A walk reads a list page by page, from the newest row on, while it changes.
//
// Rows that come in push the others down: they are read twice, which is harmless.
// Rows that go away pull the others up, past the walk: so each page has to contain
// a row of the page before it. Where it does not, the walk steps back.
//
// The list ends where a page brings nothing but rows of the page before: its length, and what the
// API says of it, prove nothing. An end that was found is known again by its row.
type walk struct {
	list    *list
	pos     int                 // where the next page begins
	overlap int                 // how many rows it repeats
	before  map[string]struct{} // the page before
	done    bool
	certain bool   // the end is looked for though nothing has changed there
	tail    string // the last row read
}

// next returns the next page.
func (w *walk) next(ctx context.Context) (page, error) {
	for range maxSteps {
		p, err := w.list.page(ctx, w.pos)
		if err != nil {
			return page{}, err
		}
		if w.joins(p) {
			return p, w.accept(p)
		}
		w.pos = max(w.pos-max(len(p.rows), 2*minOverlap)+minOverlap, 0)
	}
	return page{}, fmt.Errorf("%w: %d steps back did not lead to what was read before", errMoving, maxSteps)
}

// more reports whether there may be another page.
func (w *walk) more() bool { return !w.done }

func (w *walk) finish() {}

// joins reports whether no row can lie between the page before and this one. A hole may be any
// row.
func (w *walk) joins(p page) bool {
	if p.start == 0 || w.before == nil {
		return true
	}
	return slices.ContainsFunc(p.rows, func(r row) bool {
		_, met := w.before[r.ident]
		return met || r.hole
	})
}

// accept goes on behind a page. One that repeats the whole page before, though some rows of it
// were asked for again, shows that the API ignores the offset.
func (w *walk) accept(p page) error {
	again, overlap := w.overlap, overlapOf(p.rows)
	fresh := slices.ContainsFunc(p.rows, func(r row) bool {
		_, met := w.before[r.ident]
		return !met || r.empty
	})
	w.done = !fresh
	switch {
	case w.done:
		w.list.last = lastRow{w.tail, p.count}
	case len(p.rows) > 0:
		w.tail = p.rows[len(p.rows)-1].ident
		w.done = !w.certain && w.tail == w.list.last.ident && p.count == w.list.last.count
	}
	said := p.count == 0 || p.count > p.start+len(p.rows) // that there are more
	if !fresh && said && p.start == w.pos && len(p.rows) > again && len(p.rows) == len(w.before) {
		return unread(errOffsetIgnored)
	}
	w.before = nil
	if overlap > 0 {
		w.before = make(map[string]struct{}, len(p.rows))
		for _, r := range p.rows {
			if !r.empty {
				w.before[r.ident] = struct{}{}
			}
		}
	}
	w.pos, w.overlap = p.start+len(p.rows)-overlap, overlap
	return nil
}

// overlapOf returns how many rows to read again: those that share the last one's
// time at least, as their order may differ from one call to the next. Half a page
// at most, or the walk would not get on.
func overlapOf(rows []row) int {
	if len(rows) == 0 {
		return 0
	}
	ties := 1
	for i := len(rows) - 2; i >= 0 && !rows[i].hole && rows[i].at.Equal(rows[i+1].at); i-- {
		ties++
	}
	return min(max(ties, minOverlap), len(rows)/2)
}
