package poll

import (
	"context"
	"errors"
	"slices"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// pageRows is how many rows a page is asked for: the most that the API gives. It may give fewer.
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

// A page is a part of the list, newest first, whatever the API's direction. It is empty behind
// the last row only.
type page struct {
	rows  []row
	start int // position of the first row, counted from the newest
	count int // rows of the whole list, as the API says; below start+len(rows) = it does not
	order order
}

// A list reads pages by their position from the newest row. In which direction
// identities are sorted is not documented, so it is learned from the rows, and read
// from the right end.
type list struct {
	reader *pageReader
	order  order
	end    int  // of a list that is oldest first: where its newest row ends
	proven bool // nothing was found behind it
	last   lastRow
}

// A lastRow is behind which no row was found, and what the API said then of the list's length.
type lastRow struct {
	ident string // "" = none
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
	rows, count, err := l.reader.read(ctx, pos, pageRows)
	if err != nil {
		return page{}, err
	}
	return page{rows: rows, start: pos, count: count, order: orderOf(rows)}, nil
}

func (l *list) readFromEnd(ctx context.Context, pos int) (page, error) {
	if pos == 0 {
		return l.newest(ctx)
	}
	end := max(l.end-pos, 0)
	offset := max(end-l.reader.pageSize(), 0)
	rows, count, err := l.reader.span(ctx, offset, end, false)
	if err != nil {
		return page{}, err
	}
	slices.Reverse(rows)
	return page{rows: rows, start: max(l.end-offset-len(rows), 0), count: count, order: orderOf(rows)}, nil
}

// headTries is how often the newest rows are looked for while the end of the list moves.
const headTries = 5

// newest returns the newest rows of a list that is oldest first: those from a little before the
// end that is known on, until no more come. What the API says of its length only helps to find
// them.
func (l *list) newest(ctx context.Context) (page, error) {
	for try := range headTries {
		size := l.reader.pageSize()
		offset := max(l.end-size+1, 0)
		rows, count, err := l.reader.read(ctx, offset, size)
		if err != nil {
			return page{}, err
		}
		end := offset + len(rows)
		if count > end+size && try == 0 { // many have come
			l.end, l.proven = count, false
			continue
		}
		if len(rows) == 0 && offset > 0 { // many have gone, or what was said was wrong
			if l.end, _, err = l.reader.length(ctx, count); err != nil {
				return page{}, err
			}
			continue
		}
		if !l.proven || end != l.end || len(rows) >= size {
			more, _, err := l.reader.span(ctx, end, maxRows, false)
			if err != nil {
				return page{}, err
			}
			rows = append(rows, more...)
		}
		l.end, l.proven = offset+len(rows), true
		slices.Reverse(rows)
		return page{rows: rows, start: 0, count: count, order: orderOf(rows)}, nil
	}
	return page{}, errMoving
}

// learn finds the direction: from the first page, or where all of its rows have
// one time, from the first row and the last.
func (l *list) learn(ctx context.Context) error {
	head, count, err := l.reader.read(ctx, 0, pageRows)
	if err != nil {
		return err
	}
	l.end, l.proven = max(count, len(head)), false
	found := orderOf(head)
	if found == orderUnknown && count > len(head) {
		tail, _, err := l.reader.once(ctx, count-1, 1)
		if err != nil && !isPageFault(err, false) {
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
