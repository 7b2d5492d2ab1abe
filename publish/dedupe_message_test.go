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

// A text is an arrival about message 7 in conversation 9, written short.
type text struct {
	instant bool   // a notification; else a row
	ms      int    // of lastModifiedTime; negative = none
	read    int    // seconds after which it was read
	fields  string // JSON members
	bare    bool   // id and the fields only, as a sync tells of what is gone
}

func (x text) arrival() schemas.Arrival {
	body := `{"id":"7"`
	if !x.bare {
		body += `,"type":"SMS","conversation":{"id":"9"},"creationTime":"2026-03-01T11:00:00.000Z"`
		if !strings.Contains(x.fields, `"direction"`) {
			body += `,"direction":"Inbound"`
		}
	}
	if x.ms >= 0 && !x.bare {
		body += `,"lastModifiedTime":"` + received.Add(time.Duration(x.ms)*time.Millisecond).Format(time.RFC3339Nano) + `"`
	}
	if x.fields != "" {
		body += "," + x.fields
	}
	body += "}"
	a := message(body)
	if x.instant {
		a = notice(instant("u", body))
	}
	a.ReceivedAt = received.Add(time.Duration(x.read) * time.Second)
	return a
}

// instant wraps a message into its notification.
func instant(uuid, body string) string {
	return `{"uuid":"` + uuid + `","event":"/restapi/v1.0/account/1/extension/2/message-store/instant?type=SMS","timestamp":"2026-03-01T12:00:01Z","ownerId":"3","body":` + body + `}`
}

// textArrivals returns the texts as they come in, a millisecond after each other.
func textArrivals(texts []text) []schemas.Arrival {
	out := make([]schemas.Arrival, len(texts))
	for i, x := range texts {
		out[i] = x.arrival()
		out[i].ReceivedAt = out[i].ReceivedAt.Add(time.Second + time.Duration(i)*time.Millisecond) // after it changed
	}
	return out
}

// told names what a state publishes for the texts, each with its status where
// that changed.
func told(t require.TestingT, state publish.State, texts []text) []string {
	out := []string{}
	for _, a := range textArrivals(texts) {
		values, err := state.TakeAll(a)
		require.NoError(t, err)
		for _, value := range values {
			event := value.(*schemas.MessageEvent)
			name := strings.TrimPrefix(event.EventType, "message.")
			if name == "status_changed" {
				name = *event.Message.Status
			}
			out = append(out, name)
		}
	}
	return out
}

