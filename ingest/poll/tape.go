package poll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sort"
	"time"
)

// probeRows is how many rows tell the time at a place of the list: more than one, as
// some may have no readable date.
const probeRows = 5

// errNoCount is returned when the API does not tell how long a list is: one that is
// sorted newest first has no other way to its old end.
var errNoCount = errors.New("the list does not tell how many rows it has")

// A Tape reads a list from an old row on, oldest first, while the list changes:
// history in the order in which it happened. Positions are counted from the oldest
// row, so that what comes in at the new end moves nothing.
//
// Rows that come in among the old ones push others on: they are read twice, which is
// harmless. Rows that go away pull others back, past the tape: so, as in a walk, each
// page has to contain a row of the page before it. It is used by one goroutine.
type Tape struct {
	kind  kind
	fetch func(ctx context.Context, offset, limit int) ([]row, int, error)
	seed  hashSeed

	oldFirst bool // the API's own direction
	unsorted bool // the API sorts by something else than what was asked for
	count    int  // rows of the list, as last told
	pos      int  // where the next page begins
	from     time.Time
	before   map[string]bool // the page before; true = handed out
}

// A Stretch is what one step of a Tape has read.
type Stretch struct {
	Rows     []HistoryRow // oldest first
	Reached  time.Time    // all rows before it were handed out; zero = that cannot be told
	Position int          // of the row to come, counted from the oldest
	Count    int          // rows of the whole list
	End      bool         // no rows come after
}

// NewTape returns a tape of one of EngageStreams. The source makes as many tries
// as it sees fit: a tape makes none of its own.
func NewTape(stream string, source Source) (*Tape, error) {
	for _, k := range kinds() {
		if k.stream == stream {
			t := &Tape{kind: k, seed: maphash.MakeSeed()}
			t.fetch = func(ctx context.Context, offset, limit int) ([]row, int, error) {
				p, err := k.fetch(ctx, source, offset, limit)
				rows := make([]row, len(p.Records))
				now := time.Now()
				for i, raw := range p.Records {
					rows[i] = readRow(raw, now, t.seed, k.at)
				}
				return rows, p.Count, err
			}
			return t, nil
		}
	}
	return nil, fmt.Errorf("poll: no stream %q", stream)
}

// Seek goes to the first row that is not older than from, and returns its position.
// It asks for the rows at some places of the list: 15 calls for 30,000 rows.
func (t *Tape) Seek(ctx context.Context, from time.Time) (position int, err error) {
	t.from, t.before = from, nil
	if err := t.learn(ctx); err != nil || t.unsorted {
		t.pos = 0 // nothing can be skipped
		return 0, err
	}
	found, err := t.Find(ctx, from)
	t.pos = max(found-minOverlap, 0)
	return found, err
}

// Find returns the position of the first row that is not older than at, of a list
// that Seek has been called on.
func (t *Tape) Find(ctx context.Context, at time.Time) (position int, err error) {
	if t.unsorted {
		return t.count, nil
	}
	found := sort.Search(t.count, func(pos int) bool {
		if err != nil {
			return true
		}
		var rows []row
		if rows, _, err = t.read(ctx, pos, probeRows); err != nil {
			return true
		}
		for _, r := range rows {
			if !r.at.IsZero() {
				return !r.at.Before(at)
			}
		}
		return true // to begin too early is safe
	})
	return found, err
}

// Next reads the next page.
func (t *Tape) Next(ctx context.Context) (Stretch, error) {
	for range maxSteps {
		rows, start, err := t.read(ctx, t.pos, pageRows)
		if err != nil {
			return Stretch{}, err
		}
		if falls(rows) && !t.unsorted {
			// What was sought in a list that is not sorted may be anywhere.
			t.unsorted, t.pos, t.before = true, 0, nil
			continue
		}
		if t.joins(rows, start) {
			return t.take(rows, start), nil
		}
		t.pos = max(t.pos-pageRows+minOverlap, 0)
	}
	return Stretch{}, fmt.Errorf("poll: %w: %d steps back did not lead to what was read before", errMoving, maxSteps)
}

// joins reports whether no row can lie between what was read, or what was not asked
// for, and this page.
func (t *Tape) joins(rows []row, start int) bool {
	return start == 0 || len(rows) == 0 || slices.ContainsFunc(rows, func(r row) bool {
		if t.before == nil {
			return !r.at.IsZero() && r.at.Before(t.from)
		}
		return t.before[r.ident]
	})
}

// falls reports whether rows that should be oldest first are not.
func falls(rows []row) bool { o := orderOf(rows); return o == newestFirst || o == unordered }

// take hands a page out. Rows at its end that share one time are left to the next
// page, which may have more of them: only together they can be put in order.
func (t *Tape) take(rows []row, start int) Stretch {
	s := Stretch{Count: t.count, End: start+len(rows) >= t.count}
	keep := len(rows)
	t.pos = start + len(rows)
	if !s.End {
		// What is left must come again, behind a row that was handed out.
		back := tiesOf(rows) + minOverlap
		if back <= len(rows)/2 && !t.unsorted {
			keep -= back - minOverlap
		}
		t.pos -= min(back, len(rows)/2)
	}
	s.Position = t.pos
	known := t.before
	t.before = make(map[string]bool, len(rows))
	var fresh []row
	for i, r := range rows {
		if !t.unsorted {
			s.Reached = later(s.Reached, r.at)
		}
		t.before[r.ident] = known[r.ident] || i < keep
		if i < keep && !known[r.ident] {
			fresh = append(fresh, r)
		}
	}
	sortHistory(fresh)
	for _, r := range fresh {
		s.Rows = append(s.Rows, t.kind.historyRow(r))
	}
	return s
}

// tiesOf returns how many rows at the end share a time.
func tiesOf(rows []row) int {
	ties := 0
	for i := len(rows) - 1; i >= 0 && rows[i].at.Equal(rows[len(rows)-1].at); i-- {
		ties++
	}
	return ties
}

// sortHistory orders rows as a harvest does.
func sortHistory(rows []row) {
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(a.at.Compare(b.at), a.imported.Compare(b.imported), a.compareID(&b))
	})
}

// read returns up to limit rows from a position on, oldest first, and the position of
// the first of them. That is another one than pos where rows have come or gone since
// the list last told its length: Next sees it by the rows.
func (t *Tape) read(ctx context.Context, pos, limit int) (rows []row, start int, err error) {
	if t.oldFirst {
		rows, t.count, err = t.ask(ctx, pos, limit)
		return rows, pos, err
	}
	end := max(t.count-pos, 0)
	offset := max(end-limit, 0)
	rows, t.count, err = t.ask(ctx, offset, max(end-offset, 1))
	slices.Reverse(rows)
	return rows, max(t.count-offset-len(rows), 0), err
}

func (t *Tape) ask(ctx context.Context, offset, limit int) ([]row, int, error) {
	rows, count, err := t.fetch(ctx, offset, limit)
	if err == nil && count < offset+len(rows) {
		err = fmt.Errorf("poll: %w", errNoCount)
	}
	return rows, count, err
}

// learn finds the direction of the list.
func (t *Tape) learn(ctx context.Context) error {
	l := list{fetch: t.ask}
	err := l.learn(ctx)
	t.oldFirst, t.unsorted, t.count = l.order == oldestFirst, l.order == unordered, l.count
	return err
}
