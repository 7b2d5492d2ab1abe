package publish_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// timesRead are times in all the forms that are read, and what they mean.
func timesRead() map[string]string {
	return map[string]string{
		`"2018-08-30T08:11:30.1239Z"`:               "2018-08-30T08:11:30.123Z",
		`"2014-04-29T14:29:27.408-02:30"`:           "2014-04-29T16:59:27.408Z",
		`"2014-04-29T14:29:27+0530"`:                "2014-04-29T08:59:27Z",
		`"2014-04-29T23:59:59.9999999999Z"`:         "2014-04-29T23:59:59.999Z",
		`"2026-11-30 10:00:00 UTC"`:                 "2026-11-30T10:00:00Z",
		`"2026-11-30 10:00:00Z"`:                    "2026-11-30T10:00:00Z",
		`"2026-11-30t10:00:00z"`:                    "2026-11-30T10:00:00Z",
		`"2026-11-30T10:00:00+05"`:                  "2026-11-30T05:00:00Z",
		`"2026-11-30T10:00Z"`:                       "2026-11-30T10:00:00Z",
		`"20261130T100000Z"`:                        "2026-11-30T10:00:00Z",
		`"Mon, 30 Nov 2026 10:00:00 +0000"`:         "2026-11-30T10:00:00Z",
		`"2016-12-31T23:59:60Z"`:                    "2017-01-01T00:00:00Z",
		`"2026-11-30T24:00:00Z"`:                    "2026-12-01T00:00:00Z",
		`"2026-11-30T10:00:00+01:00[Europe/Paris]"`: "2026-11-30T09:00:00Z",
		`1796032800`:                                "2026-11-30T10:00:00Z",
		`1796032800123`:                             "2026-11-30T10:00:00.123Z",
		`"1796032800"`:                              "2026-11-30T10:00:00Z",
		`1796032800.25`:                             "2026-11-30T10:00:00.25Z",
		`"2026-11-30T10:00:00"`:                     "2026-11-30T10:00:00Z",
		`"2026-11-30T10:00:00.123"`:                 "2026-11-30T10:00:00.123Z",
	}
}

// timesUnread are values in place of a time that mean none.
func timesUnread() []string {
	return []string{
		`"0000-00-00T00:00:00Z"`, `"-0001-11-30T00:00:00+00:00"`, `"12026-11-30T10:00:00Z"`, `"2026-11-30"`, `{"time":"2026-11-30T10:00:00Z"}`,
		`["2026-11-30T10:00:00Z"]`, `"soon"`, `true`, `-1`, `12`, `1e300`,
	}
}

