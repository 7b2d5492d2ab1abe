// Package tracingtest shows tests the spans that the program makes.
package tracingtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// A Recorder keeps every span in memory. Safe for concurrent use.
type Recorder struct {
	t        *testing.T
	recorder *tracetest.SpanRecorder
	tracer   trace.Tracer
}

// New returns a recorder. Each span that was begun must have ended by the end of the test.
func New(t *testing.T) *Recorder {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	r := &Recorder{t: t, recorder: recorder, tracer: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test")}
	t.Cleanup(func() {
		ended := r.Spans("")
		for _, begun := range recorder.Started() {
			require.True(t, slices.ContainsFunc(ended, func(s Span) bool { return s.ID == begun.SpanContext().SpanID() }), "never ended: %s", begun.Name())
		}
	})
	return r
}

// Tracer returns what is handed to a stage.
func (r *Recorder) Tracer() trace.Tracer { return r.tracer }

// A Span is one that has ended.
type Span struct {
	Name       string
	Kind       trace.SpanKind
	Trace      trace.TraceID
	ID, Parent trace.SpanID
	Failed     bool
	Attributes map[attribute.Key]any
}

// Traceparent is how a record's header names the span.
func (s Span) Traceparent() string { return "00-" + s.Trace.String() + "-" + s.ID.String() + "-01" }

// Spans returns the spans of this name that have ended, in the order of their ends; all
// of them for "".
func (r *Recorder) Spans(name string) (found []Span) {
	for _, s := range r.recorder.Ended() {
		if name != "" && s.Name() != name {
			continue
		}
		span := Span{
			Name: s.Name(), Kind: s.SpanKind(), Trace: s.SpanContext().TraceID(), ID: s.SpanContext().SpanID(), Parent: s.Parent().SpanID(),
			Failed: s.Status().Code == codes.Error, Attributes: map[attribute.Key]any{},
		}
		for _, a := range s.Attributes() {
			span.Attributes[a.Key] = a.Value.AsInterface()
		}
		found = append(found, span)
	}
	return found
}

// Span returns the one span of this name.
func (r *Recorder) Span(name string) Span {
	r.t.Helper()
	found := r.Spans(name)
	require.Len(r.t, found, 1, name)
	return found[0]
}

// Text is all that an exporter would send, to be searched for what must not be in it.
func (r *Recorder) Text() string {
	var text strings.Builder
	for _, s := range tracetest.SpanStubsFromReadOnlySpans(r.recorder.Ended()) {
		fmt.Fprintf(&text, "%s %v %v %v %v\n", s.Name, s.Attributes, s.Events, s.Links, s.Status)
	}
	return text.String()
}
