package publish_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// A source is a resource at RingCentral as its owner knows it: what changes, when, and what of it
// each way in shows.
type source struct {
	names   map[string][]any // the fields that change, with the values they take; nil = null, absent{} = left out
	state   map[string]any
	now     time.Time
	changed time.Time

	row  func(state map[string]any, changed time.Time) schemas.Arrival // as a list or a single GET shows it
	hook func(state map[string]any, shown []string, id string, issued time.Time) schemas.Arrival
}

type absent struct{}

// A pending arrival comes in later.
type pending struct {
	arrival schemas.Arrival
	at      time.Time
}

// change gives some fields other values.
func (s *source) change(t *rapid.T) {
	s.now = s.now.Add(time.Duration(rapid.IntRange(1, 20_000).Draw(t, "passes")) * time.Millisecond)
	for _, name := range slices.Sorted(maps.Keys(s.names)) {
		if rapid.IntRange(0, 3).Draw(t, name) == 0 {
			s.state[name] = rapid.SampledFrom(s.names[name]).Draw(t, "value")
		}
	}
	s.changed = s.now
}

// shows returns a webhook about the state of now, issued a little later, with any of the fields.
func (s *source) shows(t *rapid.T, id string) pending {
	issued := s.now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "issued")) * time.Millisecond)
	shown := rapid.SliceOfNDistinct(rapid.SampledFrom(slices.Sorted(maps.Keys(s.names))), 0, -1, rapid.ID[string]).Draw(t, "shown")
	slices.Sort(shown)
	p := pending{arrival: s.hook(s.state, shown, id, issued), at: issued.Add(time.Duration(rapid.IntRange(0, 60_000).Draw(t, "delivered")) * time.Millisecond)}
	p.arrival.ReceivedAt = p.at
	return p
}

// reads returns a row as it is now, which comes in a little later.
func (s *source) reads(t *rapid.T) pending {
	s.now = s.now.Add(time.Millisecond)
	p := pending{arrival: s.row(s.state, s.changed), at: s.now.Add(time.Duration(rapid.IntRange(0, 30_000).Draw(t, "written")) * time.Millisecond)}
	p.arrival.ReceivedAt = s.now
	return p
}

// members writes fields as the members of a JSON object.
func members(state map[string]any, names []string) string {
	out := ""
	for _, name := range names {
		if _, left := state[name].(absent); left {
			continue
		}
		value, _ := json.Marshal(state[name])
		out += fmt.Sprintf(",%q:%s", name, value)
	}
	return out
}

// engageSource is a content of Engage Digital.
func engageSource() *source {
	file := map[string]any{"id": "f1", "filename": "a.png", "size": 5, "content_type": "image/png", "url": "https://x/f1"}
	return &source{
		names: map[string][]any{
			"source_id": {"s1", "s2", nil}, "source_type": {"whats_app", nil}, "thread_id": {"t1", "t2", nil}, "intervention_id": {"i1", nil, absent{}},
			"in_reply_to_id": {"p1", nil}, "in_reply_to_author_id": {"p2", nil}, "author_id": {"a1", "a2", nil}, "creator_id": {"u1", nil},
			"status": {"new", "assigned", "replied", nil}, "type": {"message", nil}, "language": {"en", "fr", nil}, "title": {"a", "", nil},
			"body": {"hi", "ho", "", nil}, "body_input_format": {"text", "html", nil}, "private_message": {true, false, nil},
			"published": {true, false, nil}, "remotely_deleted": {true, false, nil, absent{}}, "attachments": {[]any{}, []any{file}, []any{file, map[string]any{"id": "f2"}}, nil},
			"category_ids": {[]any{}, []any{"k1"}, []any{"k1", "k2"}, nil}, "foreign_id": {"x1", nil}, "foreign_categories": {[]any{"y"}, nil},
			"created_from": {"synchronizer", "api", nil}, "created_at": {"2026-02-01T00:00:00Z"}, "synchronization_status": {"pending", "success", nil},
			"synchronization_error": {"e", nil}, "context_data": {map[string]any{}, map[string]any{"order": 42}, nil}, "rating": {1, 5, nil}, "rating_reason": {"good", nil},
		},
		row: func(state map[string]any, changed time.Time) schemas.Arrival {
			names := slices.Sorted(maps.Keys(state))
			return row("content", `{"id":"c1","updated_at":"`+changed.Format(time.RFC3339)+`"`+members(state, names)+`}`)
		},
		hook: func(state map[string]any, shown []string, id string, issued time.Time) schemas.Arrival {
			return webhook(fmt.Sprintf(`{"type":"content.%s","id":%q,"issued_at":%q,"resource":{"type":"whats_app/message","id":"c1","metadata":{"id":"c1"%s}}}`,
				[]string{"imported", "exported", "approved"}[len(shown)%3], id, issued.Format(time.RFC3339Nano), members(state, shown)))
		},
	}
}

