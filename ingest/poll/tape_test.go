package poll_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// Whatever comes in and goes away between two calls, and whichever way the list is
// sorted: a row that is there all the time, and young enough, is read.
func TestATapePassesOverNothing(t *testing.T) {
	for seed := range uint64(24) {
		random := rand.New(rand.NewPCG(seed, 2))
		l := &movingList{
			random: random, ascending: seed%2 == 0, spread: []int{0, 10, 300, 5000}[seed/2%4],
			gone: map[string]bool{}, moves: 30,
		}
		for range 300 + random.IntN(900) {
			l.insert(random.IntN(l.spread + 1))
		}
		there := map[string]time.Time{}
		for _, r := range l.rows {
			there[r.id] = r.at
		}
		from := l.rows[random.IntN(len(l.rows))].at
		ids, err := poll.Play(t.Context(), from, l.page)
		if err != nil {
			l.moves = 0 // it is known to have failed, and is done again
			ids, err = poll.Play(t.Context(), from, l.page)
		}
		require.NoError(t, err, "seed %d", seed)
		read := map[string]bool{}
		for _, id := range ids {
			read[id] = true
		}
		for id, at := range there {
			if !l.gone[id] && !at.Before(from) {
				require.True(t, read[id], "seed %d: row %s of %d", seed, id, len(there))
			}
		}
	}
}

// Rows of one second are put in order together, though a page ends among them.
func TestATapeIsInOrderAndTellsEachRowOnce(t *testing.T) {
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for fact, perSecond := range map[string]int{"one a second": 1, "seven a second": 7, "sixty a second": 60} {
		t.Run(fact, func(t *testing.T) {
			source := &fakeSource{}
			var want []string
			for n := range 1000 {
				at := begin.Add(time.Duration(n/perSecond) * time.Second)
				id := source.newID(at)
				source.contents = append(source.contents, fakeRow{id: id, thread: "t", at: at})
				want = append(want, id)
			}
			rand.New(rand.NewPCG(1, 1)).Shuffle(len(source.contents), func(a, b int) {
				source.contents[a], source.contents[b] = source.contents[b], source.contents[a]
			})
			tape, err := poll.NewTape(poll.EngageStreams()[0], source)
			require.NoError(t, err)
			first, err := tape.Seek(t.Context(), begin.Add(time.Second))
			require.NoError(t, err)
			require.Equal(t, perSecond, first)
			var got []string
			for {
				s, err := tape.Next(t.Context())
				require.NoError(t, err)
				for _, r := range s.Rows {
					if !r.At.Before(begin.Add(time.Second)) {
						got = append(got, *r.Item.Arrival.ResourceID)
					}
				}
				if s.End {
					require.Equal(t, 1000, s.Count)
					break
				}
				require.Less(t, len(source.calls), 40)
			}
			require.Equal(t, want[perSecond:], got)
		})
	}
}

// A list that the API sorts by something else is read whole, from its beginning.
func TestATapeOfAListWithoutOrderReadsAllOfIt(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var rows []fakeRow
	for n := range 700 {
		rows = append(rows, fakeRow{id: fmt.Sprint(n), at: begin.Add(time.Duration(random.IntN(5000)) * time.Second)})
	}
	ids, err := poll.Play(t.Context(), begin.Add(2*time.Second), func(offset, limit int) ringcentral.Page {
		p := ringcentral.Page{Count: len(rows)}
		for _, r := range rows[min(offset, len(rows)):min(offset+limit, len(rows))] {
			p.Records = append(p.Records, r.json())
		}
		return p
	})
	require.NoError(t, err)
	require.Len(t, ids, len(rows))
}

// History is read to both ends, whatever the API says of the list's length, and around rows that
// it does not give.
func TestATapeNeedsNoCount(t *testing.T) {
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for fact, c := range map[string]struct {
		clamp  int
		count  func(total, offset, rows int) int
		refuse func(list string, offset, limit int) error
		first  int // of the rows that are read; the older ones can't be
		holes  int
	}{
		"no count":                {0, func(int, int, int) int { return 0 }, nil, 0, 0},
		"the count of the page":   {30, func(_, _, rows int) int { return rows }, nil, 0, 0},
		"a count too small":       {0, func(int, int, int) int { return 100 }, nil, 0, 0},
		"a count too large":       {0, func(int, int, int) int { return 9999 }, nil, 0, 0},
		"a row that is not given": {0, nil, poison(500, 400), 0, 1},
		"a window of offsets": {0, nil, func(_ string, offset, limit int) error {
			if offset+limit > 600 {
				return answer(400, 0)
			}
			return nil
		}, 400, 400},
	} {
		t.Run(fact, func(t *testing.T) {
			source := &fakeSource{clamp: c.clamp, count: c.count, refuse: c.refuse}
			var want []string
			for n := range 1000 {
				at := begin.Add(time.Duration(n) * time.Second)
				id := source.newID(at)
				source.contents = append(source.contents, fakeRow{id: id, thread: "t", at: at})
				want = append(want, id)
			}
			tape, err := poll.NewTape(poll.EngageStreams()[0], source)
			require.NoError(t, err)
			_, err = tape.Seek(t.Context(), begin)
			require.NoError(t, err)
			var got []string
			holes := 0
			for end := false; !end; {
				s, err := tape.Next(t.Context())
				require.NoError(t, err)
				for _, r := range s.Rows {
					got = append(got, *r.Item.Arrival.ResourceID)
				}
				holes, end = holes+s.Holes, s.End
			}
			require.GreaterOrEqual(t, holes, c.holes)
			if c.holes == 1 {
				want = append(want[:599:599], want[600:]...)
			}
			require.Equal(t, want[c.first:], got)
		})
	}
}
