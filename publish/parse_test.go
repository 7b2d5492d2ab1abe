package publish_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/samples"
	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

var update = flag.Bool("update", false, "write the golden files anew")

// received is when the tests' arrivals came in.
var received = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func webhook(body string) schemas.Arrival {
	var event struct{ Type string }
	_ = json.Unmarshal([]byte(body), &event)
	return schemas.Arrival{
		ArrivalID: "a", Origin: schemas.OriginWebhook, API: schemas.ApiEngage, Account: "acme", Kind: event.Type,
		ReceivedAt: received, ContentType: "application/json", Body: []byte(body),
	}
}

func row(kind, body string) schemas.Arrival {
	a := webhook(body)
	a.Origin, a.Kind = schemas.OriginPoll, kind
	return a
}

// sample returns the event of a webhook request, as ingest splits it.
func sample(tb testing.TB, request []byte) string {
	tb.Helper()
	var envelope struct{ Events []json.RawMessage }
	require.NoError(tb, json.Unmarshal(request, &envelope))
	require.Len(tb, envelope.Events, 1)
	return string(envelope.Events[0])
}

// TestEverySampleBecomesItsEvent compares every field with a golden file.
func TestEverySampleBecomesItsEvent(t *testing.T) {
	arrivals := map[string]schemas.Arrival{}
	for name, request := range samples.Webhooks() {
		arrivals[name] = webhook(sample(t, request))
	}
	arrivals["ed_content_create_response_doc"] = row("content", string(samples.Get("ed_content_create_response_doc")))
	identity, err := os.ReadFile("testdata/identity.json")
	require.NoError(t, err)
	arrivals["identity"] = row("identity", string(identity))
	for name, arrival := range arrivals {
		t.Run(name, func(t *testing.T) {
			value, err := publish.NewState().Take(arrival)
			require.NoError(t, err)
			raw := "null"
			switch v := value.(type) {
			case *schemas.ContentEvent:
				raw, v.Raw = *v.Raw, nil
			case *schemas.ActivityEvent:
				raw, v.Data = v.Data, ""
			case *schemas.Identity:
				raw = string(arrival.Body)
			}
			require.Equal(t, string(arrival.Body), raw, "as received")
			got, err := json.MarshalIndent(value, "", "  ")
			require.NoError(t, err)
			golden(t, "testdata/golden/"+name+".json", got)
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, append(got, '\n'), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got)+"\n")
}

// content publishes one content event made of the metadata and returns it.
func content(t *testing.T, metadata string) *schemas.ContentEvent {
	t.Helper()
	value, err := publish.NewState().Take(webhook(imported(metadata)))
	require.NoError(t, err)
	return value.(*schemas.ContentEvent)
}

func imported(metadata string) string {
	return `{"type":"content.imported","id":"e1","issued_at":"2026-03-01T11:59:59.5Z","resource":{"type":"chat/message","id":"c1","metadata":` + metadata + `}}`
}

// lenient is metadata whose fields have another shape than their documentation says.
const lenient = `{"thread_id":8031152018338945839,"author_id":"","source_id":null,"body":null,"private":"false","published":"TRUE",
	"category_ids":[1,"b",null],"foreign_categories":null,"title":12,"language":"fr","in_reply_to_id":1e3,"unknown":{"x":[1]},"Body":"another field",
	"context_data":{"n":1.50,"s":"x","o":{"a":[1, 2]},"z":null},"has_attachment":1,
	"attachments":[{"id":7,"size":"12","filename":null,"public?":true},{"id":"8","size":3.0}]}`

func TestScalarsAreReadLeniently(t *testing.T) {
	c := content(t, lenient).Content
	require.Equal(t, "8031152018338945839", *c.ThreadID, "no digit is lost")
	require.Nil(t, c.AuthorID)
	require.Nil(t, c.SourceID)
	require.Empty(t, c.Body)
	require.Equal(t, new(false), c.Private)
	require.Equal(t, new(true), c.Published)
	require.Nil(t, c.RemotelyDeleted)
	require.Equal(t, []string{"1", "b"}, c.CategoryIds)
	require.Equal(t, []string{}, c.ForeignCategories)
	require.Equal(t, "12", *c.Title)
	require.Equal(t, "1e3", *c.InReplyToID)
	require.Equal(t, map[string]string{"n": "1.50", "s": `"x"`, "o": `{"a":[1, 2]}`, "z": "null"}, c.ContextData)
	require.Equal(t, []schemas.Attachment{{ID: "7", Size: new(int64(12))}, {ID: "8", Size: new(int64(3))}}, c.Attachments)
}

func TestTitleIsTheThreadsTitle(t *testing.T) {
	require.Equal(t, "thread", *content(t, `{"thread_title":"thread","title":"own"}`).Content.Title)
	require.Equal(t, "own", *content(t, `{"thread_title":null,"title":"own"}`).Content.Title)
	require.Nil(t, content(t, `{}`).Content.Title)
}

func TestChannelAndKindComeFromTheMetadataFirst(t *testing.T) {
	for fact, c := range map[string]struct{ resource, metadata, source, kind string }{
		"resource a/b":                {"a/b", `{}`, "a", "b"},
		"resource without a channel":  {"message", `{}`, "", "message"},
		"the metadata has both":       {"a/b", `{"source_type":"s","type":"t"}`, "s", "t"},
		"the metadata has the kind":   {"a/b", `{"type":"t"}`, "a", "t"},
		"a kind of several parts":     {"a/b/c", `{}`, "a", "b/c"},
		"no type at all, as it seems": {"", `{}`, "", ""},
	} {
		t.Run(fact, func(t *testing.T) {
			body := strings.Replace(imported(c.metadata), "chat/message", c.resource, 1)
			value, err := publish.NewState().Take(webhook(body))
			require.NoError(t, err)
			got := value.(*schemas.ContentEvent).Content
			require.Equal(t, c.source, deref(got.SourceType))
			require.Equal(t, c.kind, deref(got.Type))
		})
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestDirectionFollowsTheStatus(t *testing.T) {
	for status, want := range map[string]schemas.Direction{
		"new": "INBOUND", "assigned": "INBOUND", "replied": "INBOUND", "ignored": "INBOUND", "forwarded": "INBOUND",
		"user_reply": "OUTBOUND", "user_initiated": "OUTBOUND", "pending_approval": "OUTBOUND", "pending": "OUTBOUND",
		"draft": "UNKNOWN", "": "UNKNOWN",
	} {
		require.Equal(t, want, content(t, `{"status":"`+status+`"}`).Content.Direction, status)
	}
	require.Equal(t, schemas.DirectionUnknown, content(t, `{}`).Content.Direction)
}

func TestWithoutATimeOfItsOwnAnEventOccurredWhenItCame(t *testing.T) {
	value, err := publish.NewState().Take(webhook(strings.Replace(imported(`{}`), `"issued_at":"2026-03-01T11:59:59.5Z",`, "", 1)))
	require.NoError(t, err)
	require.Equal(t, received, value.(*schemas.ContentEvent).OccurredAt)
}

func TestRawIsValidText(t *testing.T) {
	event := content(t, "{\"body\":\"a\xffb\\ud800\"}")
	require.Equal(t, "a\uFFFDb\uFFFD", event.Content.Body)
	require.Contains(t, *event.Raw, "a\uFFFDb\\ud800")
}

func TestWhatHasNoIDIsRefused(t *testing.T) {
	for body, field := range map[string]string{
		`[]`: "", `null`: "", `"x"`: "", ``: "", `{`: "",
		`{"resource":{"id":"1"}}`:                               "type",
		`{"type":"","resource":{"id":"1"}}`:                     "type",
		`{"type":{},"resource":{"id":"1"}}`:                     "type",
		`{"type":["secret"],"resource":{"id":"1"}}`:             "type",
		`{"type":"content.imported"}`:                           "resource.id",
		`{"type":"content.imported","id":"e1","resource":[]}`:   "resource.id",
		`{"type":"content.imported","id":"e1","resource":"c1"}`: "resource.id",
		`{"type":"task.created","resource":{"id":null}}`:        "resource.id",
		`{"type":"task.created","resource":[]}`:                 "resource.id",
		`{"type":"task.created","resource":{"id":{"$oid":1}}}`:  "resource.id",
	} {
		_, err := publish.NewState().Take(webhook(body))
		var parse *publish.ParseError
		require.ErrorAs(t, err, &parse, body)
		require.Equal(t, field, parse.Field, body)
		require.NotContains(t, err.Error(), "secret")
	}
	for kind, body := range map[string]string{
		"content": `{"body":"x"}`, "identity": `{"id":null}`, "thread": `{"title":"x"}`, "": `{"id":["secret"]}`,
	} {
		_, err := publish.NewState().Take(row(kind, body))
		var parse *publish.ParseError
		require.ErrorAs(t, err, &parse)
		require.Equal(t, "id", parse.Field)
	}
}

func TestOtherEventsAreActivity(t *testing.T) {
	for fact, a := range map[string]schemas.Arrival{
		"a type not known yet":           webhook(`{"type":"galaxy.exploded","resource":{"type":"galaxy","id":1}}`),
		"a content type not known yet":   webhook(`{"type":"content.liked","resource":{"type":"x","id":"1","metadata":"whatever"}}`),
		"content.updated, which is ours": webhook(`{"type":"content.updated","resource":{"type":"x","id":"1"}}`),
		"a type called like a row":       webhook(`{"type":"identity","id":"9","resource":{"type":"x","id":"1"}}`),
		"another api's content":          {API: schemas.ApiUnknown, Origin: schemas.OriginWebhook, Body: []byte(imported(`{}`))},
		"an event row not known yet":     row("thread", `{"type":"thread","resource":{"id":"1"}}`),
		"a row of a kind not known yet":  row("thread", `{"id":"1","title":"x"}`),
		"a row of an api not known yet":  {API: schemas.ApiUnknown, Origin: schemas.OriginPoll, Kind: "content", Body: []byte(`{"id":"1"}`)},
		"a notification of such an api":  {API: schemas.ApiUnknown, Origin: schemas.OriginWebhook, Body: []byte(`{"event":"/x","uuid":"u"}`)},
		"a text's row that is a content": {API: schemas.ApiSms, Origin: schemas.OriginPoll, Kind: "content", Body: []byte(`{"id":"1"}`)},
		"an event about no resource":     webhook(`{"type":"agent.vanished","id":"e1"}`),
	} {
		t.Run(fact, func(t *testing.T) {
			value, err := publish.NewState().Take(a)
			require.NoError(t, err)
			event := value.(*schemas.ActivityEvent)
			require.Equal(t, string(a.Body), event.Data)
			require.NotEmpty(t, event.EventType)
			require.NotEmpty(t, *event.ResourceID)
		})
	}
}