// socialSource is a content of Social Messaging.
func socialSource() *source {
	engage := engageSource()
	s := &source{names: map[string][]any{}}
	for name, called := range map[string]string{
		"source_id": "channelId", "source_type": "channelType", "thread_id": "threadId", "intervention_id": "interventionId", "in_reply_to_id": "inReplyToContentId",
		"in_reply_to_author_id": "inReplyToAuthorIdentityId", "author_id": "authorIdentityId", "creator_id": "creatorId", "type": "type", "language": "language",
		"title": "title", "body": "body", "body_input_format": "bodyInputFormat", "private_message": "public", "published": "published", "remotely_deleted": "remotelyDeleted",
		"category_ids": "categoryIds", "foreign_categories": "foreignCategories", "created_from": "createdFrom", "created_at": "creationTime",
		"synchronization_status": "synchronizationStatus", "synchronization_error": "synchronizationError", "context_data": "contextData", "rating": "rating",
	} {
		s.names[called] = engage.names[name]
	}
	s.names["status"] = []any{"New", "Assigned", "UserReply", nil}
	s.names["attachments"] = []any{[]any{}, []any{map[string]any{"id": "f1", "uri": "https://x/f1"}}, nil}
	s.row = func(state map[string]any, changed time.Time) schemas.Arrival {
		return social("content", `{"id":"c1","lastModifiedTime":"`+changed.Format(time.RFC3339)+`"`+members(state, slices.Sorted(maps.Keys(state)))+`}`)
	}
	s.hook = func(state map[string]any, shown []string, id string, issued time.Time) schemas.Arrival {
		a := socialNotice(id, []string{"Imported", "Exported", "DiscussionInitiated"}[len(shown)%3], issued, `"x":1`+members(state, shown))
		return a
	}
	return s
}

// messageSource is a text of the message store.
func messageSource() *source {
	return &source{
		names: map[string][]any{
			"conversation": {map[string]any{"id": "9"}, map[string]any{"id": "10"}, nil}, "type": {"SMS"}, "direction": {"Outbound"},
			"from":    {map[string]any{"phoneNumber": "+1", "name": "A"}, map[string]any{"phoneNumber": "+1"}, nil},
			"to":      {[]any{map[string]any{"phoneNumber": "+2", "messageStatus": "Sent"}}, []any{map[string]any{"phoneNumber": "+2", "messageStatus": "Delivered"}}, nil},
			"subject": {"hi", "", nil}, "messageStatus": {"Queued", "Sent", "Delivered", "DeliveryFailed", "Odd", nil}, "readStatus": {"Read", "Unread", nil},
			"availability": {"Alive", nil}, "attachments": {[]any{}, []any{map[string]any{"id": 1, "uri": "u", "contentType": "text/plain"}}, nil},
			"deliveryErrorCode": {"SMS-1", nil}, "creationTime": {"2026-02-01T00:00:00.123Z"}, "segmentCount": {1, 2, nil}, "smsDeliveryTime": {"2026-02-01T00:00:01.5Z", nil},
			"owner": {map[string]any{"extensionId": "5", "name": "Q"}, nil}, "extensionId": {7, nil},
		},
		row: func(state map[string]any, changed time.Time) schemas.Arrival {
			return message(`{"id":7,"lastModifiedTime":"` + changed.Format(time.RFC3339Nano) + `"` + members(state, slices.Sorted(maps.Keys(state))) + `}`)
		},
	}
}

// identitySource is an identity of Engage Digital.
func identitySource() *source {
	names := map[string][]any{"user_ids": {[]any{}, []any{"u"}, nil}, "extra_values": {map[string]any{"k": 1}, nil}, "uuid": {"x", nil, absent{}}}
	for _, name := range []string{
		"foreign_id", "type", "display_name", "screenname", "firstname", "lastname", "email", "home_phone", "mobile_phone", "company", "gender", "avatar_url", "identity_group_id",
	} {
		names[name] = []any{"a", "b", nil, absent{}}
	}
	return &source{names: names, row: func(state map[string]any, changed time.Time) schemas.Arrival {
		return row("identity", `{"id":"i1","updated_at":"`+changed.Format(time.RFC3339)+`"`+members(state, slices.Sorted(maps.Keys(state)))+`}`)
	}}
}

// resourceOf is what an event says of its resource, and the event's id.
func resourceOf(value schemas.Value) (resource any, eventID string) {
	switch v := value.(type) {
	case *schemas.ContentEvent:
		c := v.Content
		slices.Sort(c.CategoryIds)
		return c, v.EventID
	case *schemas.MessageEvent:
		return v.Message, v.EventID
	case *schemas.Identity:
		return *v, ""
	}
	return nil, ""
}

