package sandbox_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

func fieldsOf(t *testing.T, raw json.RawMessage) []string {
	t.Helper()
	var doc map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &doc), string(raw))
	return slices.Sorted(maps.Keys(doc))
}

func TestAWebhookLacksFields(t *testing.T) {
	tests := map[string]struct {
		how  sandbox.Payload
		want func(fields []string) bool
	}{
		"those that are named": {sandbox.Payload{Omit: []string{"category_ids", "private"}}, func(f []string) bool {
			return !slices.Contains(f, "category_ids") && !slices.Contains(f, "private") && slices.Contains(f, "body")
		}},
		"all but those that stay": {sandbox.Payload{OmitRate: 1, Keep: []string{"thread_id", "body"}}, func(f []string) bool {
			return slices.Equal(f, []string{"body", "thread_id"})
		}},
		"some": {sandbox.Payload{OmitRate: 0.5}, func(f []string) bool { return len(f) > 2 && len(f) < 19 }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := receiver{statuses: []int{500}}
				a := startHooked(t, &r, sandbox.Config{Delivery: sandbox.Delivery{Payload: test.how}})
				a.incoming(sandbox.Import{})
				time.Sleep(time.Minute)
				synctest.Wait()
				require.Len(t, r.requests, 2)
				fields := fieldsOf(t, r.requests[0].Events[0].Resource.Metadata)
				require.True(t, test.want(fields), fields)
				require.Equal(t, r.requests[0].Events[0].Event, r.requests[1].Events[0].Event, "sent again, it is the same event")
			})
		})
	}
}

func TestANotificationLacksFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		how := sandbox.Notifications{Payload: sandbox.Payload{OmitRate: 1, Keep: []string{"threadId", "conversation", "direction"}}}
		p, _ := subscribed(t, &l, sandbox.PlatformConfig{Notifications: how}, instantFilter, contentsPath+"/Imported")
		p.importMessage(sandbox.MessageImport{})
		synctest.Wait()
		p.importContent(sandbox.SocialImport{})
		synctest.Wait()
		got := l.received()
		require.Equal(t, []string{"conversation", "direction", "id"}, fieldsOf(t, got[0].Body))
		require.Equal(t, []string{"issuedAt", "resource"}, fieldsOf(t, got[1].Body))
		var body struct{ Resource json.RawMessage }
		require.NoError(t, json.Unmarshal(got[1].Body, &body))
		require.Equal(t, []string{"id", "threadId"}, fieldsOf(t, body.Resource))
	})
}

func TestTheTimeOfIssueIsAnother(t *testing.T) {
	for name, shift := range map[string]time.Duration{"later": 5 * time.Second, "in the future": 10 * 365 * 24 * time.Hour, "earlier": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				odd := sandbox.Payload{IssuedShift: sandbox.Duration(shift)}
				var r receiver
				startHooked(t, &r, sandbox.Config{Delivery: sandbox.Delivery{Payload: odd}}).incoming(sandbox.Import{})
				var l listener
				p, _ := subscribed(t, &l, sandbox.PlatformConfig{Notifications: sandbox.Notifications{Payload: odd}}, contentsPath+"/Imported")
				p.importContent(sandbox.SocialImport{})
				synctest.Wait()
				want := iso(time.Now().Add(shift))
				require.Equal(t, want, r.requests[0].Events[0].IssuedAt)
				require.Equal(t, want, l.received()[0].Timestamp)
				require.Contains(t, string(l.received()[0].Body), `"issuedAt":"`+want)
			})
		})
	}
}

// unpacker takes what is gzip'd.
type unpacker struct{ bodies []string }

func (u *unpacker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if token := r.Header.Get("Validation-Token"); token != "" {
		w.Header().Set("Validation-Token", token)
		w.Header().Set("Content-Type", "application/json")
		return
	}
	if r.Header.Get("Content-Encoding") != "gzip" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	in, err := gzip.NewReader(r.Body)
	if err == nil {
		body, _ := io.ReadAll(in)
		u.bodies = append(u.bodies, string(body))
	}
}

func TestBodiesAreCompressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var u unpacker
		odd := sandbox.Payload{Gzip: true}
		a := startWith(t, sandbox.Config{
			Webhook: sandbox.Webhook{URL: "http://bridge/"}, Delivery: sandbox.Delivery{Payload: odd},
			Platform: sandbox.PlatformConfig{Limits: unlimited(), Notifications: sandbox.Notifications{Payload: odd}},
		}, sandbox.Deps{HTTP: &http.Client{Transport: sandbox.Transport{Handler: &u}}})
		a.incoming(sandbox.Import{Body: "one"})
		synctest.Wait()
		p := &platform{Platform: a.Platform(), api: a}
		p.login()
		require.Equal(t, 200, p.subscribe("", contentsPath+"/Imported").status)
		p.importContent(sandbox.SocialImport{Body: "two"})
		synctest.Wait()
		require.Len(t, u.bodies, 2)
		require.True(t, strings.Contains(u.bodies[0], "one") && strings.Contains(u.bodies[1], "two"))
	})
}

func TestAnyFieldIsEdited(t *testing.T) {
	a := start(t, sandbox.Config{})
	made := a.incoming(sandbox.Import{Language: "en", ContextData: map[string]any{"a": "b"}})
	edited, err := a.Edit(made.ID, sandbox.Edit{Fields: json.RawMessage(`{"title":"t","language":"fr","foreign_id":null,"category_ids":["c"],"thread_id":"new"}`)})
	require.NoError(t, err)
	require.Equal(t, []any{"t", "fr", sandbox.Optional(""), []string{"c"}, "new", map[string]any{"a": "b"}},
		[]any{edited.Title, edited.Language, edited.ForeignID, edited.CategoryIDs, edited.ThreadID, edited.ContextData})
	require.Equal(t, edited, a.get("/1.0/contents/"+made.ID).content())
	require.Equal(t, "en", made.Language)
	p := a.Platform()
	social, err := p.ImportContents(sandbox.SocialImport{})
	require.NoError(t, err)
	other, err := p.EditContent(social[0].ID, sandbox.SocialEdit{Fields: json.RawMessage(`{"interventionId":"i","contextData":{"a":"b"}}`)})
	require.NoError(t, err)
	require.Equal(t, []any{sandbox.Optional("i"), map[string]any{"a": "b"}}, []any{other.InterventionID, other.ContextData})
	for name, fields := range map[string]string{"an id": `{"id":"x"}`, "a date": `{"created_at":"x"}`, "no object": `[]`, "another shape": `{"title":{}}`} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Edit(made.ID, sandbox.Edit{Fields: json.RawMessage(fields)})
			require.ErrorIs(t, err, sandbox.ErrInvalid)
		})
	}
}