// timeFields are all the places of times in arrivals: %s is the time, and place where the event shows
// it. An arrival without it shows the time at which it was received, or null.
func timeFields() map[string]struct {
	arrival func(time string) schemas.Arrival
	place   string
	without any
} {
	const came = "2026-03-01T12:00:00Z"
	type field = struct {
		arrival func(time string) schemas.Arrival
		place   string
		without any
	}
	in := func(arrival func(string) schemas.Arrival, body string) func(string) schemas.Arrival {
		return func(time string) schemas.Arrival { return arrival(strings.Replace(body, "%s", time, 1)) }
	}
	rows := func(kind string) func(string) schemas.Arrival {
		return func(body string) schemas.Arrival { return row(kind, body) }
	}
	socials := func(kind string) func(string) schemas.Arrival {
		return func(body string) schemas.Arrival { return social(kind, body) }
	}
	sent := func(body string) schemas.Arrival { return notice(instant("u", body)) }
	imported := func(body string) schemas.Arrival { return webhook(imported(body)) }
	socialSent := func(body string) schemas.Arrival { return withAPI(notice(body), schemas.ApiSocial) }
	return map[string]field{
		"a webhook's issued_at":   {in(webhook, `{"type":"content.imported","id":"e","issued_at":%s,"resource":{"type":"a/b","id":"c1"}}`), ".occurred_at", came},
		"an activity's issued_at": {in(webhook, `{"type":"task.created","id":"e","issued_at":%s,"resource":{"type":"task","id":"1"}}`), ".occurred_at", came},
		"metadata.created_at":     {in(imported, `{"created_at":%s}`), ".content.created_at", nil},
		"metadata.updated_at":     {in(imported, `{"updated_at":%s}`), ".content.updated_at", nil},
		"a row's created_at":      {in(rows("content"), `{"id":"c1","created_at":%s}`), ".content.created_at", nil},
		"a row's updated_at":      {in(rows("content"), `{"id":"c1","updated_at":%s}`), ".content.updated_at", nil},
		"a Social creationTime":   {in(socials("content"), `{"id":"c1","creationTime":%s}`), ".content.created_at", nil},
		"a Social lastModified":   {in(socials("content"), `{"id":"c1","lastModifiedTime":%s}`), ".content.updated_at", nil},
		"an identity's created":   {in(rows("identity"), `{"id":"i1","created_at":%s}`), ".created_at", nil},
		"an identity's updated":   {in(rows("identity"), `{"id":"i1","updated_at":%s}`), ".updated_at", nil},
		"a Social identity's":     {in(socials("identity"), `{"id":"i1","lastModifiedTime":%s}`), ".updated_at", nil},
		"a text's creationTime":   {in(message, `{"id":"1","type":"SMS","direction":"Inbound","creationTime":%s}`), ".message.created_at", nil},
		"a text's lastModified":   {in(message, `{"id":"1","type":"SMS","direction":"Inbound","lastModifiedTime":%s}`), ".message.updated_at", nil},
		"a text's delivery":       {in(message, `{"id":"1","type":"SMS","direction":"Outbound","smsDeliveryTime":%s}`), ".message.delivered_at", nil},
		"a voicemail's":           {in(message, `{"id":"1","type":"VoiceMail","lastModifiedTime":%s}`), ".occurred_at", came},
		"an instant text's":       {in(sent, `{"id":"1","type":"SMS","creationTime":%s}`), ".message.created_at", nil},
		"a notification's":        {in(notice, `{"uuid":"u","event":"/restapi/v1.0/account/1/presence","timestamp":%s}`), ".occurred_at", came},
		"a Social notification's": {
			in(socialSent, `{"uuid":"u","event":"/cx/social-messaging/v1/contents/Imported","body":{"issuedAt":%s,"resource":{"id":"c1"}}}`), ".occurred_at", came,
		},
	}
}

func withAPI(a schemas.Arrival, api schemas.Api) schemas.Arrival {
	a.API = api
	return a
}

func TestTimesAreReadInAllFormsOfAllFields(t *testing.T) {
	for fact, field := range timeFields() {
		t.Run(fact, func(t *testing.T) {
			for form, want := range timesRead() {
				a := field.arrival(form)
				value, err := publish.NewState().Take(a)
				require.NoError(t, err, form)
				require.Equal(t, want, shown(t, value, field.place), form)
				requireOdd(t, a, 0)
			}
		})
	}
}

func TestATimeWithoutAMeaningIsNone(t *testing.T) {
	for fact, field := range timeFields() {
		t.Run(fact, func(t *testing.T) {
			for _, form := range append(timesUnread(), `null`, `""`, `{}`, `[]`) {
				a := field.arrival(form)
				value, err := publish.NewState().Take(a)
				require.NoError(t, err, form)
				require.Equal(t, field.without, shown(t, value, field.place), form)
				requireReceived(t, a, value)
				empty := form == `null` || form == `""` || form == `{}` || form == `[]`
				requireOdd(t, a, map[bool]int{true: 0, false: 1}[empty])
			}
		})
	}
}

// requireOdd holds the number of an arrival's odd fields.
func requireOdd(t *testing.T, a schemas.Arrival, n int) {
	t.Helper()
	read, err := publish.Read(a)
	require.NoError(t, err)
	require.Len(t, read.Odd, n, string(a.Body))
}

// requireReceived fails unless an event holds what was received.
func requireReceived(t *testing.T, a schemas.Arrival, value schemas.Value) {
	t.Helper()
	switch v := value.(type) {
	case *schemas.ContentEvent:
		require.Equal(t, string(a.Body), *v.Raw)
	case *schemas.MessageEvent:
		require.Equal(t, string(a.Body), *v.Raw)
	case *schemas.ActivityEvent:
		require.Equal(t, string(a.Body), v.Data)
	case *schemas.Identity:
		read, err := publish.Read(a)
		require.NoError(t, err)
		for _, field := range read.Odd {
			require.Contains(t, v.Extra, field, "an identity has no raw")
		}
	}
}

// oddCase is a member of a JSON object, and what the event shows of it.
type oddCase struct {
	member string
	place  string
	want   string // JSON
	odd    int
}

