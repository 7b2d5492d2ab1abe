package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
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
)

// fakeInbox keeps what it is given, or fails.
type fakeInbox struct {
	fail    error
	panics  bool
	items   []ingest.Item
	refused []ingest.Refusal
}

func (f *fakeInbox) Accept(_ context.Context, items ...ingest.Item) error {
	if f.panics {
		panic("no")
	}
	if f.fail == nil {
		f.items = append(f.items, items...)
	}
	return f.fail
}

func (f *fakeInbox) Refuse(_ context.Context, refusals ...ingest.Refusal) error {
	if f.fail == nil {
		f.refused = append(f.refused, refusals...)
	}
	return f.fail
}

// config is a receiver with all that can be configured.
func config() webhook.Config {
	return webhook.Config{MaxBody: 1000, VerifyToken: "token", Secret: "old, new", PlatformToken: "before, after"}
}

const twoEvents = `{"id":"r","events":[ {"type":"content.imported"} , {"type":"task.created"}]}`

// post sends a body with the right secret; change alters the request.
func post(inbox webhook.Inbox, cfg webhook.Config, body io.Reader, change ...func(*http.Request)) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, webhook.Path, body)
	req.Header.Set(webhook.HeaderSecret, "new")
	for _, c := range change {
		c(req)
	}
	w := httptest.NewRecorder()
	webhook.New(webhook.Deps{Inbox: inbox}, cfg).ServeHTTP(w, req)
	return w
}

