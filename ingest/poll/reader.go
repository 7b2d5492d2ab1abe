package poll

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// errUnread is returned where a list cannot be read on, while the API answers otherwise.
var errUnread = errors.New("a part of the list can't be read")

// ErrPageAlone is returned, beside its cause, by a source of a Tape or a Descent that has waited for
// a page, while the API gives other rows of the list.
var ErrPageAlone = errors.New("the API gives other rows, but not this page")

// errEndless ends a list that does not come nearer to its end: the API ignores the offset, or the token.
var errEndless = errors.New("the list has no end")

const (
	// maxFaults is how many calls for one page may fail in a row before the rest of it counts as
	// unreadable: enough to isolate one row twice over.
	maxFaults = 16
	// maxLostPages is how many pages in a row without a readable row end the reading.
	maxLostPages = 2
	// maxRows is more than any list has.
	maxRows = 1 << 30
	// sizeMemory is how long a page size that had to be lowered is kept before the usual one is
	// tried again.
	sizeMemory = time.Hour
)

// isPageFault reports whether an error may concern one page alone: an answer other than "try
// later" or "not you", or none. first says that the page is the first of its list, of which a
// 403 or a 404 concerns the list.
func isPageFault(err error, first bool) bool {
	failure, ok := errors.AsType[*ringcentral.Error](err)
	if !ok {
		return false
	}
	switch judge(err) {
	case resultUnavailable:
		return true
	case resultRefused:
		return !first || failure.Status != http.StatusNotFound
	case resultForbidden:
		return !first
	default:
		return false
	}
}

// unread marks an error that ends a list before its end.
func unread(err error) error { return fmt.Errorf("poll: %w: %w", errUnread, err) }

// A pageReader reads pages by their position. Where the API does not give one, it reads the rows
// around those that are unreadable, and puts a hole in place of each of these, so that positions
// stay what they are. It is used by one goroutine.
type pageReader struct {
	fetch func(ctx context.Context, offset, limit int) (rows []row, count int, err error)
	try   func(ctx context.Context, offset, limit int) (rows []row, count int, err error) // makes one try of a call; nil = fetch
	fault func(err error)                                                                 // called for each page with holes; nil = nobody asks

	patient bool // fetch waits out what is not the page's fault, and returns ErrPageAlone if it is

	size    int       // rows that a page may be asked for; 0 = pageRows
	sizeEnd time.Time // when the usual size is tried again
	lost    int       // pages in a row without a readable row
}

// pageSize returns how many rows a page is asked for.
func (r *pageReader) pageSize() int {
	if r.size > 0 && time.Now().After(r.sizeEnd) {
		r.size = 0
	}
	if r.size > 0 {
		return r.size
	}
	return pageRows
}

// read returns rows from an offset on, limit at most and fewer where the API lowers the limit:
// only no rows at all are the end of the list. The count is what the API says, which may be
// wrong or 0.
func (r *pageReader) read(ctx context.Context, offset, limit int) (rows []row, count int, err error) {
	limit = min(limit, r.pageSize())
	rows, count, err = r.fetch(ctx, offset, limit)
	switch {
	case err == nil:
		r.lost = 0
		return rows, count, nil
	case errors.Is(err, ErrPageAlone):
	case r.patient && offset == 0 && judge(err) == resultUnavailable, !isPageFault(err, offset == 0), !r.alive(ctx, offset, limit):
		return nil, 0, err
	}
	cause := err
	rows, count, err = r.isolate(ctx, offset, offset+limit)
	if err != nil {
		return nil, 0, err
	}
	r.lost++
	holes := 0
	for _, row := range rows {
		if row.hole {
			holes++
		}
	}
	if holes < len(rows) || len(rows) == 0 {
		r.lost = 0
	}
	if r.fault != nil && holes > 0 {
		r.fault(cause)
	}
	if r.lost >= maxLostPages {
		return nil, 0, unread(cause)
	}
	return rows, count, nil
}

// alive reports whether the API gives other rows than those of a page that it did not give.
func (r *pageReader) alive(ctx context.Context, offset, limit int) bool {
	_, _, first := r.once(ctx, 0, 1)
	if first == nil {
		return true
	}
	_, _, behind := r.once(ctx, offset+limit, 1)
	return behind == nil
}

func (r *pageReader) once(ctx context.Context, offset, limit int) ([]row, int, error) {
	if r.try != nil {
		return r.try(ctx, offset, limit)
	}
	return r.fetch(ctx, offset, limit)
}

// isolate reads what it can from one position up to another, of which both together could not be
// read, by halves. Where no row turns out to be unreadable the size was at fault: it is lowered.
func (r *pageReader) isolate(ctx context.Context, from, to int) (rows []row, count int, err error) {
	bad, faults, holes, largest := to, 0, 0, 0 // [pos, bad) is known not to be readable at once
	for pos := from; pos < to; {
		n := to - pos
		if pos < bad {
			n = max((bad-pos)/2, 1)
		}
		n = min(n, r.pageSize())
		part, told, err := r.once(ctx, pos, n)
		switch {
		case err != nil && !isPageFault(err, false):
			return nil, 0, err
		case err != nil && faults >= maxFaults:
			for ; pos < to; pos++ {
				rows = append(rows, holeAt(pos))
			}
			return rows, count, nil
		case err != nil && n > 1:
			faults++
			bad = pos + n
		case err != nil:
			faults++
			holes++
			rows = append(rows, holeAt(pos))
			pos++
			bad = pos
		case len(part) == 0:
			return rows, told, nil
		default:
			faults, count, largest = 0, told, max(largest, n)
			rows = append(rows, part...)
			pos += len(part)
			if pos >= bad && holes == 0 {
				r.size, r.sizeEnd = largest, time.Now().Add(sizeMemory)
			}
		}
	}
	return rows, count, nil
}

// holeAt stands for a row that the API does not give.
func holeAt(pos int) row { return row{hole: true, ident: "\x00hole " + strconv.Itoa(pos)} }

// span reads all rows from one position up to another, or to the end of the list; counted says
// that the API can be trusted where that is.
func (r *pageReader) span(ctx context.Context, from, to int, counted bool) (rows []row, count int, err error) {
	for from+len(rows) < to {
		part, told, err := r.read(ctx, from+len(rows), to-from-len(rows))
		if err != nil {
			return nil, 0, err
		}
		if len(part) == 0 {
			break
		}
		count = told
		if rows = append(rows, part...); counted && count <= from+len(rows) {
			break
		}
	}
	return rows, count, nil
}

// length returns how many rows the list has, and what the API last said of that. What it says is
// checked, and found out where it says nothing or is wrong: some two calls for each power of two.
func (r *pageReader) length(ctx context.Context, said int) (found, told int, err error) {
	there := func(pos int) (bool, error) {
		rows, count, err := r.once(ctx, pos, 1)
		told = count
		if err != nil && isPageFault(err, false) && said > 0 {
			return pos < said, nil // a row that cannot be read, or an offset behind the last
		}
		return len(rows) > 0, err
	}
	low, high := 0, max(said, 1) // rows below low are there
	for high < maxRows {
		more, err := there(high)
		if err != nil {
			return 0, 0, err
		}
		if !more {
			break
		}
		low, high = high+1, 2*(high+1)
	}
	if high >= maxRows {
		return 0, 0, unread(errEndless)
	}
	for low < high {
		middle := (low + high) / 2
		if high == said && low < said-1 {
			middle = said - 1 // most often what is said is true
		}
		more, err := there(middle)
		if err != nil {
			return 0, 0, err
		}
		if more {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, told, nil
}