func TestFieldsOfOtherShapes(t *testing.T) {
	imported := func(members string) schemas.Arrival { return webhook(imported("{" + members + "}")) }
	contentRow := func(members string) schemas.Arrival { return row("content", `{"id":"c1",`+members+`}`) }
	socialRow := func(members string) schemas.Arrival { return social("content", `{"id":"c1",`+members+`}`) }
	identity := func(members string) schemas.Arrival { return row("identity", `{"id":"i1",`+members+`}`) }
	text := func(members string) schemas.Arrival { return message(`{"id":"1","type":"SMS",` + members + `}`) }
	sent := func(members string) schemas.Arrival {
		return notice(instant("u", `{"id":"1","type":"SMS",`+members+`}`))
	}
	const file, noFile = `{"id":"a1","content_type":null,"filename":null,"size":null,"url":null}`, `[]`
	for fact, c := range map[string]struct {
		arrivals []func(string) schemas.Arrival
		cases    []oddCase
	}{
		"lists of files": {[]func(string) schemas.Arrival{imported, contentRow, socialRow}, []oddCase{
			{`"attachments":[null]`, ".content.attachments", noFile, 0},
			{`"attachments":{}`, ".content.attachments", noFile, 0},
			{`"attachments":""`, ".content.attachments", noFile, 0},
			{`"attachments":[{}, "", []]`, ".content.attachments", noFile, 0},
			{`"attachments":{"0":{"id":"a1"}}`, ".content.attachments", `[` + file + `]`, 0},
			{`"attachments":{"10":{"id":"b"},"9":{"id":"a1"}}`, ".content.attachments[].id", `"a1"`, 0},
			{`"attachments":{"id":"a1"}`, ".content.attachments", `[` + file + `]`, 0},
			{`"attachments":[null,{"id":"a1"}]`, ".content.attachments", `[` + file + `]`, 0},
			{`"attachments":["a1"]`, ".content.attachments", noFile, 1},
			{`"attachments":"a1"`, ".content.attachments", noFile, 1},
			{`"attachments":false`, ".content.attachments", noFile, 1},
			{`"attachments":7`, ".content.attachments", noFile, 1},
			{`"attachments":[[{"id":"a1"}]]`, ".content.attachments", noFile, 1},
			{`"attachments":[{"id":"a1","size":"12 KB"}]`, ".content.attachments", `[` + file + `]`, 1},
			{`"attachments":[{"id":"a1","size":"12 KB"},{"id":"a2","size":"huge"}]`, ".content.attachments[].id", `"a1"`, 1},
			{`"attachments":[{"id":"a1","size":1.5}]`, ".content.attachments", `[` + file + `]`, 1},
			{`"attachments":[{"id":"a1","size":1e400}]`, ".content.attachments", `[` + file + `]`, 1},
			{`"attachments":[{"id":["x"]}]`, ".content.attachments[].id", `""`, 1},
			{`"attachments":[{"id":18446744073709551617}]`, ".content.attachments[].id", `"18446744073709551617"`, 0},
		}},
		"lists of ids": {[]func(string) schemas.Arrival{imported, contentRow}, []oddCase{
			{`"category_ids":{}`, ".content.category_ids", `[]`, 0},
			{`"category_ids":""`, ".content.category_ids", `[]`, 0},
			{`"category_ids":[null,"",[]]`, ".content.category_ids", `[]`, 0},
			{`"category_ids":"c1"`, ".content.category_ids", `["c1"]`, 0},
			{`"category_ids":9007199254740993`, ".content.category_ids", `["9007199254740993"]`, 0},
			{`"category_ids":{"0":"a","01":"b","10":"d","2":"c"}`, ".content.category_ids", `["a","b","c","d"]`, 0},
			{`"category_ids":{"a":"b"}`, ".content.category_ids", `[]`, 1},
			{`"category_ids":["c1",{"x":1}]`, ".content.category_ids", `["c1"]`, 1},
			{`"category_ids":true`, ".content.category_ids", `[]`, 1},
		}},
		"maps": {[]func(string) schemas.Arrival{imported, contentRow}, []oddCase{
			{`"context_data":""`, ".content.context_data", `{}`, 0},
			{`"context_data":[]`, ".content.context_data", `{}`, 0},
			{`"context_data":[["k","v"]]`, ".content.context_data", `{}`, 1},
			{`"context_data":"x"`, ".content.context_data", `{}`, 1},
			{`"context_data":7`, ".content.context_data", `{}`, 1},
			{`"context_data":{"0":"a"}`, ".content.context_data", `{"0":"\"a\""}`, 0},
		}},
		"identities": {[]func(string) schemas.Arrival{identity}, []oddCase{
			{`"user_ids":{}`, ".user_ids", `[]`, 0},
			{`"user_ids":"u1"`, ".user_ids", `["u1"]`, 0},
			{`"user_ids":[{"id":"u1"}]`, ".user_ids", `[]`, 1},
			{`"user_ids":[{"id":"u1"}]`, ".extra", `{"user_ids":"[{\"id\":\"u1\"}]"}`, 1},
			{`"extra_values":""`, ".extra", `{}`, 0},
			{`"extra_values":[]`, ".extra", `{}`, 0},
			{`"extra_values":"x"`, ".extra", `{"extra_values":"\"x\""}`, 1},
			{`"extra_values":{"vip":true},"vip":"no","uuid":"u","community_id":null`, ".extra", `{"uuid":"\"u\"","vip":"true"}`, 0},
			{`"extra_values":{"email":"other"},"email":"own"`, ".email", `"own"`, 0},
			{`"extra_values":{"email":"other"},"email":"own"`, ".extra", `{"email":"\"other\""}`, 0},
			{`"display_name":["x"]`, ".display_name", `null`, 1},
			{`"display_name":12`, ".display_name", `"12"`, 0},
		}},
		"text": {[]func(string) schemas.Arrival{imported, contentRow}, []oddCase{
			{`"body":{"text":"x"}`, ".content.body", `""`, 1},
			{`"body":{}`, ".content.body", `""`, 0},
			{`"body":[]`, ".content.body", `""`, 0},
			{`"body":1.50`, ".content.body", `"1.50"`, 0},
			{`"title":true`, ".content.title", `"true"`, 0},
			{`"thread_id":9007199254740993`, ".content.thread_id", `"9007199254740993"`, 0},
			{`"thread_id":["t1"]`, ".content.thread_id", `null`, 1},
		}},
		"numbers": {[]func(string) schemas.Arrival{imported, contentRow}, []oddCase{
			{`"rating":4`, ".content.rating", `4`, 0},
			{`"rating":" 4.0 "`, ".content.rating", `4`, 0},
			{`"rating":"good"`, ".content.rating", `null`, 1},
			{`"rating":4.5`, ".content.rating", `null`, 1},
			{`"rating":3000000000`, ".content.rating", `null`, 1},
			{`"rating_reason":"fast"`, ".content.rating_reason", `"fast"`, 0},
		}},
		"flags": {[]func(string) schemas.Arrival{imported, contentRow}, []oddCase{
			{`"published":"yes"`, ".content.published", `true`, 0},
			{`"published":"no"`, ".content.published", `false`, 0},
			{`"published":"On"`, ".content.published", `true`, 0},
			{`"published":"off"`, ".content.published", `false`, 0},
			{`"published":"1"`, ".content.published", `true`, 0},
			{`"published":"0"`, ".content.published", `false`, 0},
			{`"published":1`, ".content.published", `true`, 0},
			{`"published":0`, ".content.published", `false`, 0},
			{`"published":""`, ".content.published", `null`, 0},
			{`"published":[]`, ".content.published", `null`, 0},
			{`"published":"perhaps"`, ".content.published", `null`, 1},
			{`"published":2`, ".content.published", `null`, 1},
			{`"published":{"x":true}`, ".content.published", `null`, 1},
		}},
		"who sent it and who gets it": {[]func(string) schemas.Arrival{text, sent}, []oddCase{
			{`"from":"+15551234567"`, ".message.from", `{"phone_number":"+15551234567","name":null}`, 0},
			{`"from":15551234567`, ".message.from.phone_number", `"15551234567"`, 0},
			{`"from":[{"phoneNumber":"+1"},{"phoneNumber":"+2"}]`, ".message.from.phone_number", `"+1"`, 0},
			{`"from":[]`, ".message.from", `null`, 0},
			{`"from":""`, ".message.from", `null`, 0},
			{`"from":true`, ".message.from", `null`, 1},
			{`"to":"+15551234567"`, ".message.to", `[{"phone_number":"+15551234567","name":null,"status":null}]`, 0},
			{`"to":{"phoneNumber":"+1","messageStatus":"Sent"}`, ".message.to", `[{"phone_number":"+1","name":null,"status":"Sent"}]`, 0},
			{`"to":{"0":{"phoneNumber":"+1"}}`, ".message.to[].phone_number", `"+1"`, 0},
			{`"to":["+1",{"phoneNumber":"+2"}]`, ".message.to[].phone_number", `"+1"`, 0},
			{`"to":[null,{}]`, ".message.to", `[]`, 0},
			{`"to":[["+1"]]`, ".message.to", `[]`, 1},
			{`"to":[{"phoneNumber":{"e164":"+1"}}]`, ".message.to[].phone_number", `null`, 1},
			{`"conversation":"9"`, ".message.conversation_id", `"9"`, 0},
			{`"conversation":8234962969801171948`, ".message.conversation_id", `"8234962969801171948"`, 0},
			{`"conversation":[],"conversationId":9`, ".message.conversation_id", `"9"`, 0},
			{`"conversation":{"id":["x"]},"conversationId":9`, ".message.conversation_id", `"9"`, 1},
			{`"owner":"me"`, ".message.owner_name", `null`, 1},
			{`"owner":[]`, ".message.owner_name", `null`, 0},
			{`"segmentCount":"2"`, ".message.segment_count", `2`, 0},
			{`"segmentCount":"two"`, ".message.segment_count", `null`, 1},
			{`"readStatus":"Seen"`, ".message.read_status", `null`, 1},
			{`"attachments":"none"`, ".message.attachments", `[]`, 1},
			{`"subject":{"x":1}`, ".message.text", `""`, 1},
		}},
	} {
		for i, arrival := range c.arrivals {
			for _, k := range c.cases {
				t.Run(fmt.Sprint(fact, " ", i, " ", k.member, k.place), func(t *testing.T) {
					a := arrival(k.member)
					value, err := publish.NewState().Take(a)
					require.NoError(t, err)
					got, err := json.Marshal(shown(t, value, k.place))
					require.NoError(t, err)
					require.JSONEq(t, k.want, string(got))
					requireReceived(t, a, value)
					requireOdd(t, a, k.odd)
				})
			}
		}
	}
}

