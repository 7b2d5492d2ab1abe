package publish_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// A step is an arrival about content c1, written short.
type step struct {
	event  string // the webhook's type; "" = a polled row
	id     string // of the webhook's event
	second float64
	fields string // JSON members
}

func (s step) arrival() schemas.Arrival {
	at := epoch.Add(time.Duration(s.second * float64(time.Second))).Format(time.RFC3339Nano)
	fields := strings.TrimPrefix(s.fields, ",")
	if s.event == "" {
		if fields != "" {
			fields = "," + fields
		}
		return row("content", `{"id":"c1","thread_id":"t1","created_at":"2026-02-28T00:00:00Z","updated_at":"`+at+`"`+fields+`}`)
	}
	return webhook(fmt.Sprintf(`{"type":"content.%s","id":%q,"issued_at":%q,"resource":{"type":"a/b","id":"c1","metadata":{%s}}}`, s.event, s.id, at, fields))
}

// epoch is before anything was received, so that no step happens in the future.
var epoch = received.Add(-time.Minute)

// arrivalsOf returns the steps as they come in, a millisecond after each other.
func arrivalsOf(steps []step) []schemas.Arrival {
	out := make([]schemas.Arrival, len(steps))
	for i, s := range steps {
		out[i] = s.arrival()
		out[i].ReceivedAt = received.Add(time.Duration(i) * time.Millisecond)
	}
	return out
}

// shorts names what a state publishes for the steps.
func shorts(t *testing.T, state publish.State, steps []step) []string {
	t.Helper()
	out := []string{}
	for _, a := range arrivalsOf(steps) {
		value, err := state.Take(a)
		require.NoError(t, err)
		if event, ok := value.(*schemas.ContentEvent); ok {
			out = append(out, strings.TrimPrefix(event.EventType, "content."))
		}
	}
	return out
}