func TestWhatIsPublishedOfAMessage(t *testing.T) {
	const (
		out                         = `"direction":"Outbound",`
		queued, sent, delivered     = out + `"messageStatus":"Queued"`, out + `"messageStatus":"Sent"`, out + `"messageStatus":"Delivered"`
		failed, received            = out + `"messageStatus":"DeliveryFailed"`, `"messageStatus":"Received"`
		unread, read, alive         = `"readStatus":"Unread"`, `"readStatus":"Read"`, `"availability":"Alive"`
		deleted, purged, errorCode  = `"availability":"Deleted"`, `"availability":"Purged"`, `"deliveryErrorCode":"SMS-CAR-412"`
		aliveUnread, received2other = alive + "," + unread, `"messageStatus":"Received","text":"untracked"`
	)
	row := func(ms int, fields string) text { return text{ms: ms, fields: fields} }
	hook := func(ms int, fields string) text { return text{instant: true, ms: ms, fields: fields} }
	gone := func(read int, fields string) text { return text{bare: true, read: read, fields: fields} }
	for fact, c := range map[string]struct {
		texts []text
		want  []string
	}{
		"a notification again is a repetition":           {[]text{hook(0, unread), hook(0, unread)}, []string{"received"}},
		"a row completes what its notification left out": {[]text{hook(0, unread), row(91, unread)}, []string{"received", "updated"}},
		"a notification after the row is a repetition":   {[]text{row(91, unread), hook(0, unread)}, []string{"received"}},
		"a field without one of ours is no change":       {[]text{row(0, received), row(0, received2other)}, []string{"received"}},
		"a later row is an update by its time alone":     {[]text{row(0, received), row(9, received)}, []string{"received", "updated"}},
		"a row that says outbound is a sent message":     {[]text{row(0, queued)}, []string{"sent"}},
		"each status once":                               {[]text{row(0, queued), row(1, sent), row(1, sent), row(2, delivered), row(0, queued), row(1, sent), row(2, delivered)}, []string{"sent", "Sent", "Delivered"}},
		"statuses of one millisecond":                    {[]text{row(0, queued), row(0, sent), row(0, delivered)}, []string{"sent", "Sent", "Delivered"}},
		"a stale status is no change":                    {[]text{row(5, delivered), row(1, queued), row(3, sent)}, []string{"sent"}},
		"one that is newer counts":                       {[]text{row(5, delivered), row(6, queued), row(7, delivered)}, []string{"sent", "Queued", "updated"}},
		"an older failure overwrites nothing":            {[]text{row(5, sent), row(1, failed)}, []string{"sent"}},
		"a status that nobody knows yet":                 {[]text{row(0, sent), row(1, out+`"messageStatus":"Pondering"`), row(2, delivered)}, []string{"sent", "Pondering", "Delivered"}},
		"a status that becomes known is an update":       {[]text{row(0, unread), row(5, received)}, []string{"received", "updated"}},
		"and one that is no more shown":                  {[]text{row(0, received), row(0, unread)}, []string{"received", "updated"}},
		"status and reading are two events":              {[]text{row(0, sent+","+unread), row(1, delivered+","+read)}, []string{"sent", "Delivered", "updated"}},
		"a failure tells its reason by itself":           {[]text{row(0, sent+`,"to":[{"messageStatus":"Sent"}]`), row(1, failed+","+errorCode+`,"to":[{"messageStatus":"DeliveryFailed"}]`)}, []string{"sent", "DeliveryFailed"}},
		"one of several recipients":                      {[]text{row(0, sent+`,"to":[{"messageStatus":"Sent"}]`), row(1, sent+`,"to":[{"messageStatus":"Delivered"}]`)}, []string{"sent", "updated"}},
		"read, unread, read":                             {[]text{row(0, unread), row(5, read), row(9, unread), row(12, read)}, []string{"received", "updated", "updated", "updated"}},
		"an older reading overwrites nothing":            {[]text{row(5, read), row(0, unread)}, []string{"received"}},
		"a creation told late overwrites nothing":        {[]text{row(5, read), hook(0, unread), hook(-1, unread)}, []string{"received"}},
		"what was unknown is one update":                 {[]text{row(0, ""), row(5, read)}, []string{"received", "updated"}},
		"and a change after that another":                {[]text{row(0, ""), row(5, read), row(6, unread)}, []string{"received", "updated", "updated"}},
		"deleted":                                        {[]text{row(0, alive), gone(5, deleted), gone(6, deleted)}, []string{"received", "deleted"}},
		"deleted, with a time":                           {[]text{row(0, alive), row(5, deleted), row(5, deleted), row(0, alive)}, []string{"received", "deleted"}},
		"deleted and read at once":                       {[]text{row(0, aliveUnread), row(5, deleted+","+read)}, []string{"received", "updated", "deleted"}},
		"purged after it was deleted is no deletion":     {[]text{row(0, alive), gone(5, deleted), gone(6, purged), gone(7, purged)}, []string{"received", "deleted", "updated"}},
		"purged at once is a deletion":                   {[]text{row(0, alive), gone(5, purged), gone(7, purged)}, []string{"received", "deleted"}},
		"never met but gone":                             {[]text{gone(5, deleted), gone(6, deleted)}, []string{"deleted"}},
		"its creation told after it is gone":             {[]text{gone(5, deleted), hook(0, alive), gone(6, deleted)}, []string{"deleted", "received"}},
		"restored":                                       {[]text{row(0, alive), {bare: true, read: 5, fields: deleted}, {ms: 7, read: 7, fields: alive}}, []string{"received", "deleted", "updated"}},
		"restored and deleted again": {
			[]text{row(0, alive), {bare: true, read: 5, fields: deleted}, {ms: 7, read: 7, fields: alive}, {bare: true, read: 9, fields: deleted}},
			[]string{"received", "deleted", "updated", "deleted"},
		},
		"a creation told again restores nothing": {[]text{row(3, alive), gone(5, deleted), hook(3, alive), hook(-1, alive)}, []string{"received", "deleted"}},
		"a stale one without a time of change":   {[]text{hook(-1, received), hook(-1, `"messageStatus":"Queued"`)}, []string{"received"}},
		"notifications without a time of change": {[]text{hook(-1, unread+`,"messageStatus":"Queued"`), hook(-1, unread+`,"messageStatus":"Received"`), hook(-1, read+`,"messageStatus":"Queued"`)}, []string{"received", "Received"}},
	} {
		t.Run(fact, func(t *testing.T) {
			state := publish.NewState()
			require.Equal(t, c.want, told(t, state, c.texts))
			require.Empty(t, told(t, state, c.texts), "a replay publishes nothing")
		})
	}
}

