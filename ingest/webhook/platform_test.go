package webhook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/ingesttest"
	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/samples"
	"github.com/ringbridge/ringbridge/schemas"
)

const hint = `{"uuid":"u","event":"/restapi/v1.0/account/1/extension/2/message-store?type=SMS","ownerId":"3","body":{"extensionId":4,"changes":[]}}`

// notify sends a body to the platform's address with the right token; change
// alters the request.
func notify(deps webhook.Deps, cfg webhook.Config, body io.Reader, change ...func(*http.Request)) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, webhook.PlatformPath, body)
	req.Header.Set(webhook.HeaderVerification, "after")
	for _, c := range change {
		c(req)
	}
	w := httptest.NewRecorder()
	webhook.New(deps, cfg).ServeHTTP(w, req)
	return w
}

func TestTheValidationTokenIsSentBack(t *testing.T) {
	unsized := func(r *http.Request) { r.ContentLength = -1 }
	for fact, c := range map[string]struct {
		token  string
		body   string
		change func(*http.Request)
		want   int
	}{
		"as the platform sends it":          {token: "0a1b-2c3d", want: 200},
		"of a length that is not told":      {token: "0a1b-2c3d", change: unsized, want: 200},
		"with a verification token":         {token: "x", change: func(r *http.Request) { r.Header.Set("Verification-Token", "after") }, want: 200},
		"with a wrong one, which tells all": {token: "x", change: func(r *http.Request) { r.Header.Set("Verification-Token", "wrong") }, want: 200},
		"the longest":                       {token: strings.Repeat("x", 512), want: 200},
		"longer than an answer may be":      {token: strings.Repeat("x", 513), want: 400},
		"what no header should hold":        {token: "a\x01b", want: 400},
		"a space":                           {token: "a b", want: 400},
		"another alphabet":                  {token: "é", want: 400},
		"with a body it is no validation":   {token: "x", body: hint, want: 401},
		"also of a length that is not told": {token: "x", body: hint, change: unsized, want: 401},
		"nothing to send back":              {token: "", want: 401},
	} {
		t.Run(fact, func(t *testing.T) {
			inbox := &fakeInbox{}
			w := notify(webhook.Deps{Inbox: inbox}, config(), strings.NewReader(c.body), func(r *http.Request) {
				r.Header.Del("Verification-Token")
				r.Header.Set("Validation-Token", c.token)
				if c.change != nil {
					c.change(r)
				}
			})
			require.Equal(t, c.want, w.Code)
			require.Empty(t, inbox.items)
			require.Empty(t, inbox.refused)
			require.Empty(t, w.Body.String())
			if c.want != 200 {
				require.Empty(t, w.Header().Values("Validation-Token"))
				return
			}
			require.Equal(t, []string{c.token}, w.Header().Values("Validation-Token"))
			require.Equal(t, "application/json", w.Header().Get("Content-Type"), "else it is SUB-525")
		})
	}
}

func TestAnAnswerIsNoLargerThanThePlatformTakes(t *testing.T) {
	server := httptest.NewServer(webhook.New(webhook.Deps{Inbox: &fakeInbox{}}, config()))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+webhook.PlatformPath, nil)
	require.NoError(t, err)
	req.Header.Set("Validation-Token", strings.Repeat("x", 512))
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
	var raw bytes.Buffer
	require.NoError(t, resp.Write(&raw))
	require.LessOrEqual(t, raw.Len(), 1024)
}