// converges plays a life of the source in any order in which it can come in, and compares the newest
// event with what a bridge shows that sees the last row alone.
func (s *source) converges(t *rapid.T) {
	s.state, s.now = map[string]any{}, received.Add(-time.Hour)
	for name, values := range s.names {
		s.state[name] = values[0]
	}
	var all []pending
	for i := range rapid.IntRange(1, 8).Draw(t, "steps") {
		s.change(t)
		if s.hook != nil && rapid.IntRange(0, 2).Draw(t, "webhook") > 0 {
			all = append(all, s.shows(t, fmt.Sprintf("e%02d", i)))
		}
		if rapid.Bool().Draw(t, "read") {
			all = append(all, s.reads(t))
		}
	}
	s.now = s.now.Add(10 * time.Second) // the next poll finds what was last changed
	last := s.reads(t)
	all = append(all, last)
	for _, p := range slices.Clone(all) { // some comes twice
		if rapid.IntRange(0, 3).Draw(t, "again") == 0 {
			p.at = p.at.Add(time.Duration(rapid.IntRange(0, 90_000).Draw(t, "after")) * time.Millisecond)
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b pending) int { return a.at.Compare(b.at) })

	state, ids := publish.NewState(), map[string]int{}
	var newest any
	for _, p := range all {
		var answer []byte
		if p.arrival.Origin == schemas.OriginWebhook && p.at.After(s.now) && rapid.Bool().Draw(t, "completed") {
			answer = last.arrival.Body // what a GET shows by then
		}
		values, err := state.TakeWith(p.arrival, answer, p.at, nil)
		require.NoError(t, err)
		for _, value := range values {
			resource, id := resourceOf(value)
			newest = resource
			if id != "" {
				ids[id]++
				require.Equal(t, 1, ids[id], "two events with one id")
			}
		}
		if rapid.IntRange(0, 4).Draw(t, "restart") == 0 {
			state = state.Restart()
		}
	}
	value, err := publish.NewState().Take(last.arrival)
	require.NoError(t, err)
	want, _ := resourceOf(value)
	require.Equal(t, want, newest)
}

// TestTheNewestEventIsTheSourcesState is what analysts rest on, whatever came in, in whatever order.
func TestTheNewestEventIsTheSourcesState(t *testing.T) {
	for name, make := range map[string]func() *source{"engage": engageSource, "social": socialSource, "message": messageSource, "identity": identitySource} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { make().converges(t) })
		})
	}
}

// TestEachFieldConvergesAlone changes one field at a time: from each of its values to each other one,
// shown first by a webhook that lacks it, by one that shows it, or by a row.
func TestEachFieldConvergesAlone(t *testing.T) {
	for name, make := range map[string]func() *source{"engage": engageSource, "social": socialSource, "message": messageSource, "identity": identitySource} {
		t.Run(name, func(t *testing.T) {
			for field, values := range make().names {
				for _, from := range values {
					for _, to := range values {
						s := make()
						s.state, s.now = map[string]any{"body": "x"}, received.Add(-time.Hour)
						s.alone(t, field, from, to)
					}
				}
			}
		})
	}
}

func (s *source) alone(t *testing.T, field string, from, to any) {
	t.Helper()
	if s.hook == nil {
		delete(s.state, "body")
	}
	s.state[field] = from
	firsts := []schemas.Arrival{s.row(s.state, s.now)}
	if s.hook != nil {
		firsts = append(firsts, s.hook(s.state, nil, "e1", s.now), s.hook(s.state, []string{field}, "e1", s.now))
	}
	later := maps.Clone(s.state)
	later[field] = to
	last := s.row(later, s.now.Add(time.Second))
	last.ReceivedAt = s.now.Add(2 * time.Second)
	alone, err := publish.NewState().Take(last)
	require.NoError(t, err)
	want, _ := resourceOf(alone)
	for _, first := range firsts {
		first.ReceivedAt = s.now.Add(time.Second)
		state := publish.NewState()
		values, err := state.TakeAll(first)
		require.NoError(t, err)
		require.Len(t, values, 1)
		values, err = state.TakeAll(last)
		require.NoError(t, err)
		require.NotEmpty(t, values, "%s: %v to %v", field, from, to)
		got, _ := resourceOf(values[len(values)-1])
		require.Equal(t, want, got, "%s: %v to %v", field, from, to)
	}
}

// TestTheStateRemembersEveryField: all but the id, and what follows from the status.
func TestTheStateRemembersEveryField(t *testing.T) {
	names := func(value any, derived ...string) (names []string) {
		for field := range reflect.TypeOf(value).Fields() {
			if name := field.Tag.Get("avro"); !slices.Contains(derived, name) {
				names = append(names, name)
			}
		}
		return names
	}
	content, message := publish.RememberedFields()
	require.ElementsMatch(t, names(schemas.Content{}, "id", "direction"), content)
	require.ElementsMatch(t, names(schemas.Message{}, "id"), message)
}