func TestWholePartsOfOtherShapes(t *testing.T) {
	for fact, c := range map[string]struct {
		arrival schemas.Arrival
		odd     int
	}{
		"metadata is a list":           {webhook(imported(`[]`)), 0},
		"metadata is text":             {webhook(imported(`"x"`)), 1},
		"metadata is null":             {webhook(imported(`null`)), 0},
		"a Social resource has lists":  {withAPI(notice(`{"uuid":"u","event":"/cx/social-messaging/v1/contents/Imported","body":{"issuedAt":[1],"resource":{"id":"c1","body":["x"]}}}`), schemas.ApiSocial), 2},
		"an activity's type is a list": {webhook(`{"type":"task.created","user_id":["u"],"resource":{"type":["t"],"id":"1"}}`), 2},
		"a voicemail's time is odd":    {message(`{"id":"1","type":"VoiceMail","lastModifiedTime":"soon"}`), 1},
		"a text's type is odd":         {message(`{"id":"1","type":["SMS"],"direction":"Inbound"}`), 1},
	} {
		t.Run(fact, func(t *testing.T) {
			value, err := publish.NewState().Take(c.arrival)
			require.NoError(t, err)
			requireReceived(t, c.arrival, value)
			requireOdd(t, c.arrival, c.odd)
		})
	}
}