func TestWhatIsPublishedOfAContent(t *testing.T) {
	const hi, ho = `"body":"hi"`, `"body":"ho"`
	for fact, c := range map[string]struct {
		steps []step
		want  []string
	}{
		"a webhook again is a repetition":                    {[]step{{"imported", "1", 0, hi}, {"imported", "1", 0, hi}}, []string{"imported"}},
		"another webhook of the same import is a repetition": {[]step{{"imported", "1", 0, hi}, {"imported", "2", 5, hi}}, []string{"imported"}},
		"a second import with another body is an update":     {[]step{{"imported", "1", 0, hi}, {"imported", "2", 5, ho}}, []string{"imported", "updated"}},
		"also when it was issued at the same time":           {[]step{{"imported", "1", 0, hi}, {"imported", "2", 0, ho}}, []string{"imported", "updated"}},
		"and both again are nothing":                         {[]step{{"imported", "1", 0, hi}, {"imported", "2", 0, ho}, {"imported", "1", 0, hi}, {"imported", "2", 0, ho}}, []string{"imported", "updated"}},
		"a state reached again in its second is an update": {
			[]step{{"", "", 0, hi}, {"", "", 0, ho}, {"", "", 0, hi}, {"", "", 0, ho}},
			[]string{"imported", "updated", "updated", "updated"},
		},
		"a row that changed just before its webhook was issued is news": {
			[]step{{"imported", "1", 2, hi + `,"status":"new"`}, {"", "", 0, `"body":"hi, edited","status":"assigned"`}},
			[]string{"imported", "updated"},
		},
		"a webhook issued in the future freezes nothing": {
			[]step{{"imported", "1", 4e8, hi + `,"status":"new"`}, {"", "", 58, `"body":"hi, edited","status":"assigned"`}, {"", "", 58, `"body":"hi, edited","status":"replied"`}},
			[]string{"imported", "updated", "updated"},
		},
		"and changes nothing that a row has shown": {
			[]step{{"", "", 0, hi}, {"imported", "1", 4e8, ho}}, []string{"imported"},
		},
		"nor does a row that changed in the future": {
			[]step{{"", "", 4e8, hi}, {"", "", 58, ho}, {"", "", 59, hi}},
			[]string{"imported", "updated", "updated"},
		},
		"one that changed long before it completes it only": {
			[]step{{"imported", "1", 20, hi + `,"status":"new"`}, {"", "", 0, ho}, {"", "", 0, ho}},
			[]string{"imported", "updated"},
		},
		"an older import with another body is a repetition":  {[]step{{"imported", "2", 5, ho}, {"imported", "1", 0, hi}}, []string{"imported"}},
		"a row completes what its webhook left out":          {[]step{{"imported", "1", 0.7, hi}, {"", "", 0, hi}}, []string{"imported", "updated"}},
		"a webhook after the poll is a repetition":           {[]step{{"", "", 0, hi}, {"imported", "1", 0.7, hi}}, []string{"imported"}},
		"a changed row is an update":                         {[]step{{"", "", 0, hi}, {"", "", 5, ho}}, []string{"imported", "updated"}},
		"a row changed in its webhook's second is an update": {[]step{{"imported", "1", 0.7, hi}, {"", "", 0, ho}}, []string{"imported", "updated"}},
		"an older row is a repetition":                       {[]step{{"", "", 5, ho}, {"", "", 0, hi}}, []string{"imported"}},
		"two updates, each once":                             {[]step{{"", "", 0, hi}, {"", "", 5, ho}, {"", "", 9, hi}, {"", "", 5, ho}, {"", "", 9, hi}}, []string{"imported", "updated", "updated"}},
		"a later row is an update by its time alone":         {[]step{{"", "", 0, hi}, {"", "", 5, hi}}, []string{"imported", "updated"}},
		"what was unknown is one update":                     {[]step{{"imported", "1", 0, hi}, {"", "", 5, hi + `,"published":true,"attachments":[{"id":"1"}]`}}, []string{"imported", "updated"}},
		"and a change after that another":                    {[]step{{"imported", "1", 0, hi}, {"", "", 5, hi + `,"published":true`}, {"", "", 6, hi + `,"published":false`}}, []string{"imported", "updated", "updated"}},
		"null in a row is a value":                           {[]step{{"", "", 0, `"intervention_id":"i"`}, {"", "", 0, `"intervention_id":null`}}, []string{"imported", "updated"}},
		"absent in a row is null":                            {[]step{{"", "", 0, `"intervention_id":"i"`}, {"", "", 0, ``}}, []string{"imported", "updated"}},
		"null in a webhook is not shown":                     {[]step{{"", "", 0, `"intervention_id":"i"`}, {"imported", "1", 5, `"intervention_id":null`}}, []string{"imported"}},
		"absent in a webhook is not shown":                   {[]step{{"", "", 0, hi + `,"category_ids":["a"]`}, {"imported", "1", 5, hi}}, []string{"imported"}},
		"the order of categories is no change":               {[]step{{"", "", 0, `"category_ids":["a","b"]`}, {"", "", 0, `"category_ids":["b","a"]`}}, []string{"imported"}},
		"the webhook's private is the row's private_message": {[]step{{"imported", "1", 0, `"private":true`}, {"", "", 5, `"private_message":false`}}, []string{"imported", "updated"}},
		"a changed title is an update":                       {[]step{{"", "", 0, `"title":"a"`}, {"", "", 5, `"title":"b"`}}, []string{"imported", "updated"}},
		"an exported event is published":                     {[]step{{"replied", "1", 0, hi}, {"exported", "2", 1, hi + `,"synchronization_status":"success"`}}, []string{"replied", "exported"}},
		"once for each of its ids":                           {[]step{{"exported", "1", 0, hi}, {"exported", "1", 0, hi}, {"exported", "2", 0, hi}}, []string{"exported", "exported"}},
		"and the row with what it showed completes the times": {
			[]step{
				{"replied", "1", 0, `"status":"user_reply"`},
				{"exported", "2", 1, `"synchronization_status":"success"`},
				{"", "", 1, `"status":"user_reply","synchronization_status":"success"`},
			},
			[]string{"replied", "exported", "updated"},
		},
		"a first sight follows an export":                       {[]step{{"exported", "1", 0, hi}, {"", "", 5, hi + `,"status":"user_reply"`}, {"replied", "2", 0, hi}}, []string{"exported", "replied"}},
		"an approval happens once":                              {[]step{{"replied", "1", 0, hi}, {"approved", "2", 5, hi}, {"approved", "3", 6, hi}}, []string{"replied", "approved"}},
		"the first webhook of a type is published however late": {[]step{{"", "", 9, hi + `,"status":"new"`}, {"approved", "1", 0, ho}, {"", "", 9, hi + `,"status":"new"`}}, []string{"imported", "approved"}},
	} {
		t.Run(fact, func(t *testing.T) {
			state := publish.NewState()
			require.Equal(t, c.want, shorts(t, state, c.steps))
			require.Empty(t, shorts(t, state, c.steps), "a replay publishes nothing")
		})
	}
}