func TestMessageEventsHaveTheirIDsAndTimes(t *testing.T) {
	state := publish.NewState()
	var events []*schemas.MessageEvent
	for _, x := range []text{
		{ms: 0, fields: `"direction":"Outbound","messageStatus":"Queued","readStatus":"Unread","availability":"Alive"`},
		{ms: 5000, fields: `"direction":"Outbound","messageStatus":"Sent","readStatus":"Unread","availability":"Alive"`},
		{bare: true, read: 9, fields: `"availability":"Deleted"`},
		{ms: 11000, read: 11, fields: `"direction":"Outbound","messageStatus":"Sent","availability":"Alive"`},
		{bare: true, read: 12, fields: `"availability":"Deleted"`},
	} {
		value, err := state.Take(x.arrival())
		require.NoError(t, err)
		events = append(events, value.(*schemas.MessageEvent))
	}
	id := func(eventType, occurrence string) string {
		return publish.EventID("acme", schemas.ApiSms, "7", eventType, occurrence)
	}
	require.Equal(t, id("message.sent", ""), events[0].EventID)
	require.Equal(t, at(t, "2026-03-01T11:00:00Z"), events[0].OccurredAt, "when it was created")
	require.Equal(t, id("message.status_changed", "Sent"), events[1].EventID)
	require.Equal(t, at(t, "2026-03-01T12:00:05Z"), events[1].OccurredAt, "when it changed")
	require.Equal(t, id("message.deleted", ""), events[2].EventID)
	require.Equal(t, at(t, "2026-03-01T12:00:09Z"), events[2].OccurredAt, "when it was heard of")
	require.Equal(t, "message.updated", events[3].EventType)
	require.Equal(t, at(t, "2026-03-01T12:00:11Z"), events[3].OccurredAt)
	require.Equal(t, id("message.deleted", "1"), events[4].EventID)
}

func TestWhereAMessageIsKnownFrom(t *testing.T) {
	for fact, c := range map[string]struct {
		arrival                 schemas.Arrival
		conversation, extension string
	}{
		"the conversation's own id":           {message(`{"id":1,"direction":"Inbound","conversationId":8234962969801172000,"conversation":{"id":"8234962969801171948"}}`), "8234962969801171948", ""},
		"more digits than a float holds":      {message(`{"id":1,"direction":"Inbound","conversationId":8031152018338945839}`), "8031152018338945839", ""},
		"an extension of its own":             {message(`{"id":1,"direction":"Inbound","extensionId":823476228762,"uri":"https://x/extension/5/message-store/1"}`), "", "823476228762"},
		"the extension of its address":        {message(`{"id":1,"direction":"Inbound","uri":"https://x/restapi/v1.0/account/4/extension/5/message-store/1"}`), "", "5"},
		"its owner's extension":               {notice(instant("u", `{"id":"1","type":"SMS","owner":{"extensionId":"77"}}`)), "", "77"},
		"the extension of the event":          {notice(instant("u", `{"id":"1","type":"SMS"}`)), "", "2"},
		"the owner, where the event has none": {notice(strings.Replace(instant("u", `{"id":"1","type":"SMS"}`), "extension/2/", "extension/~/", 1)), "", "3"},
	} {
		t.Run(fact, func(t *testing.T) {
			value, err := publish.NewState().Take(c.arrival)
			require.NoError(t, err)
			m := value.(*schemas.MessageEvent).Message
			require.Equal(t, "1", m.ID)
			require.Equal(t, c.conversation, deref(m.ConversationID))
			require.Equal(t, c.extension, deref(m.ExtensionID))
		})
	}
}

