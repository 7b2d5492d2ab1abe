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

// A Tape reads a list from an old row on, oldest first, while the list changes:
// history in the order in which it happened. Positions are counted from the oldest
// row, so that what comes in at the new end moves nothing.
//
// Rows that come in among the old ones push others on: they are read twice, which is
// harmless. Rows that go away pull others back, past the tape: so, as in a walk, each
// page has to contain a row of the page before it.
//
// How many rows the list has is found out, as what the API says of it may be missing or wrong.
// Where it is right it is followed from then on, while the list grows. It is used by one
// goroutine.
type Tape struct {
	kind   kind
	reader *pageReader
	seed   hashSeed

	oldFirst bool // the API's own direction
	unsorted bool // the API sorts by something else than what was asked for
	count    int  // rows of the list
	counted  bool // the API says how many they are
	pos      int  // where the next page begins
	from     time.Time
	before   map[string]bool // the page before; true = handed out
	skipped  bool            // what lies before the next page could not be read
	fault    error           // the last that made rows unreadable
}

// A Stretch is what one step of a Tape has read.
type Stretch struct {
	Rows     []HistoryRow // oldest first
	Reached  time.Time    // all rows before it were handed out; zero = that cannot be told
	Position int          // of the row to come, counted from the oldest
	Count    int          // rows of the whole list
	Holes    int          // rows that the API does not give
	Err      error        // why, if there are any
	End      bool         // no rows come after
}

// NewTape returns a tape of one of EngageStreams. The source makes as many tries
// as it sees fit: a tape makes none of its own.
func NewTape(stream string, source Source) (*Tape, error) {
	for _, k := range kinds() {
		if k.stream == stream {
			t := newTape(k)
			t.reader.fetch = func(ctx context.Context, offset, limit int) ([]row, int, error) {
				asked := time.Now()
				p, err := k.fetch(ctx, source, offset, limit)
				rows := make([]row, len(p.Records))
				for i, raw := range p.Records {
					rows[i] = readRow(raw, asked, t.seed, k.at)
					rows[i].read = asked // at the latest: an answer that comes late may be old
				}
				return rows, p.Count, err
			}
			return t, nil
		}
	}
	return nil, fmt.Errorf("poll: no stream %q", stream)
}

func newTape(k kind) *Tape {
	t := &Tape{kind: k, seed: maphash.MakeSeed(), reader: &pageReader{patient: true}}
	t.reader.fault = func(err error) { t.fault = err }
	return t
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
		rows, _, err = t.read(ctx, pos, probeRows)
		if errors.Is(err, errUnread) {
			rows, err = nil, nil
		}
		if err != nil {
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
		if errors.Is(err, errUnread) {
			return t.skip(ctx, err)
		}
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

// skip goes on where the list can be read again.
func (t *Tape) skip(ctx context.Context, cause error) (Stretch, error) {
	readable := func(pos int) bool {
		if !t.oldFirst {
			pos = t.count - 1 - pos
		}
		_, _, err := t.reader.once(ctx, pos, 1)
		return err == nil
	}
	low, step := t.pos, pageRows // low can't be read
	high := low + step
	for ; high < t.count && !readable(high); high = low + step {
		low, step = high, 2*step
	}
	high = min(high, t.count)
	high = low + 1 + sort.Search(high-low-1, func(n int) bool { return readable(low + 1 + n) })
	if ctx.Err() != nil {
		return Stretch{}, context.Cause(ctx)
	}
	s := Stretch{Position: high, Count: t.count, Holes: high - t.pos, Err: cause, End: high >= t.count}
	t.pos, t.before, t.skipped = high, nil, true
	return s, nil
}

// joins reports whether no row can lie between what was read, or what was not asked
// for, and this page.
func (t *Tape) joins(rows []row, start int) bool {
	return start == 0 || len(rows) == 0 || t.skipped || slices.ContainsFunc(rows, func(r row) bool {
		if t.before == nil {
			return !r.at.IsZero() && r.at.Before(t.from)
		}
		return t.before[r.ident] || r.hole
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
	s.Position, t.skipped = t.pos, false
	known := t.before
	t.before = make(map[string]bool, len(rows))
	var fresh []row
	for i, r := range rows {
		if !t.unsorted {
			s.Reached = later(s.Reached, r.at)
		}
		if r.hole && i < keep {
			s.Holes, s.Err = s.Holes+1, t.fault
		}
		t.before[r.ident] = known[r.ident] || i < keep
		if i < keep && !known[r.ident] && !r.hole && !r.empty {
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
	if !t.oldFirst && !t.counted && pos == 0 {
		// What has come since has pushed the oldest rows on.
		if t.count, _, err = t.reader.length(ctx, t.count); err != nil {
			return nil, 0, err
		}
	}
	from, to := pos, pos+limit
	if !t.oldFirst {
		to = max(t.count-pos, 0)
		from = max(to-limit, 0)
	}
	rows, said, err := t.reader.span(ctx, from, max(to, from+1), t.counted)
	if err != nil {
		return nil, 0, err
	}
	t.counted = t.counted && (said >= from+len(rows) || len(rows) == 0)
	if t.counted && len(rows) > 0 {
		t.count = said
	}
	if t.oldFirst {
		if from+len(rows) > t.count || len(rows) < limit {
			t.count = from + len(rows) // behind it there is nothing
		}
		return rows, pos, nil
	}
	if !t.counted && from+len(rows) < to {
		t.count = from + len(rows)
	}
	slices.Reverse(rows)
	return rows, max(t.count-from-len(rows), 0), nil
}

// learn finds the direction of the list, and its length.
func (t *Tape) learn(ctx context.Context) error {
	l := list{reader: t.reader}
	if err := l.learn(ctx); err != nil {
		return err
	}
	count, said, err := t.reader.length(ctx, l.end)
	t.oldFirst, t.unsorted, t.count, t.counted = l.order == oldestFirst, l.order == unordered, count, count == said
	return err
}
