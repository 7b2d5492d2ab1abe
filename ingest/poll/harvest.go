package poll

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// maxHarvest bounds the bytes of a harvest: some ten thousand contents. Those of a
// long absence come in several.
const maxHarvest = 32 << 20

// A harvest is what one pass over the list found to write. Rows of a conversation
// must be written oldest first while they are read newest first, so it is gathered
// whole. When there is too much, the newest are left for the next pass.
type harvest struct {
	rows  []*row // newest first
	index map[string]*row
	bytes int
	limit int // bytes

	overflow bool      // rows were left out
	holes    int       // rows that the API does not give
	open     bool      // one of them came behind all rows that have a time
	missing  time.Time // rows from this time on may be missing; zero = none are
	head     census    // of the first page
	newest   time.Time // of all rows read
	read     int       // rows
	pages    int
	fresh    int // rows that came since the last census
	late     int // of those to write: imported with an old date
}

func newHarvest(limit int) *harvest { return &harvest{limit: limit, index: map[string]*row{}} }

func (h *harvest) has(r row) bool { return h.index[r.ident] != nil }

// add takes a row, or of a row it has, the state that was read last.
func (h *harvest) add(r row) {
	if known := h.index[r.ident]; known != nil {
		h.bytes += len(r.raw) - len(known.raw)
		*known = r
	} else {
		h.index[r.ident] = &r
		h.rows = append(h.rows, &r)
		h.bytes += len(r.raw)
	}
	for h.bytes > h.limit && len(h.rows) > 1 {
		left := h.rows[0]
		h.rows[0] = nil
		h.rows = h.rows[1:]
		h.bytes -= len(left.raw)
		delete(h.index, left.ident)
		h.overflow = true
	}
}

// drop removes a row that was written otherwise.
func (h *harvest) drop(r *row) {
	known := h.index[r.ident]
	if known == nil {
		return
	}
	delete(h.index, r.ident)
	h.bytes -= len(known.raw)
	h.rows = slices.DeleteFunc(h.rows, func(other *row) bool { return other == known })
}

// hole notes a row that the API does not give.
func (h *harvest) hole() { h.holes, h.open = h.holes+1, true }

// closeHole notes the first row below holes: these are not older.
func (h *harvest) closeHole(at time.Time) {
	if h.open && !at.IsZero() {
		h.missing, h.open = earliest(h.missing, at), false
	}
}

// newestTaken returns the time of the newest row to write; zero when none tells.
func (h *harvest) newestTaken() time.Time {
	var newest time.Time
	for _, r := range h.rows {
		newest = later(newest, r.at)
	}
	return newest
}

// oldestFirst returns the rows in the order in which they are to be written. Dates
// have seconds only, in which a customer can write twice: there the ids tell, which
// are made in the order of the imports.
func (h *harvest) oldestFirst() []*row {
	rows := slices.Clone(h.rows)
	slices.Reverse(rows)
	slices.SortStableFunc(rows, func(a, b *row) int {
		return cmp.Or(a.at.Compare(b.at), a.imported.Compare(b.imported), a.compareID(b))
	})
	return rows
}

// compareID orders ids that tell when they were made, and numbers, which are given
// in a row; others stay where they are.
func (r *row) compareID(other *row) int {
	switch {
	case isNumber(r.id) && isNumber(other.id):
		return cmp.Or(cmp.Compare(len(r.id), len(other.id)), cmp.Compare(r.id, other.id))
	case r.imported.IsZero():
		return 0
	}
	return cmp.Compare(r.id, other.id)
}

func isNumber(id string) bool {
	return id != "" && len(id) != idDigits && !strings.ContainsFunc(id, func(r rune) bool { return r < '0' || r > '9' })
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// earliest returns the earlier of two times of which zero ones count for nothing.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