func TestAMessageNeedsNoDirection(t *testing.T) {
	for row, want := range map[string]string{
		`{"id":8000000000002}`: "received",
		`{"id":8000000000003,"type":"SMS","direction":"BrandNewValue","availability":"Alive","subject":"x"}`: "received",
		`{"id":1,"type":"SMS","direction":null}`:                         "received",
		`{"id":1,"type":"SMS","direction":["x"]}`:                        "received",
		`{"id":1,"type":"SMS","messageStatus":"Received"}`:               "received",
		`{"id":1,"type":"SMS","messageStatus":"BrandNew"}`:               "received",
		`{"id":1,"type":"SMS","messageStatus":"Queued"}`:                 "sent",
		`{"id":1,"type":"SMS","messageStatus":"Sent"}`:                   "sent",
		`{"id":1,"type":"SMS","messageStatus":"Delivered"}`:              "sent",
		`{"id":1,"type":"SMS","messageStatus":"DeliveryFailed"}`:         "sent",
		`{"id":1,"type":"SMS","messageStatus":"SendingFailed"}`:          "sent",
		`{"id":1,"type":"SMS","direction":"x","messageStatus":"Sent"}`:   "sent",
		`{"id":1,"lastModifiedTime":"soon","messageStatus":"Delivered"}`: "sent",
	} {
		state := publish.NewState()
		value, err := state.Take(message(row))
		require.NoError(t, err, row)
		event := value.(*schemas.MessageEvent)
		require.Equal(t, "message."+want, event.EventType, row)
		require.Equal(t, schemas.DirectionUnknown, event.Message.Direction, row)
		require.Equal(t, row, *event.Raw)
		again, err := state.Take(message(row))
		require.NoError(t, err)
		require.Nil(t, again, row)
	}
	for _, direction := range []string{`""`, `null`, `{}`, `["x"]`, `"BrandNewValue"`, `7`} {
		value, err := publish.NewState().Take(notice(instant("u", `{"id":"8000000000004","direction":`+direction+`}`)))
		require.NoError(t, err, direction)
		event := value.(*schemas.MessageEvent)
		require.Equal(t, "message.received", event.EventType, direction)
		require.Equal(t, schemas.DirectionInbound, event.Message.Direction, "of which alone there are instant ones")
	}
}