func TestOnlyWhoKnowsATokenNotifies(t *testing.T) {
	for fact, c := range map[string]struct {
		verification, validation string
		cfg                      func(*webhook.Config)
		want                     int
	}{
		"the first of the list":                      {verification: "before", want: 200},
		"the second of the list":                     {verification: "after", want: 200},
		"the list itself":                            {verification: "before, after", want: 401},
		"a part of a token":                          {verification: "befor", want: 401},
		"none":                                       {want: 401},
		"the older name of the header":               {validation: "after", want: 200},
		"the older name with another value":          {validation: "x", want: 401},
		"both, of which the newer counts":            {verification: "x", validation: "after", want: 401},
		"the secret of the other endpoint":           {verification: "new", want: 401},
		"nothing is configured":                      {verification: "after", cfg: func(c *webhook.Config) { c.PlatformToken = "" }, want: 404},
		"nothing but this is configured":             {verification: "after", cfg: func(c *webhook.Config) { c.VerifyToken, c.Secret = "", "" }, want: 200},
		"a list of nothing, and an empty token":      {cfg: func(c *webhook.Config) { c.PlatformToken = " , " }, want: 404},
		"an unknown sender whose body is never read": {verification: "x", want: 401},
	} {
		t.Run(fact, func(t *testing.T) {
			inbox, cfg := &fakeInbox{}, config()
			if c.cfg != nil {
				c.cfg(&cfg)
			}
			w := notify(webhook.Deps{Inbox: inbox}, cfg, strings.NewReader(hint), func(r *http.Request) {
				r.Header.Set("Verification-Token", c.verification)
				r.Header.Set("Validation-Token", c.validation)
			})
			require.Equal(t, c.want, w.Code)
			require.Len(t, inbox.items, map[bool]int{true: 1}[c.want == 200])
			require.Empty(t, w.Header().Values("Validation-Token"))
		})
	}
}

func TestEveryNotificationHasItsAnswer(t *testing.T) {
	outage := errors.New("no broker")
	for fact, c := range map[string]struct {
		body   io.Reader
		change func(*http.Request)
		inbox  fakeInbox
		status int
		items  int
		letter string
	}{
		"a notification":                {body: strings.NewReader(hint), status: 200, items: 1},
		"without a length":              {body: strings.NewReader(hint), change: func(r *http.Request) { r.ContentLength = -1 }, status: 200, items: 1},
		"not JSON":                      {body: strings.NewReader(`{"event":`), status: 200, letter: `{"event":`},
		"nothing at all":                {body: strings.NewReader(""), status: 200, letter: ""},
		"no event":                      {body: strings.NewReader(`{"uuid":"u"}`), status: 200, letter: `{"uuid":"u"}`},
		"an event that is an object":    {body: strings.NewReader(`{"event":{}}`), status: 200, letter: `{"event":{}}`},
		"an array":                      {body: strings.NewReader(`[` + hint + `]`), status: 200, items: 1},
		"an array of none":              {body: strings.NewReader(`[7]`), status: 200, letter: `[7]`},
		"null":                          {body: strings.NewReader(`null`), status: 200, letter: `null`},
		"a webhook of Engage":           {body: strings.NewReader(twoEvents), status: 200, letter: twoEvents},
		"the limit exactly":             {body: strings.NewReader(paddedNotification(1000)), status: 200, items: 1},
		"one byte more":                 {body: strings.NewReader(paddedNotification(1001)), status: 413},
		"one more of unknown size":      {body: io.MultiReader(strings.NewReader(paddedNotification(1001))), status: 413},
		"a sender that stops":           {body: io.MultiReader(strings.NewReader(`{"ev`), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF })), status: 400},
		"in an outage":                  {body: strings.NewReader(hint), inbox: fakeInbox{fail: outage}, status: 503},
		"a letter in an outage":         {body: strings.NewReader("x"), inbox: fakeInbox{fail: outage}, status: 503},
		"before the codec is known":     {body: strings.NewReader(hint), inbox: fakeInbox{fail: ingest.ErrNotReady}, status: 503},
		"a fault of ours":               {body: strings.NewReader(hint), inbox: fakeInbox{panics: true}, status: 500},
		"another method":                {body: strings.NewReader(hint), change: func(r *http.Request) { r.Method = http.MethodGet }, status: 405},
		"another path":                  {body: strings.NewReader(hint), change: func(r *http.Request) { r.URL.Path += "/x" }, status: 404},
		"the token in the query, alone": {body: strings.NewReader(hint), change: func(r *http.Request) { r.Header.Del("Verification-Token"); r.URL.RawQuery = "token=after" }, status: 401},
	} {
		t.Run(fact, func(t *testing.T) {
			hinted := 0
			w := notify(webhook.Deps{Inbox: &c.inbox, Hint: func(string) { hinted++ }}, config(), c.body, func(r *http.Request) {
				if c.change != nil {
					c.change(r)
				}
			})
			require.Equal(t, c.status, w.Code)
			require.Len(t, c.inbox.items, c.items)
			if c.status != 200 {
				require.Zero(t, hinted, "only what is safe is told")
			}
			switch {
			case c.status == 200 && c.items == 0:
				require.Len(t, c.inbox.refused, 1)
				require.Equal(t, c.letter, string(c.inbox.refused[0].Body))
			case c.status == 503:
				require.NotEmpty(t, w.Header().Get("Retry-After"))
			}
			if c.status != 404 && c.status != 405 {
				require.Empty(t, w.Body.String())
			}
		})
	}
}

