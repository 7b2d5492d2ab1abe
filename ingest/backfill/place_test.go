package backfill_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest/backfill"
)

func TestWhereABackfillBegins(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	now := day(30)
	half := backfill.Place{From: day(1), Reached: day(10), Until: day(20)}
	done := backfill.Place{From: day(1), Reached: day(20), Until: day(20)}
	for fact, test := range map[string]struct {
		kept           *backfill.Place
		asked          backfill.Span
		reached, until time.Time
	}{
		"nothing kept: at --since, up to now":                   {nil, backfill.Span{From: day(3)}, day(3), now},
		"nothing kept: at --since, up to --until":               {nil, backfill.Span{From: day(3), Until: day(5)}, day(3), day(5)},
		"half-way, the same again: on, to the same end":         {&half, backfill.Span{From: day(1)}, day(10), day(20)},
		"half-way, a later bound: on":                           {&half, backfill.Span{From: day(2)}, day(10), day(20)},
		"half-way, a later end: on, to the later end":           {&half, backfill.Span{From: day(1), Until: day(25)}, day(10), day(25)},
		"half-way, an earlier end: all is there":                {&half, backfill.Span{From: day(1), Until: day(5)}, day(10), day(5)},
		"half-way, an earlier bound: what is before is not":     {&half, backfill.Span{From: day(1).Add(-time.Second)}, day(1).Add(-time.Second), now},
		"half-way, a bound behind it: between would be a gap":   {&half, backfill.Span{From: day(11)}, day(11), now},
		"done, the same again: what came in since":              {&done, backfill.Span{From: day(1)}, day(20), now},
		"done, with an end: nothing":                            {&done, backfill.Span{From: day(1), Until: day(20)}, day(20), day(20)},
		"done, a bound that is later than its end: a new start": {&done, backfill.Span{From: day(21)}, day(21), now},
	} {
		t.Run(fact, func(t *testing.T) {
			got := backfill.Begin(test.kept, test.asked, now)
			require.Equal(t, test.reached, got.Reached)
			require.Equal(t, test.until, got.Until)
		})
	}
}
