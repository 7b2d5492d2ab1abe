package consume

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/internal/tracing"
	"github.com/ringbridge/ringbridge/schemas"
)

// The spans of a command, below the one that its record names, if it names one:
//
//	process replies        until its result is on record; a wait of hours included
//	├─ attempt             one for each, with its verdict
//	│  └─ create_content   each call of the API: internal/ringcentral
//	└─ look-up             after an unknown outcome, with what it found
//	   └─ list_contents
//
// A command that another process takes over has a span in each, side by side.

// spanOf begins the span of a command.
func (c *Consumer) spanOf(r *kgo.Record) trace.Span {
	ctx := context.Background() // not the partition's: what ends that ends no trace
	for _, h := range r.Headers {
		if h.Key == tracing.Header {
			ctx = tracing.Parent(ctx, string(h.Value))
		}
	}
	_, span := c.tracer.Start(ctx, "process "+r.Topic, trace.WithSpanKind(trace.SpanKindConsumer), tracing.Process(c.deps.Group, r.Topic, r.Partition, r.Offset))
	return span
}

// trace returns the header with which results name the command's span; where no tracer
// is set up, those that the command came with.
func (c *command) trace() (headers []kgo.RecordHeader) {
	if own := tracing.Of(c.span); own != "" {
		return []kgo.RecordHeader{{Key: tracing.Header, Value: []byte(own)}}
	}
	for _, h := range c.record.Headers {
		if h.Key == tracing.Header {
			headers = append(headers, h)
		}
	}
	return headers
}

// describe says how the command ended.
func (c *command) describe(state string, end ending) {
	c.span.SetAttributes(tracing.Outcome.String(state), tracing.Attempts.Int(c.attempts))
	if c.reply != nil {
		c.span.SetAttributes(tracing.Action.String(schemas.ActionName(c.reply.Action)))
	}
	if end.reason != "" {
		tracing.Failed(c.span, string(end.reason))
	}
}

// startSpan begins a span below the command's, for calls that are made with the context
// it returns.
func (c *Consumer) startSpan(ctx context.Context, cmd *command, name string) (context.Context, trace.Span) {
	return c.tracer.Start(trace.ContextWithSpan(ctx, cmd.span), name,
		trace.WithAttributes(tracing.Action.String(schemas.ActionName(cmd.reply.Action)), tracing.Attempt.Int(cmd.attempts+1)))
}

// endAttempt ends the span of an attempt with the verdict on it. To be told to wait, or
// to be cut short by stopping, is no failure.
func endAttempt(span trace.Span, p *partition, err error) {
	verdict := "succeeded"
	if err != nil {
		action := Judge(p.calls, err).Action
		verdict = action.String()
		if action != Wait && action != Leave {
			tracing.Failed(span, verdict)
		}
	}
	span.SetAttributes(tracing.Verdict.String(verdict))
	span.End()
}

// endLookUp ends the span of a look-up.
func endLookUp(span trace.Span, found bool, err error) {
	outcome := "absent"
	switch {
	case errors.Is(err, errUntellable):
		outcome = "untellable"
	case err != nil:
		outcome = Leave.String()
	case found:
		outcome = "found"
	}
	span.SetAttributes(tracing.Outcome.String(outcome))
	span.End()
}
