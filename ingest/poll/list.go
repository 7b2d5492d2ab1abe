package poll

import (
	"context"
	"errors"
	"slices"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// pageRows is how many rows a page is asked for: the most that the API gives.
const pageRows = ringcentral.MaxPage

// errMoving is returned when a list changes faster than it can be read.
var errMoving = errors.New("the list changes while it is read")

// order is the direction of a list.
type order int

const (
	orderUnknown order = iota // too few rows to tell
	newestFirst
	oldestFirst
	unordered // by something else than what was asked for
)

// A page is a part of the list, newest first, whatever the API's direction.
type page struct {
	rows  []row
	start int // position of the first row, counted from the newest
	count int // rows of the whole list; below start+len(rows) = the API did not tell
	order order
}

// end reports whether no rows come after this page.
func (p page) end() bool {
	after := p.start + len(p.rows)
	if len(p.rows) == 0 {
		return true
	}
	if p.count >= after {
		return p.count == after
	}
	return len(p.rows) < pageRows
}

// A list reads pages by their position from the newest row. In which direction
// identities are sorted is not documented, so it is learned from the rows, and read
// from the right end.
type list struct {
	fetch func(ctx context.Context, offset, limit int) ([]row, int, error)
	order order
	count int
}

func (l *list) page(ctx context.Context, pos int) (page, error) {
	if l.order == orderUnknown {
		if err := l.learn(ctx); err != nil {
			return page{}, err
		}
	}
	p, err := l.read(ctx, pos)
	if err != nil {
		return page{}, err
	}
	if p.order == oldestFirst && l.order != unordered {
		// The list was turned around, or what was learned was chance. What the walk
		// has read is worth nothing then.
		l.order = orderUnknown
		return page{}, errMoving
	}
	return p, nil
}

func (l *list) read(ctx context.Context, pos int) (page, error) {
	if l.order == oldestFirst {
		return l.readFromEnd(ctx, pos)
	}
	rows, count, err := l.fetch(ctx, pos, pageRows)
	if err != nil {
		return page{}, err
	}
	return page{rows: rows, start: pos, count: count, order: orderOf(rows)}, nil
}

// headTries is how often the newest rows are read while others come behind them.
const headTries = 5

func (l *list) readFromEnd(ctx context.Context, pos int) (page, error) {
	for range headTries {
		end := max(l.count-pos, 0)
		offset := max(end-pageRows, 0)
		rows, count, err := l.fetch(ctx, offset, max(end-offset, 1))
		if err != nil {
			return page{}, err
		}
		l.count = count
		slices.Reverse(rows)
		start := max(count-offset-len(rows), 0)
		if pos > 0 || start == 0 {
			return page{rows: rows, start: start, count: count, order: orderOf(rows)}, nil
		}
	}
	return page{}, errMoving
}

// learn finds the direction: from the first page, or where all of its rows have
// one time, from the first row and the last.
func (l *list) learn(ctx context.Context) error {
	head, count, err := l.fetch(ctx, 0, pageRows)
	if err != nil {
		return err
	}
	l.count = count
	found := orderOf(head)
	if found == orderUnknown && count > len(head) {
		tail, _, err := l.fetch(ctx, count-1, 1)
		if err != nil {
			return err
		}
		found = orderOf(append(head, tail...))
	}
	if found == orderUnknown {
		found = newestFirst // one page, or one time: either way the same
	}
	l.order = found
	return nil
}

// orderOf tells the direction of rows by their times, as far as those are readable.
func orderOf(rows []row) order {
	rising, falling := false, false
	var before row
	for _, r := range rows {
		if r.at.IsZero() {
			continue
		}
		if !before.at.IsZero() {
			rising = rising || r.at.After(before.at)
			falling = falling || r.at.Before(before.at)
		}
		before = r
	}
	switch {
	case rising && falling:
		return unordered
	case rising:
		return oldestFirst
	case falling:
		return newestFirst
	}
	return orderUnknown
}