func TestOnlyWhoKnowsASecretIsHeard(t *testing.T) {
	for fact, c := range map[string]struct {
		secret []string
		cfg    func(*webhook.Config)
		want   int
	}{
		"the first of the list":  {secret: []string{"old"}, want: 200},
		"the second of the list": {secret: []string{"new"}, want: 200},
		"the list itself":        {secret: []string{"old, new"}, want: 401},
		"another":                {secret: []string{"newer"}, want: 401},
		"a beginning":            {secret: []string{"ne"}, want: 401},
		"nothing":                {secret: []string{""}, want: 401},
		"no header":              {secret: nil, want: 401},
		"another first":          {secret: []string{"wrong", "new"}, want: 401},
		"the verify token":       {secret: []string{"token"}, want: 401},
		"nothing, to a list with an empty member": {secret: []string{""}, cfg: func(c *webhook.Config) { c.Secret = "old,," }, want: 401},
		"no header, to a receiver without one":    {secret: nil, cfg: func(c *webhook.Config) { c.Secret = "" }, want: 401},
		"anything, to a receiver without one":     {secret: []string{"x"}, cfg: func(c *webhook.Config) { c.Secret = "" }, want: 401},
		"anything, where nothing is configured": {
			secret: []string{"x"}, want: 404,
			cfg: func(c *webhook.Config) { c.Secret, c.VerifyToken = "", "" },
		},
	} {
		t.Run(fact, func(t *testing.T) {
			inbox, cfg := &fakeInbox{}, config()
			if c.cfg != nil {
				c.cfg(&cfg)
			}
			read := false
			body := readerFunc(func(p []byte) (int, error) { read = true; return copy(p, twoEvents), io.EOF })
			w := post(inbox, cfg, body, func(r *http.Request) { r.Header[webhook.HeaderSecret] = c.secret })
			require.Equal(t, c.want, w.Code)
			require.Equal(t, c.want == 200, read, "the body is read only after the secret")
			require.Equal(t, c.want == 200, len(inbox.items) == 2)
			require.Empty(t, inbox.refused)
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestTheHandshakeEchoesTheChallengeExactly(t *testing.T) {
	challenge := "a b+c/ü<script>%\"\n"
	right := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {challenge}, "hub.verify_token": {"token"}}
	for fact, c := range map[string]struct {
		query  func(url.Values)
		secret string
		cfg    func(*webhook.Config)
		want   int
	}{
		"right":                      {secret: "new", want: 200},
		"wrong token":                {secret: "new", query: func(v url.Values) { v.Set("hub.verify_token", "x") }, want: 401},
		"no token":                   {secret: "new", query: func(v url.Values) { v.Del("hub.verify_token") }, want: 401},
		"wrong secret":               {secret: "x", want: 401},
		"no secret":                  {want: 401},
		"no mode":                    {secret: "new", query: func(v url.Values) { v.Del("hub.mode") }, want: 400},
		"another mode":               {secret: "new", query: func(v url.Values) { v.Set("hub.mode", "unsubscribe") }, want: 400},
		"no challenge":               {secret: "new", query: func(v url.Values) { v.Del("hub.challenge") }, want: 400},
		"no challenge, wrong token":  {secret: "new", query: func(v url.Values) { v.Del("hub.challenge"); v.Set("hub.verify_token", "x") }, want: 401},
		"a token and no secrets":     {cfg: func(c *webhook.Config) { c.Secret = "" }, want: 200},
		"a secret and no tokens":     {cfg: func(c *webhook.Config) { c.VerifyToken = "" }, secret: "old", query: func(v url.Values) { v.Del("hub.verify_token") }, want: 200},
		"wrong secret and no tokens": {cfg: func(c *webhook.Config) { c.VerifyToken = "" }, secret: "x", want: 401},
		"nothing is configured":      {cfg: func(c *webhook.Config) { c.VerifyToken, c.Secret = "", "" }, want: 404},
	} {
		t.Run(fact, func(t *testing.T) {
			query, cfg := maps.Clone(right), config()
			if c.query != nil {
				c.query(query)
			}
			if c.cfg != nil {
				c.cfg(&cfg)
			}
			req := httptest.NewRequest(http.MethodGet, webhook.Path+"?"+query.Encode(), nil)
			if c.secret != "" {
				req.Header.Set(webhook.HeaderSecret, c.secret)
			}
			w := httptest.NewRecorder()
			webhook.New(webhook.Deps{Inbox: &fakeInbox{}}, cfg).ServeHTTP(w, req)
			require.Equal(t, c.want, w.Code)
			if c.want != 200 {
				require.NotContains(t, w.Body.String(), "script")
				return
			}
			require.Equal(t, challenge, w.Body.String())
			require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
			require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		})
	}
}

func TestEveryRequestHasItsAnswer(t *testing.T) {
	outage := errors.New("no broker")
	for fact, c := range map[string]struct {
		body   io.Reader
		change func(*http.Request)
		inbox  fakeInbox
		status int
		items  int
		letter string
	}{
		"events":                    {body: strings.NewReader(twoEvents), status: 200, items: 2},
		"not JSON":                  {body: strings.NewReader(`{"events":[`), status: 200, letter: `{"events":[`},
		"nothing at all":            {body: strings.NewReader(""), status: 200, letter: ""},
		"no events":                 {body: strings.NewReader(`{"id":"x"}`), status: 200, letter: `{"id":"x"}`},
		"an empty array":            {body: strings.NewReader(`{"events":[]}`), status: 200, letter: `{"events":[]}`},
		"events that are no array":  {body: strings.NewReader(`{"events":{}}`), status: 200, letter: `{"events":{}}`},
		"an array":                  {body: strings.NewReader(`[1]`), status: 200, letter: `[1]`},
		"a compressed body":         {body: strings.NewReader("\x1f\x8b"), status: 200, letter: "\x1f\x8b"},
		"the limit exactly":         {body: strings.NewReader(padded(1000)), status: 200, items: 1},
		"one byte more":             {body: strings.NewReader(padded(1001)), status: 413},
		"one more of unknown size":  {body: io.MultiReader(strings.NewReader(padded(1001))), status: 413},
		"a size that is a lie":      {body: strings.NewReader(padded(1001)), change: func(r *http.Request) { r.ContentLength = 10 }, status: 413},
		"a sender that stops":       {body: io.MultiReader(strings.NewReader(`{"ev`), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF })), status: 400},
		"events in an outage":       {body: strings.NewReader(twoEvents), inbox: fakeInbox{fail: outage}, status: 503},
		"a letter in an outage":     {body: strings.NewReader("x"), inbox: fakeInbox{fail: outage}, status: 503},
		"before the codec is known": {body: strings.NewReader(twoEvents), inbox: fakeInbox{fail: ingest.ErrNotReady}, status: 503},
		"a fault of ours":           {body: strings.NewReader(twoEvents), inbox: fakeInbox{panics: true}, status: 500},
		"another method":            {body: strings.NewReader(twoEvents), change: func(r *http.Request) { r.Method = http.MethodPut }, status: 405},
		"another path":              {body: strings.NewReader(twoEvents), change: func(r *http.Request) { r.URL.Path += "/" }, status: 404},
		"the root":                  {body: strings.NewReader(twoEvents), change: func(r *http.Request) { r.URL.Path = "/" }, status: 404},
	} {
		t.Run(fact, func(t *testing.T) {
			w := post(&c.inbox, config(), c.body, func(r *http.Request) {
				if c.change != nil {
					c.change(r)
				}
			})
			require.Equal(t, c.status, w.Code)
			require.Len(t, c.inbox.items, c.items)
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

func TestWhatThePathDoesNotCarryIsALetterByteForByte(t *testing.T) {
	for _, name := range []string{"ed_agent_status", "ed_attachment_2018", "ed_bb_source_sdk_implementation_info", "ed_intervention", "ed_thread"} {
		var inbox fakeInbox
		cfg := config()
		cfg.MaxBody = 1 << 20
		require.Equal(t, 200, post(&inbox, cfg, bytes.NewReader(samples.Get(name))).Code, name)
		require.Empty(t, inbox.items, name)
		require.Len(t, inbox.refused, 1, name)
		require.Equal(t, string(samples.Get(name)), string(inbox.refused[0].Body))
	}
}

func TestABodyThatIsToldToBeTooLargeIsNotRead(t *testing.T) {
	body := readerFunc(func([]byte) (int, error) { t.Error("read"); return 0, io.EOF })
	w := post(&fakeInbox{}, config(), body, func(r *http.Request) { r.ContentLength = 1001 })
	require.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
}

// padded is a request of n bytes.
func padded(n int) string {
	const frame = `{"events":[""]}`
	return `{"events":["` + strings.Repeat("x", n-len(frame)) + `"]}`
}

func TestTheTraceOfTheRequestGoesAlong(t *testing.T) {
	parent := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	inbox := &fakeInbox{}
	post(inbox, config(), strings.NewReader(twoEvents), func(r *http.Request) { r.Header.Set("Traceparent", parent) })
	post(inbox, config(), strings.NewReader(twoEvents))
	require.Equal(t, parent, inbox.items[0].TraceParent)
	require.Equal(t, parent, inbox.items[1].TraceParent)
	require.NotEqual(t, parent, inbox.items[2].TraceParent)
	require.Equal(t, inbox.items[2].TraceParent, inbox.items[3].TraceParent)
}

func TestNothingSecretAndNoTextIsLoggedOrAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		cfg := webhook.Config{MaxBody: 1000, VerifyToken: "hunter2", Secret: "hunter3"}
		r := webhook.New(webhook.Deps{
			Inbox: &fakeInbox{fail: errors.New("outage")}, Logger: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
		}, cfg)
		for _, target := range []string{webhook.Path, webhook.Path + "?hub.mode=subscribe&hub.challenge=hunter4&hub.verify_token=hunter5"} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				for _, presented := range []string{"hunter3", "hunter6"} {
					req := httptest.NewRequest(method, target, strings.NewReader(`{"events":["hunter7"]}`))
					req.Header.Set(webhook.HeaderSecret, presented)
					w := httptest.NewRecorder()
					r.ServeHTTP(w, req)
					require.NotContains(t, w.Body.String(), "hunter")
				}
			}
		}
		require.Contains(t, logged.String(), "unauthorized")
		require.NotContains(t, logged.String(), "hunter")
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg), "hunter")
	})
}

