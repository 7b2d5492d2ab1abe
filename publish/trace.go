package publish

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/internal/tracing"
)

// traceHeader is the W3C trace context's header.
const traceHeader = tracing.Header

// traceOf returns the trace that what is made of a record goes on with: that of its
// span; where no tracer is set up the one the record carries, or a new one.
func traceOf(record *kgo.Record) string {
	if own := tracing.Of(trace.SpanFromContext(record.Context)); own != "" {
		return own
	}
	if given := carried(record); given != "" {
		return given
	}
	var ids [24]byte
	_, _ = rand.Read(ids[:]) // never fails
	return "00-" + hex.EncodeToString(ids[:16]) + "-" + hex.EncodeToString(ids[16:]) + "-01"
}

// carried returns the trace in a record's headers; "" for none that is valid.
func carried(record *kgo.Record) string {
	for _, h := range record.Headers {
		if h.Key == traceHeader && validTrace(string(h.Value)) {
			return string(h.Value)
		}
	}
	return ""
}

// begin begins a span for each record, from its arrival here to the end of its
// transaction, the time included in which it is held, and makes it the record's context.
//
// A record whose transaction does not commit comes again, and has another span, beside
// the first. Its events, of which one is read, name the one that committed.
func (p *Publisher) begin(records []*kgo.Record) {
	group := p.deps.Names.Group(stageName)
	for _, r := range records {
		ctx := r.Context // the client may keep something there
		if ctx == nil {
			ctx = context.Background()
		}
		r.Context, _ = p.tracer.Start(tracing.Parent(ctx, carried(r)), "process "+r.Topic,
			trace.WithSpanKind(trace.SpanKindConsumer), tracing.Process(group, r.Topic, r.Partition, r.Offset))
	}
}

// endUncommitted ends the span of a record that is given back.
func endUncommitted(span trace.Span) {
	span.SetAttributes(tracing.Outcome.String("not_committed"))
	tracing.Failed(span, "not_committed")
	span.End()
}

// describe says what was made of the unit.
func (u *unit) describe(span trace.Span) {
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(tracing.Origin.String(string(u.arrival.Origin)), tracing.API.String(strings.ToLower(string(u.arrival.API))), tracing.Events.Int(len(u.events)))
	switch {
	case u.fault != nil:
		span.SetAttributes(tracing.Outcome.String("dead_lettered"))
		tracing.Failed(span, string(u.reason()))
	case len(u.events) == 0:
		span.SetAttributes(tracing.Outcome.String("repetition"))
	default:
		classes := make([]string, len(u.events))
		for i, e := range u.events {
			classes[i] = e.class
		}
		span.SetAttributes(tracing.Outcome.String("published"), tracing.Class.StringSlice(classes))
	}
}

// validTrace tells whether s is a traceparent of version 00: two digits, 32, 16
// and 2, in lower-case hexadecimal, neither id all zeros.
func validTrace(s string) bool {
	if len(s) != 55 || s[:3] != "00-" || s[35] != '-' || s[52] != '-' {
		return false
	}
	trace, span, flags := s[3:35], s[36:52], s[53:]
	for _, c := range trace + span + flags {
		if !strings.ContainsRune("0123456789abcdef", c) {
			return false
		}
	}
	return strings.Trim(trace, "0") != "" && strings.Trim(span, "0") != ""
}
