package webhook_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/samples"
	"github.com/ringbridge/ringbridge/internal/secret"
	"github.com/ringbridge/ringbridge/schemas"
)

func TestAnEventHasItsKindResourceAndKey(t *testing.T) {
	for fact, c := range map[string]struct{ event, kind, resource, key string }{
		"a content":                       {`{"type":"content.imported","resource":{"id":"c","metadata":{"thread_id":"t"}}}`, "content.imported", "c", "t"},
		"a content of a type to come":     {`{"type":"content.sung","resource":{"id":"c","metadata":{"thread_id":"t"}}}`, "content.sung", "c", "t"},
		"a content without a thread":      {`{"type":"content.imported","resource":{"id":"c","metadata":{"thread_id":null}}}`, "content.imported", "c", "c"},
		"a content without metadata":      {`{"type":"content.imported","resource":{"id":"c"}}`, "content.imported", "c", "c"},
		"an intervention with a thread":   {`{"type":"intervention.opened","resource":{"id":"i","metadata":{"thread_id":"t"}}}`, "intervention.opened", "i", "i"},
		"numbers for ids":                 {`{"type":"content.imported","resource":{"id":12345678901234567890,"metadata":{"thread_id":42}}}`, "content.imported", "12345678901234567890", "42"},
		"metadata that is text":           {`{"type":"content.imported","resource":{"id":"c","metadata":"x"}}`, "content.imported", "c", "c"},
		"a thread that is an object":      {`{"type":"content.imported","resource":{"id":"c","metadata":{"thread_id":{}}}}`, "content.imported", "c", "c"},
		"a resource that is text":         {`{"type":"task.created","resource":"x"}`, "task.created", "", ""},
		"a type that is an object":        {`{"type":{},"resource":{"id":"c"}}`, "", "c", "c"},
		"fields in another order":         {`{"resource":{"metadata":{"thread_id":"t"},"id":"c"},"type":"content.replied"}`, "content.replied", "c", "t"},
		"nothing":                         {`{}`, "", "", ""},
		"null":                            {`null`, "", "", ""},
		"a number":                        {`7`, "", "", ""},
		"an array":                        {`[{"type":"content.imported"}]`, "", "", ""},
		"escapes in what is read of it":   {`{"type":"content\u002eimported","resource":{"id":"\u0063"}}`, "content.imported", "c", "c"},
		"white space, kept as it arrived": {"{ \"type\" :\t\"x\" }", "x", "", ""},
	} {
		t.Run(fact, func(t *testing.T) {
			parts, err := webhook.Split(plain(`{"id":"r","domain_id":1,"events":[`+"\n "+c.event+" \n"+`,{"type":"other"}]}`), 1<<20)
			require.NoError(t, err)
			items := parts.Items
			require.Len(t, items, 2)
			a := items[0].Arrival
			require.Equal(t, c.event, string(a.Body))
			require.Equal(t, c.kind, a.Kind)
			require.Equal(t, c.key, items[0].Key)
			if c.resource == "" {
				require.Nil(t, a.ResourceID)
			} else {
				require.Equal(t, c.resource, *a.ResourceID)
			}
			require.Equal(t, schemas.OriginWebhook, a.Origin)
			require.Equal(t, schemas.ApiEngage, a.API)
			require.Equal(t, "application/json", a.ContentType)
		})
	}
}

func TestABodyOfNothingButBracketsIsBounded(t *testing.T) {
	_, err := webhook.Split(plain(`{"events":[`+strings.Repeat("0,", 20_000)+`0]}`), 1<<20)
	require.ErrorIs(t, err, webhook.ErrTooMany)
	parts, err := webhook.Split(plain(`{"events":[`+strings.Repeat("0,", 19_999)+`0]}`), 1<<20)
	require.NoError(t, err)
	require.Len(t, parts.Items, 20_000)
}

// plain is a body of which the headers say nothing.
func plain(text string) webhook.Body { return webhook.Body{Bytes: []byte(text)} }

// requests are the seeds: recorded and documented requests, when they are at hand,
// and what is wrong in ways of its own.
func requests(tb testing.TB) [][]byte {
	tb.Helper()
	seeds := [][]byte{
		[]byte(twoEvents), []byte(`{"events":[]}`), []byte(`{"events":null}`), []byte(`{"EVENTS":[1]}`), []byte(`[]`), []byte(``),
		[]byte(`{"events":[1,"a",null,{},[],true,{"type":1,"resource":{"id":{},"metadata":[]}}]}`),
		[]byte(`{"events":[{"type":"content.x","resource":{"id":"\ud800","metadata":{"thread_id":1e400}}}]}`),
		[]byte("\xef\xbb\xbf{\"events\":[{}]}"), []byte(`{"events":[{"type":"` + "\xff" + `"}]}`),
		[]byte(`{"events":[{}],"events":[{},{}]}`), []byte(strings.Repeat(`{"events":[`, 200)),
	}
	for _, request := range samples.Webhooks() {
		seeds = append(seeds, request)
	}
	return seeds
}

func FuzzSplit(f *testing.F) {
	for _, seed := range requests(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		parts, err := webhook.Split(webhook.Body{Bytes: body}, 1<<20)
		if err != nil {
			require.Empty(t, parts)
			return
		}
		require.NotEmpty(t, parts.Items)
		for _, item := range parts.Items {
			require.True(t, json.Valid(item.Arrival.Body))
			if json.Valid(body) { // then each event is a part of the body, unchanged
				require.True(t, bytes.Contains(body, item.Arrival.Body))
			}
			if item.Arrival.ResourceID != nil {
				require.NotEmpty(t, *item.Arrival.ResourceID)
				require.NotEmpty(t, item.Key)
			}
		}
	})
}

func FuzzSecret(f *testing.F) {
	for _, seed := range [][2]string{{"a", "a"}, {"a,b", "b"}, {"a, b", " b"}, {",", ""}, {"", ""}, {"a,b", "a,b"}, {"é", "é"}, {"a", "A"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, list, given string) {
		want := http.StatusUnauthorized
		for one := range strings.SplitSeq(list, ",") {
			if one = strings.TrimSpace(one); one != "" && one == given {
				want = http.StatusOK
			}
		}
		req := httptest.NewRequest(http.MethodPost, webhook.Path, strings.NewReader(twoEvents))
		req.Header[webhook.HeaderSecret] = []string{given}
		w := httptest.NewRecorder()
		cfg := webhook.Config{MaxBody: 1000, Secret: secret.String(list), VerifyToken: "t"}
		webhook.New(webhook.Deps{Inbox: &fakeInbox{}}, cfg).ServeHTTP(w, req)
		require.Equal(t, want, w.Code)
	})
}