func TestMessagesThatNoEventCanBeMadeOf(t *testing.T) {
	for body, field := range map[string]string{
		`[]`: "", `{"type":"SMS","direction":"Inbound"}`: "id", `{"id":["secret"],"direction":"Inbound"}`: "id", `{"id":"","type":"SMS"}`: "id",
		`{"type":"VoiceMail"}`: "id",
	} {
		_, err := publish.NewState().Take(message(body))
		var parse *publish.ParseError
		require.ErrorAs(t, err, &parse, body)
		require.Equal(t, field, parse.Field, body)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestStoredMessageStateOfAnotherFormIsRefused(t *testing.T) {
	const whole = "\x02\x01\x00\x00\x01123456\x00\x00\x00"
	require.NoError(t, publish.ReadMessageEntry(whole))
	for fact, entry := range map[string]string{"a newer form": "\x03" + whole[1:], "cut short": whole[:9], "longer": whole + "x"} {
		require.Error(t, publish.ReadMessageEntry(entry), fact)
	}
}

func TestARepetitionOfAMessageWritesNothing(t *testing.T) {
	state := publish.NewState()
	for _, x := range []text{
		{instant: true, fields: `"readStatus":"Unread"`},
		{ms: 5, fields: `"readStatus":"Read"`},
		{bare: true, read: 9, fields: `"availability":"Deleted"`},
	} {
		require.Equal(t, 1, state.Writes(x.arrival()))
		_, err := state.Take(x.arrival())
		require.NoError(t, err)
		require.Zero(t, state.Writes(x.arrival()))
	}
}

// drawText draws what the message store could tell of a message at a moment.
func drawText(t *rapid.T) text {
	x := text{ms: rapid.IntRange(-1, 6).Draw(t, "ms"), instant: rapid.Bool().Draw(t, "instant")}
	add := func(field string, values ...string) {
		if value := rapid.SampledFrom(append(values, "")).Draw(t, field); value != "" {
			x.fields += fmt.Sprintf(`,%q:%q`, field, value)
		}
	}
	if rapid.IntRange(0, 5).Draw(t, "bare") == 0 {
		x.bare, x.instant = true, false
		x.fields = `,"availability":"` + rapid.SampledFrom([]string{"Deleted", "Purged"}).Draw(t, "gone") + `"`
	} else {
		add("messageStatus", "Queued", "Sent", "Delivered", "DeliveryFailed", "Odd")
		add("readStatus", "Read", "Unread")
		add("availability", "Alive", "Deleted")
		add("deliveryErrorCode", "x", "y")
	}
	x.fields = strings.TrimPrefix(x.fields, ",")
	return x
}

// TestEachMessageEventOnceInAnyOrder is the property that everything rests on.
func TestEachMessageEventOnceInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.Custom(drawText), 1, 12).Draw(t, "texts")
		var arrivals []text
		for _, x := range texts {
			for range rapid.IntRange(1, 3).Draw(t, "copies") {
				arrivals = append(arrivals, x)
			}
		}
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		rnd.Shuffle(len(arrivals), func(i, j int) { arrivals[i], arrivals[j] = arrivals[j], arrivals[i] })
		for i := range arrivals {
			arrivals[i].read = i // as they come in
		}
		state, ids, types, statuses := publish.NewState(), map[string]int{}, map[string]int{}, map[string]int{}
		there := false
		for i, a := range textArrivals(arrivals) {
			x := arrivals[i]
			there = there || !strings.Contains(x.fields, "Deleted") && !strings.Contains(x.fields, "Purged")
			values, err := state.TakeAll(a)
			require.NoError(t, err)
			for _, value := range values {
				event := value.(*schemas.MessageEvent)
				ids[event.EventID]++
				types[event.EventType]++
				if event.EventType == "message.status_changed" {
					statuses[*event.Message.Status]++
				}
			}
		}
		for id, n := range ids {
			require.Equal(t, 1, n, "event %s", id)
		}
		for status, n := range statuses {
			require.Equal(t, 1, n, status)
		}
		require.Equal(t, there, types["message.received"] == 1, "received once, if it ever was there")
		require.Empty(t, told(t, state, arrivals), "a replay publishes nothing")
	})
}
