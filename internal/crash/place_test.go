package crash_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/crash"
)

// TestOrderIsCountedUnlessTheEarlierWaitsInAnotherSpool has the events of an earlier and a later message change places.
func TestOrderIsCountedUnlessTheEarlierWaitsInAnotherSpool(t *testing.T) {
	const earlier, later = "m1", "m2"
	for fact, test := range map[string]struct {
		take  func(*crash.Book)
		wrong int
	}{
		"both went into the inbox": {func(b *crash.Book) {
			b.Acknowledged(earlier)
			b.Acknowledged(later)
		}, 1},
		"one spool took both": {func(b *crash.Book) {
			b.Spooled("a", earlier)
			b.Spooled("a", later)
		}, 1},
		"one spool took both, something waited in the other": {func(b *crash.Book) {
			b.Spooled("a", earlier)
			b.MayOvertake("b", later)
			b.Spooled("a", later)
		}, 1},
		"the earlier waited in one spool, the later went to the other": {func(b *crash.Book) {
			b.Spooled("a", earlier)
			b.MayOvertake("a", later)
			b.Spooled("b", later)
		}, 0},
		"the earlier's spool was empty when the later was sent": {func(b *crash.Book) {
			b.Spooled("a", earlier)
			b.Acknowledged(later)
		}, 1},
		"the earlier was in the inbox, something else waited": {func(b *crash.Book) {
			b.Acknowledged(earlier)
			b.MayOvertake("a", later)
			b.Acknowledged(later)
		}, 1},
		"the earlier was taken a second time, into the inbox": {func(b *crash.Book) {
			b.Spooled("a", earlier)
			b.Acknowledged(earlier)
			b.MayOvertake("a", later)
			b.Acknowledged(later)
		}, 1},
		"the earlier was taken a second time, by the spool that took the later": {func(b *crash.Book) {
			b.Spooled("a", earlier)
			b.Spooled("b", earlier)
			b.MayOvertake("a", later)
			b.Spooled("b", later)
		}, 1},
		"they were of one webhook": {func(b *crash.Book) {
			b.MayOvertake("a", earlier, later)
			b.Spooled("a", earlier, later)
		}, 1},
	} {
		t.Run(fact, func(t *testing.T) {
			b := crash.NewBook()
			b.Tell(earlier, "c", 1, true, false)
			b.Tell(later, "c", 2, true, false)
			test.take(b)
			b.Event("v2", later, true)
			b.Event("v1", earlier, true)
			require.Equal(t, crash.Tally{Webhooks: 2, Events: 2, EventDisorder: test.wrong}, b.Count(0, nil))
		})
	}
}