// paddedNotification is a notification of n bytes.
func paddedNotification(n int) string {
	const frame = `{"event":""}`
	return `{"event":"` + strings.Repeat("x", n-len(frame)) + `"}`
}

func TestAHintIsHandedOn(t *testing.T) {
	const path = "/restapi/v1.0/account/1/extension/"
	for fact, c := range map[string]struct {
		body string
		want []string
	}{
		"the extension of the body":             {hint, []string{"4"}},
		"also as text":                          {strings.Replace(hint, `"extensionId":4`, `"extensionId":"823476228762"`, 1), []string{"823476228762"}},
		"else that of the event":                {`{"event":"` + path + `2/message-store?type=SMS","ownerId":"3"}`, []string{"2"}},
		"else the owner":                        {`{"event":"` + path + `~/message-store","ownerId":3}`, []string{"3"}},
		"even when nobody knows whose it is":    {`{"event":"/x/message-store"}`, []string{""}},
		"an instant text is none":               {`{"event":"` + path + `2/message-store/instant?type=SMS","ownerId":"3"}`, nil},
		"a fax is none":                         {`{"event":"` + path + `2/fax","ownerId":"3"}`, nil},
		"something that is called so elsewhere": {`{"event":"` + path + `2/fax?of=/message-store","ownerId":"3"}`, nil},
	} {
		t.Run(fact, func(t *testing.T) {
			var told []string
			inbox := &fakeInbox{}
			w := notify(webhook.Deps{Inbox: inbox, Hint: func(extension string) {
				require.Len(t, inbox.items, 1, "safe before it is told")
				told = append(told, extension)
			}}, config(), strings.NewReader(c.body))
			require.Equal(t, 200, w.Code)
			require.Equal(t, c.want, told)
		})
	}
	require.Equal(t, 200, notify(webhook.Deps{Inbox: &fakeInbox{}}, config(), strings.NewReader(hint)).Code, "with nobody to tell")
}

func TestANotificationHasItsAPIResourceAndKey(t *testing.T) {
	const instant, store = `"event":"/restapi/v1.0/account/1/extension/2/message-store/instant?type=SMS"`, `"event":"/restapi/v1.0/account/1/extension/2/message-store"`
	const social = `"event":"/cx/social-messaging/v1/contents/Imported"`
	for fact, c := range map[string]struct {
		body, resource, key string
		api                 schemas.Api
	}{
		"an instant text":                {`{"uuid":"u",` + instant + `,"body":{"id":"7","conversation":{"id":"9"},"conversationId":"8"}}`, "7", "9", "SMS"},
		"in the older form":              {`{"uuid":"u",` + instant + `,"body":{"id":606090030016,"conversationId":8031152018338945839}}`, "606090030016", "8031152018338945839", "SMS"},
		"without a conversation":         {`{"uuid":"u",` + instant + `,"body":{"id":"7","conversation":null}}`, "7", "7", "SMS"},
		"a hint":                         {`{"uuid":5496200236759723935,` + store + `,"body":{"extensionId":4}}`, "5496200236759723935", "5496200236759723935", "SMS"},
		"without a body":                 {`{"uuid":"u",` + store + `}`, "u", "u", "SMS"},
		"a body that is text":            {`{"uuid":"u",` + store + `,"body":"x"}`, "u", "u", "SMS"},
		"a conversation that is text":    {`{"uuid":"u",` + instant + `,"body":{"conversation":"x","id":"7"}}`, "7", "7", "SMS"},
		"an id that is an object":        {`{"uuid":"u",` + instant + `,"body":{"id":{},"conversation":{"id":"9"}}}`, "u", "9", "SMS"},
		"a content":                      {`{"uuid":"u",` + social + `,"body":{"resource":{"id":"c","threadId":"t"}}}`, "c", "t", "SOCIAL"},
		"a content without a thread":     {`{"uuid":"u",` + social + `,"body":{"resource":{"id":"c"},"conversation":{"id":"9"}}}`, "c", "c", "SOCIAL"},
		"a content of the former prefix": {`{"uuid":"u","event":"/engage/advanced-messaging/v1/contents/imported","body":{"resource":{"id":"c","threadId":"t"}}}`, "c", "t", "SOCIAL"},
		"a name within the query":        {`{"uuid":"u","event":"/restapi/v1.0/x?y=/social-messaging/","body":{"id":"7"}}`, "7", "7", "SMS"},
		"nothing but an event":           {`{"event":"/x"}`, "", "", "SMS"},
	} {
		t.Run(fact, func(t *testing.T) {
			parts, err := webhook.SplitNotifications(plain(c.body), 1<<20)
			require.NoError(t, err)
			items := parts.Items
			require.Len(t, items, 1)
			a := items[0].Arrival
			require.Equal(t, c.body, string(a.Body))
			require.Equal(t, "notification", a.Kind)
			require.Equal(t, c.api, a.API)
			require.Equal(t, c.key, items[0].Key)
			if c.resource == "" {
				require.Nil(t, a.ResourceID)
			} else {
				require.Equal(t, c.resource, *a.ResourceID)
			}
			require.Equal(t, schemas.OriginWebhook, a.Origin)
			require.Equal(t, "application/json", a.ContentType)
		})
	}
}

func TestNoTokenIsLoggedOrAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		log := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		cfg := webhook.Config{MaxBody: 1000, PlatformToken: "hunter2"}
		reg := prometheus.NewRegistry()
		r := webhook.New(webhook.Deps{Inbox: &fakeInbox{}, Logger: log, Registerer: reg}, cfg)
		for _, token := range []string{"hunter2", "hunter3"} {
			for _, body := range []string{`{"event":"hunter4"}`, `hunter5`} {
				req := httptest.NewRequest(http.MethodPost, webhook.PlatformPath, strings.NewReader(body))
				req.Header.Set(webhook.HeaderVerification, token)
				w := httptest.NewRecorder()
				r.ServeHTTP(w, req)
				require.NotContains(t, fmt.Sprint(w.Header(), w.Body), "hunter")
			}
		}
		require.Contains(t, logged.String(), "endpoint=ringcentral")
		require.NotContains(t, logged.String(), "hunter")
		require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP ringbridge_webhook_events_total Events of accepted webhooks.
# TYPE ringbridge_webhook_events_total counter
ringbridge_webhook_events_total{endpoint="engage"} 0
ringbridge_webhook_events_total{endpoint="ringcentral"} 1
`), "ringbridge_webhook_events_total"))
	})
}

func TestEveryNotificationSampleIsInKafkaByteForByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		inbox, cfg := k.Inbox(t, codec), webhook.Config{MaxBody: 5 << 20, PlatformToken: "after"}
		var sent, kept []string
		for _, body := range samples.Notifications() {
			require.Equal(t, 200, notify(webhook.Deps{Inbox: inbox}, cfg, bytes.NewReader(body)).Code)
			sent = append(sent, string(body))
		}
		for _, a := range k.Arrivals(t, codec) {
			kept = append(kept, string(a.Body))
			require.Equal(t, schemas.ApiSms, a.API)
		}
		require.ElementsMatch(t, sent, kept)
		require.Empty(t, k.Records(t, k.Names.InboxDLQ))
	})
}

func FuzzSplitNotification(f *testing.F) {
	for _, seed := range samples.Notifications() {
		f.Add(seed)
	}
	for _, seed := range requests(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		parts, err := webhook.SplitNotifications(webhook.Body{Bytes: body}, 1<<20)
		if err != nil {
			require.Empty(t, parts)
			return
		}
		require.NotEmpty(t, parts.Items)
		for _, item := range parts.Items {
			require.True(t, json.Valid(item.Arrival.Body))
			if item.Arrival.ResourceID != nil {
				require.NotEmpty(t, *item.Arrival.ResourceID)
				require.NotEmpty(t, item.Key)
			}
		}
	})
}