func TestRefusalsAreCountedAndDoNotFloodTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		reg := prometheus.NewRegistry()
		r := webhook.New(webhook.Deps{Inbox: &fakeInbox{}, Logger: slog.New(slog.NewTextHandler(&logged, nil)), Registerer: reg}, config())
		for range 1000 {
			r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, webhook.Path, nil))
			r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, webhook.PlatformPath, nil))
		}
		require.Equal(t, 2, strings.Count(logged.String(), "unauthorized"), "one for each endpoint")
		require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP ringbridge_webhook_requests_total Requests to the webhook addresses, by who sends there and what became of them.
# TYPE ringbridge_webhook_requests_total counter
ringbridge_webhook_requests_total{endpoint="engage",result="accepted"} 0
ringbridge_webhook_requests_total{endpoint="engage",result="bad_request"} 0
ringbridge_webhook_requests_total{endpoint="engage",result="deadlettered"} 0
ringbridge_webhook_requests_total{endpoint="engage",result="handshake"} 0
ringbridge_webhook_requests_total{endpoint="engage",result="panicked"} 0
ringbridge_webhook_requests_total{endpoint="engage",result="too_large"} 0
ringbridge_webhook_requests_total{endpoint="engage",result="unauthorized"} 1000
ringbridge_webhook_requests_total{endpoint="engage",result="unavailable"} 0
ringbridge_webhook_requests_total{endpoint="ringcentral",result="accepted"} 0
ringbridge_webhook_requests_total{endpoint="ringcentral",result="bad_request"} 0
ringbridge_webhook_requests_total{endpoint="ringcentral",result="deadlettered"} 0
ringbridge_webhook_requests_total{endpoint="ringcentral",result="handshake"} 0
ringbridge_webhook_requests_total{endpoint="ringcentral",result="panicked"} 0
ringbridge_webhook_requests_total{endpoint="ringcentral",result="too_large"} 0
ringbridge_webhook_requests_total{endpoint="ringcentral",result="unauthorized"} 1000
ringbridge_webhook_requests_total{endpoint="ringcentral",result="unavailable"} 0
`), "ringbridge_webhook_requests_total"))
	})
}

func TestConfigNamesEveryFaultAndRepeatsNoValue(t *testing.T) {
	err := webhook.Config{MaxBody: 0, VerifyToken: " , ", Secret: "good,hunter 2", PlatformToken: "hunter\t3"}.Validate()
	for _, variable := range []string{"HTTP_MAX_BODY", "ENGAGE_WEBHOOK_VERIFY_TOKEN", "ENGAGE_WEBHOOK_SECRET", "RINGCENTRAL_WEBHOOK_TOKEN"} {
		require.ErrorContains(t, err, variable)
	}
	require.NotContains(t, err.Error(), "hunter")
	require.NoError(t, config().Validate())
	require.NoError(t, webhook.Config{MaxBody: 5242880}.Validate())
	require.Error(t, webhook.Config{MaxBody: 16 << 20}.Validate())
}

func TestWhatIsReceivedIsInKafkaByteForByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		inbox, cfg := k.Inbox(t, codec), webhook.Config{MaxBody: 5 << 20, Secret: "new"}
		var sent []string
		for _, body := range requests(t) {
			require.Equal(t, 200, post(inbox, cfg, bytes.NewReader(body)).Code)
			var request struct{ Events []json.RawMessage }
			if json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &request) == nil {
				for _, event := range request.Events {
					sent = append(sent, string(event))
				}
			}
		}
		sent = append(sent, "{}") // of the list that stands before another one of its name
		var kept []string
		for _, a := range k.Arrivals(t, codec) {
			kept = append(kept, string(a.Body))
		}
		require.ElementsMatch(t, sent, kept)
		require.Len(t, k.Records(t, k.Names.InboxDLQ), 5, "what holds no events")
	})
}
