// Package tracing is what the stages have in common in making spans: the trace context
// in HTTP and record headers, and the names of OpenTelemetry's conventions.
//
// It knows the API of OpenTelemetry and not the SDK, which is cmd's: without one nothing
// is recorded, and no header is changed.
//
// A span tells where and how long, of what kind and with what outcome. It holds no key,
// address, name, text or credential, and no error's words, which may repeat them: spans
// go to a system with readers of its own. Where a record is (partition, offset) leads to
// all the rest.
package tracing

import (
	"context"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Header is the name of the W3C trace context, in HTTP and in Kafka. Its companion
// tracestate is not passed on: it is for those who measure, and may be dropped.
const Header = "traceparent"

// OrNoop returns the tracer, or one that records nothing in place of nil.
func OrNoop(t trace.Tracer) trace.Tracer {
	if t == nil {
		return noop.Tracer{}
	}
	return t
}

// Parent returns ctx with the span that a traceparent names as the parent of those to
// come. Where it is empty or invalid, ctx as it is.
func Parent(ctx context.Context, traceparent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{Header: traceparent})
}

// Of returns the traceparent of a span; "" where no tracer is set up. A span that is not
// sampled has one as well: it tells the next that it need not record either.
func Of(span trace.Span) string {
	// Without an SDK a span is none, or stands for the parent that came from elsewhere.
	if sc := span.SpanContext(); !sc.IsValid() || sc.IsRemote() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpan(context.Background(), span), carrier)
	return carrier[Header]
}

// Send are the attributes of a span that covers the writing of a record.
func Send(topic string) trace.SpanStartOption {
	return trace.WithAttributes(semconv.MessagingSystemKafka, semconv.MessagingDestinationName(topic),
		semconv.MessagingOperationTypeSend, semconv.MessagingOperationName("send"))
}

// Process are the attributes of a span that covers the work on one record of a group.
func Process(group, topic string, partition int32, offset int64) trace.SpanStartOption {
	return trace.WithAttributes(semconv.MessagingSystemKafka, semconv.MessagingDestinationName(topic),
		semconv.MessagingOperationTypeProcess, semconv.MessagingOperationName("process"), semconv.MessagingConsumerGroupName(group),
		semconv.MessagingDestinationPartitionID(strconv.Itoa(int(partition))), semconv.MessagingKafkaOffset(int(offset)))
}

// The attributes that are this program's own.
const (
	API      = attribute.Key("ringbridge.api")      // engage, social, sms
	Action   = attribute.Key("ringbridge.action")   // of a command
	Attempt  = attribute.Key("ringbridge.attempt")  // number of the attempt, from 1
	Attempts = attribute.Key("ringbridge.attempts") // calls that counted
	Class    = attribute.Key("ringbridge.class")    // of an event, as in the metrics
	Events   = attribute.Key("ringbridge.events")   // how many
	Op       = attribute.Key("ringbridge.op")       // of the API
	Origin   = attribute.Key("ringbridge.origin")   // of an arrival
	Outcome  = attribute.Key("ringbridge.outcome")  // what became of it
	Verdict  = attribute.Key("ringbridge.verdict")  // on an attempt
	Wait     = attribute.Key("ringbridge.wait_s")   // seconds spent waiting for a turn
)

// Failed marks a span as failed. kind is one of few, never an error's words.
func Failed(span trace.Span, kind string) {
	span.SetStatus(codes.Error, "")
	span.SetAttributes(semconv.ErrorTypeKey.String(kind))
}
