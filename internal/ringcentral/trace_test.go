package ringcentral_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/tracing/tracingtest"
)

func TestACallWithinASpanIsOneToo(t *testing.T) {
	spans := tracingtest.New(t)
	var headers http.Header
	e := engage(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		headers = r.Header
		content(w, r)
	}).URL, ringcentral.Deps{})
	ctx, within := spans.Tracer().Start(t.Context(), "attempt")
	_, err := e.CreateContent(ctx, reply())
	require.NoError(t, err)
	within.End()
	span := spans.Span("create_content")
	require.Equal(t, within.SpanContext().SpanID(), span.Parent)
	require.Equal(t, trace.SpanKindClient, span.Kind)
	require.False(t, span.Failed)
	delete(span.Attributes, "ringbridge.wait_s")
	require.Equal(t, map[string]any{
		"ringbridge.api": "engage", "ringbridge.op": "create_content", "http.request.method": "POST", "http.response.status_code": int64(200),
	}, attributes(span))
	require.NotContains(t, headers, "Traceparent", "it tells nobody anything there")
	require.NotContains(t, headers, "Tracestate")
}

// attributes are the span's, by plain names.
func attributes(span tracingtest.Span) map[string]any {
	plain := map[string]any{}
	for name, value := range span.Attributes {
		plain[string(name)] = value
	}
	return plain
}

func TestACallWithinNoSpanIsNone(t *testing.T) {
	e := engage(t, serve(t, content).URL, ringcentral.Deps{})
	ctx := trace.ContextWithRemoteSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled}))
	_, err := e.CreateContent(ctx, reply())
	require.NoError(t, err)
}

// Every call is made to fail by an API that throws everything it was told back at us.
func TestNoSpanTellsTheTokenOrTheText(t *testing.T) {
	echo := `"Bearer ` + token + ` said ` + customersTitle + `: ` + customersWords + ` to ` + customersName + `"`
	for _, status := range []int{200, 307, 401, 422, 429, 502} {
		spans := tracingtest.New(t)
		base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://"+token+".example/"+customersName)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"error":`+echo+`,"message":`+echo+`,"errors":[`+echo+`]`) // and broken
		}).URL
		title := customersTitle
		for _, call := range []func(e *ringcentral.Engage) error{
			func(e *ringcentral.Engage) error {
				ctx, within := spans.Tracer().Start(t.Context(), "attempt")
				defer within.End()
				_, err := e.CreateContent(ctx, ringcentral.CreateContent{Body: customersWords, Title: &title, To: []string{customersName}})
				return err
			},
			func(e *ringcentral.Engage) error {
				ctx, within := spans.Tracer().Start(t.Context(), "attempt")
				defer within.End()
				return e.Handover(ctx, ringcentral.Handover{IdentityForeignID: customersName})
			},
			func(e *ringcentral.Engage) error {
				ctx, within := spans.Tracer().Start(t.Context(), "look-up")
				defer within.End()
				_, err := e.Contents(ctx, ringcentral.ContentsQuery{Q: customersWords + " " + customersName})
				return err
			},
		} {
			_ = call(engage(t, base, ringcentral.Deps{}))
		}
		require.Len(t, spans.Spans(""), 6, status)
		require.True(t, spans.Span("create_content").Failed)
		for _, private := range []string{token, "4111", "card number", customersName, customersTitle, base} {
			require.NotContains(t, spans.Text(), private, status)
		}
	}
}
