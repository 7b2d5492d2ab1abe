package crash_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/crash"
)

// TestTheBookSeesEachFault spoils one thing at a time in a world where all is well.
func TestTheBookSeesEachFault(t *testing.T) {
	effects := []crash.Effect{{"e1", "c", "hello"}, {"e2", "c", "hello"}, {"e3", "c", "bye"}}
	done := func(resource string) crash.Final { return crash.Final{Succeeded: true, Resource: resource} }
	well := func(b *crash.Book) []crash.Effect {
		b.Event("v1", "m1", true)
		b.Event("v2", "m2", true)
		b.End("1", done("e1"))
		b.End("2", done("e2"))
		b.End("3", done("e3"))
		return effects
	}
	tests := map[string]struct {
		do   func(*crash.Book) []crash.Effect
		want crash.Tally
	}{
		"all is well": {well, crash.Tally{Events: 2}},
		"an event is lost": {func(b *crash.Book) []crash.Effect {
			b.End("1", done("e1"))
			b.End("2", done("e2"))
			b.End("3", done("e3"))
			b.Event("v1", "m1", true)
			return effects
		}, crash.Tally{Events: 1, Lost: 1}},
		"an event comes twice": {func(b *crash.Book) []crash.Effect {
			b.Event("v1", "m1", true)
			return well(b)
		}, crash.Tally{Events: 3, DoubledEvents: 1}},
		"events change places": {func(b *crash.Book) []crash.Effect {
			b.Event("v2", "m2", true)
			b.Event("v1", "m1", true)
			b.End("1", done("e1"))
			b.End("2", done("e2"))
			b.End("3", done("e3"))
			return effects
		}, crash.Tally{Events: 2, EventDisorder: 1}},
		"a message becomes a letter": {func(b *crash.Book) []crash.Effect {
			b.Letter()
			return well(b)
		}, crash.Tally{Events: 2, Letters: 1}},
		"a customer is answered twice": {func(b *crash.Book) []crash.Effect {
			return append(well(b), crash.Effect{"e4", "c", "bye"})
		}, crash.Tally{Events: 2, DoubledReply: 1}},
		"replies change places": {func(b *crash.Book) []crash.Effect {
			well(b)
			return []crash.Effect{effects[2], effects[0], effects[1]}
		}, crash.Tally{Events: 2, ReplyDisorder: 2}},
		"a success without a reply": {func(b *crash.Book) []crash.Effect {
			return well(b)[:2]
		}, crash.Tally{Events: 2, Unsent: 1}},
		"two successes share a reply": {func(b *crash.Book) []crash.Effect {
			b.Event("v1", "m1", true)
			b.Event("v2", "m2", true)
			b.End("1", done("e1"))
			b.End("2", done("e1"))
			b.End("3", done("e3"))
			return effects
		}, crash.Tally{Events: 2, Unsent: 1}},
		"two results": {func(b *crash.Book) []crash.Effect {
			b.End("1", done("e1"))
			return well(b)
		}, crash.Tally{Events: 2, TwoResults: 1}},
		"no result": {func(b *crash.Book) []crash.Effect {
			b.Event("v1", "m1", true)
			b.Event("v2", "m2", true)
			b.End("1", done("e1"))
			b.End("2", done("e2"))
			return effects
		}, crash.Tally{Events: 2, NoResult: 1}},
		"letters": {func(b *crash.Book) []crash.Effect {
			b.Event("v1", "m1", true)
			b.Event("v2", "m2", true)
			b.End("1", done("e1"))
			b.End("2", crash.Final{Reason: "ambiguous"})
			b.End("3", crash.Final{Reason: "retries_exhausted"})
			return effects[:1]
		}, crash.Tally{Events: 2, Ambiguous: 1, GivenUp: 1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := crash.NewBook()
			b.Tell("m1", "c", 1, true, false)
			b.Acknowledged("m1")
			b.Tell("m2", "c", 2, false, true)
			b.Tell("m3", "c", 3, true, false) // never acknowledged: it may be lost
			for _, c := range [][2]string{{"1", "hello"}, {"2", "hello"}, {"3", "bye"}} {
				b.Send(c[0], "c", c[1])
			}
			effects := test.do(b)
			got := b.Count(4, effects)
			want := test.want
			want.Webhooks, want.Polled, want.Commands, want.Calls, want.Effects = 1, 1, 3, 4, len(effects)
			require.Equal(t, want, got)
			require.Equal(t, name != "all is well", got.Bad())
		})
	}
}
