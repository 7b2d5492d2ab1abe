package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/tracing/tracingtest"
)

const sendersTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// send posts a body to an address, with everything that must not be told.
func send(t *testing.T, spans *tracingtest.Recorder, inbox webhook.Inbox, path, body string, change ...func(*http.Request)) {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, path+"?hub.verify_token=hunter2", strings.NewReader(body))
	req.Header.Set(webhook.HeaderSecret, "new")
	req.Header.Set(webhook.HeaderVerification, "after")
	req.Header.Set("Traceparent", sendersTrace)
	for _, c := range change {
		c(req)
	}
	cfg := config()
	cfg.Secret, cfg.PlatformToken = "new, hunter3", "after, hunter4"
	webhook.New(webhook.Deps{Inbox: inbox, Tracer: spans.Tracer()}, cfg).ServeHTTP(httptest.NewRecorder(), req)
}

func TestARequestIsASpanOfTheSendersTrace(t *testing.T) {
	for path, body := range map[string]string{webhook.Path: twoEvents, webhook.PlatformPath: `{"uuid":"1","event":"/restapi/v1.0/x","body":{}}`} {
		spans, inbox := tracingtest.New(t), &fakeInbox{}
		send(t, spans, inbox, path, body)
		span := spans.Span("POST " + path)
		require.Equal(t, trace.SpanKindServer, span.Kind)
		require.Equal(t, sendersTrace[3:35], span.Trace.String())
		require.Equal(t, sendersTrace[36:52], span.Parent.String())
		require.False(t, span.Failed)
		require.EqualValues(t, 200, span.Attributes["http.response.status_code"])
		for _, item := range inbox.items {
			require.Equal(t, span.Traceparent(), item.TraceParent)
		}
	}
}

func TestASpanEndsHoweverTheRequestDoes(t *testing.T) {
	refused := &fakeInbox{}
	for fact, test := range map[string]struct {
		inbox  *fakeInbox
		body   string
		status int
		failed bool
	}{
		"no events":          {refused, `{"events":"hunter5"}`, 200, false},
		"too large":          {&fakeInbox{}, padded(1001), 413, false},
		"an outage":          {&fakeInbox{fail: errors.New("hunter5")}, twoEvents, 503, true},
		"a handler's panic":  {&fakeInbox{panics: true}, twoEvents, 500, true},
		"events as expected": {&fakeInbox{}, `{"events":[{"type":"hunter5","body":"hunter5"}]}`, 200, false},
	} {
		t.Run(fact, func(t *testing.T) {
			spans := tracingtest.New(t)
			send(t, spans, test.inbox, webhook.Path, test.body)
			span := spans.Span("POST " + webhook.Path)
			require.EqualValues(t, test.status, span.Attributes["http.response.status_code"])
			require.Equal(t, test.failed, span.Failed)
			require.NotContains(t, spans.Text(), "hunter")
		})
	}
	require.Equal(t, sendersTrace[:36], refused.refused[0].TraceParent[:36], "a letter goes on with the trace")
}

func TestAStrangersRequestHasNoSpan(t *testing.T) {
	spans := tracingtest.New(t)
	send(t, spans, &fakeInbox{}, webhook.Path, twoEvents, func(r *http.Request) { r.Header.Set(webhook.HeaderSecret, "wrong") })
	send(t, spans, &fakeInbox{}, webhook.PlatformPath, twoEvents, func(r *http.Request) { r.Header.Set(webhook.HeaderVerification, "wrong") })
	require.Empty(t, spans.Spans(""))
}