func TestOneNameCountsOfSeveral(t *testing.T) {
	for fact, c := range map[string]struct {
		arrival schemas.Arrival
		place   string
		want    any
	}{
		"the last of one name":                  {webhook(imported(`{"body":"a","body":"b"}`)), ".content.body", "b"},
		"not another case":                      {webhook(imported(`{"body":"a","Body":"b"}`)), ".content.body", "a"},
		"not another case before it":            {webhook(imported(`{"Body":"b","body":"a"}`)), ".content.body", "a"},
		"an event's members in another case":    {webhook(`{"Type":"content.imported","Id":"e","Resource":{"ID":"c1","Metadata":{"body":"a"}}}`), ".content.id", "c1"},
		"and its metadata":                      {webhook(`{"Type":"content.imported","Id":"e","Resource":{"ID":"c1","Metadata":{"body":"a"}}}`), ".content.body", "a"},
		"the exact id":                          {row("content", `{"ID":"c2","id":"c1"}`), ".content.id", "c1"},
		"a row's id in another case":            {row("content", `{"Id":"c1"}`), ".content.id", "c1"},
		"the first of several cases":            {row("content", `{"iD":"c2","Id":"c1"}`), ".content.id", "c1"},
		"where the exact one is null":           {row("content", `{"Id":"c1","id":null}`), ".content.id", "c1"},
		"an identity's":                         {row("identity", `{"ID":"i1"}`), ".id", "i1"},
		"a text's":                              {message(`{"Id":1,"Type":"SMS"}`), ".message.id", "1"},
		"a notification's":                      {notice(`{"UUID":"u","Event":"/restapi/v1.0/account/1/presence"}`), ".resource_id", "u"},
		"an instant text's":                     {notice(`{"uuid":"u","event":"/x/message-store/instant","Body":{"ID":"1"}}`), ".message.id", "1"},
		"a content that only its metadata name": {webhook(`{"type":"content.imported","id":"e","resource":{"metadata":{"id":"c1"}}}`), ".content.id", "c1"},
	} {
		t.Run(fact, func(t *testing.T) {
			value, err := publish.NewState().Take(c.arrival)
			require.NoError(t, err)
			require.Equal(t, c.want, shown(t, value, c.place))
		})
	}
}

func TestOddFieldsAreCountedOnce(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		a := webhook(imported(`{"thread_id":"t1","created_at":"soon","attachments":[{"id":"1","size":"big"},{"id":"2","size":"huge"}]}`))
		a.ReceivedAt = time.Now()
		b.arrive(a, message(`{"id":"7","type":"SMS","direction":"x"}`), row("identity", `{"id":"i1","user_ids":true}`))
		b.settle()
		require.Empty(b, b.committed(b.names.InboxDLQ))
		require.Equal(b, 4, b.metric("ringbridge_publish_odd_fields_total"))
	})
}
