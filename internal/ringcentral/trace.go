package ringcentral

import (
	"context"
	"errors"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/internal/tracing"
)

// tracerName is this package's name as the source of spans.
const tracerName = "github.com/ringbridge/ringbridge/internal/ringcentral"

// span begins the span of a call, below that of ctx: there the tracer comes from. A call
// outside of any, such as those of polling, has none: a trace for every page that was
// read in vain would tell what the metrics tell better.
//
// The request does not carry the trace. RingCentral has no use for it, and nobody there
// can be asked; it would be one more header to a foreign host.
func (c *client) span(ctx context.Context, k call) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, trace.SpanFromContext(context.Background())
	}
	// Not its address, which holds ids.
	return parent.TracerProvider().Tracer(tracerName).Start(ctx, k.op, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(tracing.API.String(c.api), tracing.Op.String(k.op), semconv.HTTPRequestMethodKey.String(k.method)))
}

// end ends the span of a call with what is known of it. Neither the answer's nor the
// error's words are told: they may be a customer's.
func (t trip) end(span trace.Span, err error) {
	span.SetAttributes(tracing.Wait.Float64(t.waited.Seconds()))
	if t.status != 0 {
		span.SetAttributes(semconv.HTTPResponseStatusCode(t.status))
	}
	if err != nil {
		kind := Unknown.String()
		if failure, ok := errors.AsType[*Error](err); ok {
			kind = failure.Outcome.String()
		}
		tracing.Failed(span, kind)
	}
	span.End()
}
