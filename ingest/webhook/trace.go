package webhook

import (
	"net/http"
	"strconv"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/internal/tracing"
)

// traced answers a request within a span of its own, the child of the sender's, if that
// has one. answer gets the traceparent that goes on with what the request holds.
//
// Only a request whose sender is known comes here: strangers would fill the exporter's
// queue, and choose which of our traces are sampled.
func (r *Receiver) traced(req *http.Request, answer func(trace string) answer) (a answer) {
	given := req.Header.Get(ingest.HeaderTraceParent)
	// The route is one of ours; the address as it came may hold credentials.
	route := req.URL.Path
	_, span := r.tracer.Start(tracing.Parent(req.Context(), given), req.Method+" "+route, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(semconv.HTTPRequestMethodKey.String(req.Method), semconv.HTTPRoute(route), semconv.URLPath(route), semconv.URLScheme("http")))
	defer func() { end(span, a) }()
	own := tracing.Of(span)
	if own == "" {
		own = ingest.TraceParent(given)
	}
	return answer(own)
}

// end tells what became of the request. Of an answer that never came, for a panic, it
// tells the one that it will be given.
func end(span trace.Span, a answer) {
	if a.status == 0 {
		a.status, a.result = http.StatusInternalServerError, panicked
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(a.status), tracing.Outcome.String(string(a.result)), tracing.Events.Int(a.events))
	if a.status >= http.StatusInternalServerError {
		tracing.Failed(span, strconv.Itoa(a.status))
	}
	span.End()
}
