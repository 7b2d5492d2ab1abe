package poll_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// movingList is a list that anything may happen to between two calls.
type movingList struct {
	random    *rand.Rand
	ascending bool
	spread    int // seconds over which its rows are dated
	rows      []fakeRow
	made      int
	gone      map[string]bool
	moves     int // that are left
}

func (l *movingList) insert(age int) {
	l.made++
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(-time.Duration(age) * time.Second)
	l.rows = append(l.rows, fakeRow{id: fmt.Sprint(l.made), at: at})
}

func (l *movingList) move() {
	for range l.random.IntN(60) {
		l.insert(l.random.IntN(l.spread+100) - 100)
	}
	for range l.random.IntN(60) {
		if len(l.rows) > 0 {
			i := l.random.IntN(len(l.rows))
			if l.random.IntN(2) == 0 {
				i = l.random.IntN(min(len(l.rows), 50)) // often where many come from
			}
			l.gone[l.rows[i].id] = true
			l.rows = slices.Delete(l.rows, i, i+1)
		}
	}
}

func (l *movingList) page(offset, limit int) ringcentral.Page {
	if l.moves--; l.moves > 0 {
		l.move()
	}
	slices.SortStableFunc(l.rows, func(a, b fakeRow) int { return b.at.Compare(a.at) })
	sorted := slices.Clone(l.rows)
	if l.ascending {
		slices.Reverse(sorted)
	}
	p := ringcentral.Page{Count: len(sorted), Records: []json.RawMessage{}}
	for _, r := range sorted[min(offset, len(sorted)):min(offset+limit, len(sorted))] {
		p.Records = append(p.Records, r.json())
	}
	return p
}

// Whatever comes in and goes away between two calls, and whichever way the list is
// sorted: a row that is there all the time is read.
func TestAWalkPassesOverNothing(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		l := &movingList{
			random: random, ascending: seed%2 == 0, spread: []int{0, 10, 300, 5000}[seed/2%4],
			gone: map[string]bool{}, moves: 30,
		}
		for range random.IntN(900) {
			l.insert(random.IntN(l.spread + 1))
		}
		there := l.made
		ids, err := poll.Walk(t.Context(), l.page)
		if err != nil {
			l.moves = 0 // it is known to have failed, and is done again
			ids, err = poll.Walk(t.Context(), l.page)
		}
		require.NoError(t, err, "seed %d", seed)
		read := map[string]bool{}
		for _, id := range ids {
			read[id] = true
		}
		for n := 1; n <= there; n++ {
			if id := fmt.Sprint(n); !l.gone[id] {
				require.True(t, read[id], "seed %d: row %s of %d", seed, id, there)
			}
		}
	}
}