func TestFirstSightOfARow(t *testing.T) {
	for fields, want := range map[string]string{
		`"status":"new"`: "imported", `"status":"assigned"`: "imported", `"status":"replied"`: "imported", `"status":"ignored"`: "imported",
		`"status":"forwarded"`: "imported", `"status":"user_reply"`: "replied", `"status":"user_initiated"`: "discussion_initiated",
		`"status":"pending_approval","creator_id":"u","created_from":"api","in_reply_to_id":"c0"`: "replied",
		`"status":"draft","creator_id":"u","created_from":"interface"`:                            "discussion_initiated",
		`"status":"draft","creator_id":"u","created_from":"synchronizer"`:                         "imported",
		`"created_from":"api"`: "imported",
	} {
		value, err := publish.NewState().Take(step{fields: fields}.arrival())
		require.NoError(t, err)
		event := value.(*schemas.ContentEvent)
		require.Equal(t, "content."+want, event.EventType, fields)
		require.Equal(t, publish.EventID("acme", schemas.ApiEngage, "c1", event.EventType, ""), event.EventID, "the same id as from the webhook")
		require.Equal(t, "2026-02-28T00:00:00Z", event.OccurredAt.Format(time.RFC3339), "a first sight occurred when it was created")
	}
}

func TestAnUpdateOccurredWhenTheRowChanged(t *testing.T) {
	state := publish.NewState()
	shorts(t, state, []step{{second: 0, fields: `"body":"hi"`}})
	value, err := state.Take(step{second: 5, fields: `"body":"ho"`}.arrival())
	require.NoError(t, err)
	require.Equal(t, epoch.Add(5*time.Second), value.(*schemas.ContentEvent).OccurredAt)
}

func TestTheSameEventIDUnderAnotherTypeIsAnotherEvent(t *testing.T) {
	state, ids := publish.NewState(), map[string]bool{}
	for _, eventType := range []string{"task.created", "task.completed", "task.created"} {
		value, err := state.Take(webhook(`{"type":"` + eventType + `","id":"e1","resource":{"type":"task","id":"1"}}`))
		require.NoError(t, err)
		if value != nil {
			ids[value.(*schemas.ActivityEvent).EventID] = true
		}
	}
	require.Len(t, ids, 2)
}

func TestWithoutAnIDTheBytesTellEventsApart(t *testing.T) {
	state, published := publish.NewState(), 0
	for _, rest := range []string{`"n":1`, `"n":2`, `"n":1`} {
		value, err := state.Take(webhook(`{"type":"task.created","resource":{"type":"task","id":"1"},` + rest + `}`))
		require.NoError(t, err)
		if value != nil {
			published++
		}
	}
	require.Equal(t, 2, published)
}

func TestIdentitiesArePublishedWhenChanged(t *testing.T) {
	state := publish.NewState()
	take := func(name, updated string, read int) bool {
		a := row("identity", `{"id":"i1","display_name":"`+name+`","updated_at":"`+updated+`"}`)
		a.ReceivedAt = received.Add(time.Duration(read) * time.Second)
		value, err := state.Take(a)
		require.NoError(t, err)
		return value != nil
	}
	require.True(t, take("a", "2026-01-01T00:00:05Z", 1))
	require.False(t, take("a", "2026-01-01T00:00:05Z", 2), "equal")
	require.False(t, take("old", "2026-01-01T00:00:04Z", 3), "older")
	require.True(t, take("b", "2026-01-01T00:00:05Z", 4), "changed in the same second")
	require.False(t, take("a", "2026-01-01T00:00:05Z", 1), "replayed")
	require.True(t, take("a", "2026-01-01T00:00:05Z", 5), "and back")
	require.True(t, take("c", "2026-01-01T00:00:09Z", 6), "newer")
	require.True(t, take("d", "2038-01-01T00:00:09Z", 7), "a time that cannot be true")
	require.True(t, take("e", "2026-01-01T00:00:10Z", 8), "freezes nothing")
}

func TestARepetitionWritesNothing(t *testing.T) {
	state := publish.NewState()
	arrival := step{event: "imported", id: "1", fields: `"body":"hi"`}.arrival()
	require.Equal(t, 1, state.Writes(arrival))
	_, err := state.Take(arrival)
	require.NoError(t, err)
	require.Zero(t, state.Writes(arrival))
}

func TestEachChangeOfASecondIsPublished(t *testing.T) {
	var steps []step
	for i := range 200 {
		steps = append(steps, step{fields: fmt.Sprintf(`"body":"%d"`, i%3)})
	}
	state := publish.NewState()
	require.Len(t, shorts(t, state, steps), 200)
	require.Empty(t, shorts(t, state, steps), "a replay publishes nothing")
}

func TestStoredStateOfAnotherFormIsRefused(t *testing.T) {
	for fact, entry := range map[string]string{
		"a newer form": "\x03\x00", "cut short": "\x02", "longer": "\x02\x01\x00\x00\x00\x00x", "a field not known": "\x02\x01\x00\x00\x01\x00\x00\x00\x00\x80\x80\x80\x80\x80\x80\x08\x00",
		"a claim not known": "\x02\x01\x00\x00\x00\x01\x7f\x00\x00\x00\x00", "a text longer than the rest": "\x02\x01\x00\x00\x00\x01\x01\x00\x00\x00\x7f",
	} {
		require.Error(t, publish.ReadContentEntry(entry), fact)
	}
	require.NoError(t, publish.ReadContentEntry("\x02\x01\x00\x00\x00\x00"))
	require.Error(t, publish.ReadIdentityEntry("\x02\x00\x00\x0012345"))
	require.NoError(t, publish.ReadIdentityEntry("\x02\x00\x00\x00123456"))
}

