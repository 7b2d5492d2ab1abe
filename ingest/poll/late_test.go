package poll_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest"
)

func TestALateImportIsFoundAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.stream(3000, time.Now(), 5*time.Minute) // ten days of history
		time.Sleep(time.Hour)
		b.begin(t)
		time.Sleep(5 * time.Minute)
		late := b.source.arrive(20, time.Now().Add(-72*time.Hour))
		b.source.arrive(5, time.Now()) // and what comes in order does not hide it
		time.Sleep(time.Minute)
		require.Subset(t, b.inbox.ids("content"), late)
		require.InDelta(t, 1, b.metric(t, "sweeps_total", "engage/contents", "census"), 0)
		require.InDelta(t, 20, b.metric(t, "late_rows_total", "engage/contents"), 0)

		later := b.source.arrive(1, time.Now().Add(-72*time.Hour))
		time.Sleep(time.Minute)
		require.Subset(t, b.inbox.ids("content"), later)
		time.Sleep(30 * time.Minute)
		require.InDelta(t, 2, b.metric(t, "sweeps_total", "engage/contents", "census"), 0)
		require.Len(t, b.inbox.ids("content"), 26, "each once, and of the history none")
	})
}

func TestALateImportIsFoundByTheNextSweepWhereTheCountHidesIt(t *testing.T) {
	for fact, hide := range map[string]func(b *bench){
		"there is no count":                  func(b *bench) { b.source.change(func() { b.source.noCount = true }) },
		"as many rows are deleted":           func(b *bench) { b.source.remove(7) },
		"it comes while nobody polls, after": func(b *bench) {},
	} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.source.stream(1000, time.Now(), 10*time.Minute)
				stop := b.begin(t)
				time.Sleep(5 * time.Minute)
				if fact == "it comes while nobody polls, after" {
					stop()
					b.source.noCount = true
				}
				hide(b)
				late := b.source.arrive(7, time.Now().Add(-72*time.Hour))
				if fact == "it comes while nobody polls, after" {
					time.Sleep(50 * time.Hour)
					b.begin(t)
					time.Sleep(settle)
				}
				time.Sleep(61 * time.Minute)
				require.Subset(t, b.inbox.ids("content"), late)
			})
		})
	}
}

func TestARestartDoesNotForgetTheCount(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.stream(1000, time.Now(), 10*time.Minute)
		stop := b.begin(t)
		time.Sleep(5 * time.Minute)
		stop()
		late := b.source.arrive(3, time.Now().Add(-72*time.Hour))
		b.source.arrive(2, time.Now())
		time.Sleep(time.Minute)
		b.begin(t)
		time.Sleep(time.Minute)
		require.Subset(t, b.inbox.ids("content"), late)
	})
}

func TestADeathInASweepLeavesItOwed(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.stream(1000, time.Now(), 10*time.Minute)
		time.Sleep(time.Hour) // history
		b.begin(t)
		time.Sleep(5 * time.Minute)
		late := b.source.arrive(3, time.Now().Add(-72*time.Hour))
		b.inbox.hook(func(ctx context.Context, _ []ingest.Item) error {
			b.die() // while the sweep writes what it found
			<-ctx.Done()
			return ctx.Err()
		})
		time.Sleep(time.Minute)
		b.inbox.hook(nil)
		require.Empty(t, b.inbox.ids("content"))
		b.begin(t)
		time.Sleep(settle)
		require.ElementsMatch(t, late, b.inbox.ids("content"))
	})
}

func TestSweepsDoNotStarveTheAPI(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.stream(300, time.Now(), 30*time.Minute)
		b.begin(t)
		time.Sleep(settle)
		// A source with old contents is opened to the token, bit by bit: the count
		// grows by rows that no sweep reads back to.
		for range 5 * 60 {
			b.source.arrive(2, time.Now().Add(-1000*time.Hour))
			time.Sleep(time.Minute)
		}
		sweeps := b.metric(t, "sweeps_total", "engage/contents", "census") + b.metric(t, "sweeps_total", "engage/contents", "schedule")
		require.LessOrEqual(t, sweeps, 16.0)
		require.GreaterOrEqual(t, sweeps, 4.0)
	})
}

func TestADateInTheFutureHidesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.noCount = true // it would tell
		b.begin(t)
		time.Sleep(settle)
		b.source.arrive(1, time.Now().Add(10*time.Hour))
		time.Sleep(time.Minute)
		ids := b.source.stream(500, time.Now(), 10*time.Millisecond)
		time.Sleep(time.Minute)
		require.Subset(t, b.inbox.ids("content"), ids)
	})
}

func TestOrdinaryTrafficCausesNoSweep(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.stream(300, time.Now(), 10*time.Minute)
		b.begin(t)
		for n := range 300 {
			b.source.arrive(n%4, time.Now())
			if n%10 == 0 {
				b.source.remove(1)
			}
			time.Sleep(11 * time.Second)
		}
		require.InDelta(t, 0, b.metric(t, "sweeps_total", "engage/contents", "census"), 0)
	})
}

func TestAClockThatIsWrongHidesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.noCount, b.source.skew = true, -40*time.Minute // ours is ahead
		b.begin(t)
		time.Sleep(140 * time.Minute) // and no sweep is due
		b.source.stream(200, time.Now().Add(b.source.skew), time.Second)
		time.Sleep(time.Hour)
		ids := b.source.stream(500, time.Now().Add(b.source.skew), 10*time.Millisecond)
		time.Sleep(time.Minute)
		require.Subset(t, b.inbox.ids("content"), ids)
	})
}
