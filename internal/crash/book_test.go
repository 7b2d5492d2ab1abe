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

// TestWhatBecomesOfAMessageIsToldToItsEndAndOnce has events tell of a text that comes through three states.
func TestWhatBecomesOfAMessageIsToldToItsEndAndOnce(t *testing.T) {
	for fact, test := range map[string]struct {
		told []string
		want crash.Tally
	}{
		"each state is told":           {[]string{"queued", "sent", "delivered"}, crash.Tally{Changes: 3}},
		"some lay between two looks":   {[]string{"queued", "delivered"}, crash.Tally{Changes: 2}},
		"one says nothing":             {[]string{"received", "delivered"}, crash.Tally{Changes: 1}},
		"the end is missing":           {[]string{"queued", "sent"}, crash.Tally{Changes: 2, LostChanges: 1}},
		"nothing is told":              {nil, crash.Tally{LostChanges: 1}},
		"one is told again":            {[]string{"queued", "queued", "delivered"}, crash.Tally{Changes: 3, DoubledChanges: 1}},
		"the end is told again, later": {[]string{"delivered", "received", "delivered"}, crash.Tally{Changes: 2, DoubledChanges: 1}},
		"they change places":           {[]string{"queued", "delivered", "sent"}, crash.Tally{Changes: 3, EventDisorder: 1}},
	} {
		t.Run(fact, func(t *testing.T) {
			b := crash.NewBook()
			for _, state := range test.told[:len(test.told)/2] { // an event may be read before the way is known
				b.Told("m", state)
			}
			b.Comes("m", "queued", "sent")
			b.Comes("m", "queued", "sent", "delivered")
			for _, state := range test.told[len(test.told)/2:] {
				b.Told("m", state)
			}
			b.Told("other", "queued")
			open, _ := b.Open()
			require.Equal(t, test.want.LostChanges, open)
			require.Equal(t, test.want, b.Count(0, nil))
			require.Equal(t, test.want.LostChanges+test.want.DoubledChanges+test.want.EventDisorder > 0, test.want.Bad())
		})
	}
}

// TestTheNewestEventShowsWhatTheAPIShows compares two fields of a content.
func TestTheNewestEventShowsWhatTheAPIShows(t *testing.T) {
	row := map[string]crash.State{"m": {"body": "b", "title": ""}}
	for fact, test := range map[string]struct {
		events []crash.State
		want   []string
	}{
		"it shows both":                    {[]crash.State{{"body": "b"}}, nil},
		"it shows more":                    {[]crash.State{{"body": "b", "foreign_id": "f"}}, nil},
		"an earlier one did not":           {[]crash.State{{"body": "a"}, {"body": "b"}}, nil},
		"an earlier one did":               {[]crash.State{{"body": "b"}, {"body": "a"}}, []string{`m body: the event has "a", the API "b"`}},
		"it shows what has become of null": {[]crash.State{{"body": "b", "title": "t"}}, []string{`m title: the event has "t", the API ""`}},
		"it lacks a field":                 {[]crash.State{{}}, []string{`m body: the event has "", the API "b"`}},
		"there is none, which is lost":     {nil, nil},
	} {
		t.Run(fact, func(t *testing.T) {
			b := crash.NewBook()
			for _, state := range test.events {
				b.State("m", state)
				b.State("other", crash.State{"body": "x"})
			}
			require.Equal(t, test.want, b.Diverging(row))
		})
	}
	require.True(t, crash.Tally{Diverged: 1}.Bad())
}

func TestWhatLiesInAHoleMayComeLate(t *testing.T) {
	for fact, test := range map[string]struct {
		holes, webhook bool
		want           int
	}{
		"the poller's, where there are holes": {true, false, 0},
		"the poller's, where there are none":  {false, false, 1},
		"a webhook's, where there are holes":  {true, true, 1},
	} {
		t.Run(fact, func(t *testing.T) {
			b := crash.NewBook()
			b.Holes(test.holes)
			b.Tell("m1", "c", 1, test.webhook, true)
			b.Holes(false)
			b.Tell("m2", "c", 2, false, true)
			b.Event("v2", "m2", true)
			b.Event("v1", "m1", true)
			require.Equal(t, test.want, b.Count(0, nil).EventDisorder)
		})
	}
}

// TestAnUpdateShowsSomethingElse has events show a content, each all that is known of it.
func TestAnUpdateShowsSomethingElse(t *testing.T) {
	type shows struct {
		arrival, all string
		update       bool
	}
	for fact, test := range map[string]struct {
		events []shows
		idle   int
	}{
		"an update completes the first event":  {[]shows{{"1", "body", false}, {"2", "body, category", true}}, 0},
		"it goes back to what was":             {[]shows{{"1", "a", false}, {"2", "b", true}, {"3", "a", true}}, 0},
		"another kind of event shows the same": {[]shows{{"1", "a", false}, {"2", "a", false}}, 0},
		"two things changed in one arrival":    {[]shows{{"1", "a", false}, {"1", "a", true}}, 0},
		"an update shows the same":             {[]shows{{"1", "a", false}, {"2", "a", true}}, 1},
		"an update shows the update before it": {[]shows{{"1", "a", false}, {"2", "b", true}, {"3", "b", true}}, 1},
	} {
		t.Run(fact, func(t *testing.T) {
			b := crash.NewBook()
			for _, e := range test.events {
				b.Shows("m", e.arrival, e.all, e.update)
				b.Shows("other", "9", "x", false)
			}
			got := b.Count(0, nil)
			require.Equal(t, crash.Tally{Idle: test.idle}, got)
			require.Equal(t, test.idle > 0, got.Bad())
		})
	}
}

// TestAStateThatIsRetoldIsNoOther has an update show the state of the event before it, since
// something else changed.
func TestAStateThatIsRetoldIsNoOther(t *testing.T) {
	b := crash.NewBook()
	b.Comes("m", "draft", "text")
	b.Told("m", "draft")
	b.Retold("m", "draft")
	b.Retold("m", "text")
	b.Retold("m", "text")
	require.Equal(t, crash.Tally{Changes: 2}, b.Count(0, nil))
	b.Retold("m", "draft")
	require.Equal(t, 1, b.Count(0, nil).DoubledChanges, "it went back")
}

// TestAChangeIsCountedByWhatItDid has a command delete a message, which a second time purges it.
func TestAChangeIsCountedByWhatItDid(t *testing.T) {
	const what = "deleted 7"
	once := crash.Effect{ID: what, Conversation: "c", Body: what}
	for fact, test := range map[string]struct {
		effects []crash.Effect
		want    crash.Tally
	}{
		"it was deleted":       {[]crash.Effect{once}, crash.Tally{}},
		"it is still there":    {nil, crash.Tally{Unsent: 1}},
		"it was deleted twice": {[]crash.Effect{once, once}, crash.Tally{DoubledReply: 1}},
	} {
		t.Run(fact, func(t *testing.T) {
			b := crash.NewBook()
			b.SendChange("1", "c", what)
			b.End("1", crash.Final{Succeeded: true})
			want := test.want
			want.Commands, want.Effects = 1, len(test.effects)
			require.Equal(t, want, b.Count(0, test.effects))
		})
	}
}
