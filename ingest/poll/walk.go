package poll

import (
	"context"
	"fmt"
)

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
type walk struct {
	list   *list
	pos    int                 // where the next page begins
	before map[string]struct{} // the page before
	done   bool
}

// next returns the next page.
func (w *walk) next(ctx context.Context) (page, error) {
	for range maxSteps {
		p, err := w.list.page(ctx, w.pos)
		if err != nil {
			return page{}, err
		}
		if w.joins(p) {
			w.accept(p)
			return p, nil
		}
		w.pos = max(w.pos-pageRows+minOverlap, 0)
	}
	return page{}, fmt.Errorf("%w: %d steps back did not lead to what was read before", errMoving, maxSteps)
}

// more reports whether there may be another page.
func (w *walk) more() bool { return !w.done }

// joins reports whether no row can lie between the page before and this one.
func (w *walk) joins(p page) bool {
	if p.start == 0 || w.before == nil {
		return true
	}
	for _, r := range p.rows {
		if _, ok := w.before[r.ident]; ok {
			return true
		}
	}
	return false
}

func (w *walk) accept(p page) {
	w.before = nil
	if overlap := overlapOf(p.rows); overlap > 0 {
		w.before = make(map[string]struct{}, len(p.rows))
		for _, r := range p.rows {
			w.before[r.ident] = struct{}{}
		}
		w.pos = p.start + len(p.rows) - overlap
	} else {
		w.pos = p.start + len(p.rows)
	}
	w.done = p.end()
}

// overlapOf returns how many rows to read again: those that share the last one's
// time at least, as their order may differ from one call to the next. Half a page
// at most, or the walk would not get on.
func overlapOf(rows []row) int {
	if len(rows) == 0 {
		return 0
	}
	ties := 1
	for i := len(rows) - 2; i >= 0 && rows[i].at.Equal(rows[i+1].at); i-- {
		ties++
	}
	return min(max(ties, minOverlap), len(rows)/2)
}
