package poll_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// While pages are read rows come in, go away and share their times; none may be
// passed over.
func TestNothingIsMissedWhileTheListMoves(t *testing.T) {
	now := func() time.Time { return time.Now() }
	for fact, c := range map[string]struct {
		rows func(f *fakeSource) []string
		move func(f *fakeSource, n int) // before the nth call for contents
	}{
		"rows come in before each page": {
			move: func(f *fakeSource, n int) { f.arrive(40, now()) },
		},
		"a page of rows comes in before each page": {
			move: func(f *fakeSource, n int) {
				if n < 10 {
					f.arrive(150, now())
				}
			},
		},
		"four rows go away before each page": {
			move: func(f *fakeSource, n int) { f.remove(4) },
		},
		"more rows go away than pages overlap": {
			move: func(f *fakeSource, n int) {
				if n%2 == 0 {
					f.remove(60)
				}
			},
		},
		"more than a page goes away at once": {
			move: func(f *fakeSource, n int) {
				if n == 4 {
					f.remove(400)
				}
			},
		},
		"rows at the end are pulled up beyond it": {
			rows: func(f *fakeSource) []string { return f.stream(160, now(), time.Second) },
			move: func(f *fakeSource, n int) {
				if n == 3 {
					f.remove(150)
				}
			},
		},
		"all have one time": {
			rows: func(f *fakeSource) []string { return f.arrive(1000, now()) },
		},
		"all have one time, and their order changes with each call": {
			rows: func(f *fakeSource) []string { return f.arrive(290, now()) },
			move: func(f *fakeSource, n int) {
				f.mu.Lock()
				defer f.mu.Unlock()
				for i := range 20 { // ties around the border of the pages
					a, b := 140+i, 140+(i*7+n)%20
					f.contents[a], f.contents[b] = f.contents[b], f.contents[a]
				}
			},
		},
		"the list does not tell its count": {
			rows: func(f *fakeSource) []string { f.noCount = true; return f.stream(700, now(), time.Second) },
		},
	} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				rows := c.rows
				if rows == nil {
					rows = func(f *fakeSource) []string { return f.stream(900, now(), time.Second) }
				}
				expected := map[string]bool{}
				for _, id := range rows(b.source) {
					expected[id] = true
				}
				b.source.hook(func(_ context.Context, list string, n int) error {
					if list == "contents" && c.move != nil && n > 1 && n < 30 {
						c.move(b.source, n)
					}
					return nil
				})
				b.begin(t)
				time.Sleep(settle)
				// What was there at the beginning and is there still was read in one pass;
				// what went away before it could be read, nobody misses.
				for _, r := range b.source.all() {
					if expected[r.id] {
						require.Contains(t, b.inbox.ids("content"), r.id)
					}
				}
				time.Sleep(time.Minute)
				for _, r := range b.source.all() {
					require.Contains(t, b.inbox.ids("content"), r.id)
				}
			})
		})
	}
}

func TestAListThatShrinksForEverIsGivenUpAndTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.stream(9_000, time.Now(), 10*time.Millisecond)
		b.source.hook(func(_ context.Context, list string, n int) error {
			if list == "contents" && n > 30 && n < 52 {
				b.source.remove(300)
			}
			return nil
		})
		b.begin(t)
		time.Sleep(2 * time.Minute)
		require.GreaterOrEqual(t, b.metric(t, "rounds_total", "engage/contents", "moving"), 1.0)
		require.GreaterOrEqual(t, b.metric(t, "rounds_total", "engage/contents", "ok"), 1.0)
		ids := b.inbox.ids("content")
		known := map[string]bool{}
		for _, id := range ids {
			known[id] = true
		}
		for _, r := range b.source.all() {
			require.True(t, known[r.id])
		}
	})
}

func TestIdentitiesAreReadFromTheRightEnd(t *testing.T) {
	for fact, ascending := range map[string]bool{"newest first": false, "oldest first": true} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.source.ascending = ascending
				var ids []string
				add := func(n int) {
					b.source.mu.Lock()
					defer b.source.mu.Unlock()
					for range n {
						row := fakeRow{id: b.source.newID(time.Now()), at: time.Now().Add(time.Duration(len(ids)) * time.Millisecond).Truncate(time.Second)}
						b.source.identities = append(b.source.identities, row)
						ids = append(ids, row.id)
					}
				}
				old := fakeRow{id: "an old one", at: time.Now().Add(-time.Hour)}
				b.source.identities = append(b.source.identities, old)
				add(400)
				b.source.hook(func(_ context.Context, list string, n int) error {
					if list == "identities" && n > 2 && n < 6 {
						add(20) // while pages are read
					}
					return nil
				})
				b.begin(t)
				time.Sleep(settle + time.Minute)
				require.ElementsMatch(t, ids, b.inbox.ids("identity"))
				require.Equal(t, b.inbox.all()[0].Key, *b.inbox.all()[0].Arrival.ResourceID)

				time.Sleep(30 * time.Minute)
				calls := b.source.called("identities")
				time.Sleep(30 * time.Minute)
				require.LessOrEqual(t, b.source.called("identities")-calls, 65, "it does not read the whole list each time")
				require.Len(t, b.inbox.ids("identity"), len(ids))

				b.source.mu.Lock()
				for i := range b.source.identities {
					if b.source.identities[i].id == old.id {
						b.source.identities[i].text, b.source.identities[i].at = "renamed", time.Now().Truncate(time.Second)
					}
				}
				b.source.mu.Unlock()
				time.Sleep(time.Minute)
				require.Equal(t, []string{old.id}, b.inbox.ids("identity")[len(ids):])
			})
		})
	}
}