func TestStateOfTheFirstFormIsRead(t *testing.T) {
	require.NoError(t, publish.ReadContentEntry("\x01\x01\x00\x01123456\x03123456123456"))
	require.NoError(t, publish.ReadIdentityEntry("\x01\x00\x01123456"))
	require.NoError(t, publish.ReadMessageEntry("\x01\x01\x01\x02\x00\x00\x01123456\x00\x00\x00"))
	state := publish.NewState()
	state.Put("c:ENGAGE:c1", "\x01\x01\x00\x01123456\x03123456123456")
	steps := []step{{"imported", "1", 0, `"body":"hi"`}, {"", "", 0, `"body":"hi"`}}
	require.Equal(t, []string{"updated", "updated"}, shorts(t, state, steps), "what was published stays so; what is shown now follows")
}

// drawStep draws an arrival about content c1 that the API could send: what a
// content was at a moment, in a webhook or a row.
func drawStep(t *rapid.T) step {
	s := step{
		event:  rapid.SampledFrom([]string{"", "", "imported", "imported", "approved", "exported"}).Draw(t, "event"),
		id:     rapid.StringMatching(`[a-c]`).Draw(t, "id"),
		second: float64(rapid.IntRange(0, 4000).Draw(t, "ms")) / 1000,
	}
	for _, field := range []string{"body", "status", "synchronization_status"} {
		if value := rapid.SampledFrom([]string{"", "new", "replied"}).Draw(t, field); value != "" {
			s.fields += fmt.Sprintf(`,%q:%q`, field, value)
		}
	}
	return s
}

// TestEachEventOnceInAnyOrder is the property that everything rests on.
func TestEachEventOnceInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 12).Draw(t, "steps")
		var arrivals []step
		for _, s := range steps {
			for range rapid.IntRange(1, 3).Draw(t, "copies") {
				arrivals = append(arrivals, s)
			}
		}
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		rnd.Shuffle(len(arrivals), func(i, j int) { arrivals[i], arrivals[j] = arrivals[j], arrivals[i] })

		state, ids, types := publish.NewState(), map[string]int{}, map[string]int{}
		incoming := arrivalsOf(arrivals)
		for _, a := range append(incoming, incoming...) {
			value, err := state.Take(a)
			require.NoError(t, err)
			if event, ok := value.(*schemas.ContentEvent); ok {
				ids[event.EventID]++
				types[event.EventType]++
			}
		}
		for id, n := range ids {
			require.Equal(t, 1, n, "event %s", id)
		}
		sights := types["content.imported"] + types["content.replied"] + types["content.discussion_initiated"]
		require.LessOrEqual(t, types["content.imported"], 1)
		require.LessOrEqual(t, types["content.approved"], 1)
		require.LessOrEqual(t, sights, 1)
		for i, a := range incoming {
			value, err := state.Take(a)
			require.NoError(t, err)
			require.Nil(t, value, "a replay publishes nothing: %+v", arrivals[i])
		}
	})
}

// TestAClockThatIsSetBackHidesNoRow: of two rows of one second, the later one in the inbox is newer,
// whatever the clock of the process says that read it.
func TestAClockThatIsSetBackHidesNoRow(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		for i, status := range []string{"new", "replied", "replied"} {
			a := row("content", `{"id":"c1","thread_id":"t1","status":"`+status+`","updated_at":"2026-03-01T11:00:00Z"}`)
			a.ReceivedAt = received.Add(-time.Duration(i) * 10 * time.Minute)
			b.arrive(a)
		}
		late := row("content", `{"id":"c1","thread_id":"t1","status":"new","updated_at":"2026-03-01T11:00:00Z"}`)
		late.Origin, late.ReceivedAt = schemas.OriginBackfill, received.Add(-time.Hour)
		b.arrive(late) // a backfill writes long after it has read
		for i, name := range []string{"a", "b"} {
			a := row("identity", `{"id":"i1","display_name":"`+name+`"}`)
			a.ReceivedAt = received.Add(-time.Duration(i+1) * 10 * time.Minute)
			b.arrive(a)
		}
		b.settle()
		once(b, 2)
		require.Equal(b, "replied", *b.contents()[1].Content.Status)
		require.Equal(b, []string{"a", "b"}, b.identities())
	})
}
