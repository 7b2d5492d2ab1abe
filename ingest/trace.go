package ingest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/internal/tracing"
)

// HeaderTraceParent is the name of the W3C trace context, in HTTP and in Kafka.
const HeaderTraceParent = tracing.Header

// traceForm is version 00 of the W3C format; later versions begin like it.
var traceForm = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$`)

// maxTraceParent bounds what is passed on: version 00 has 55 bytes.
const maxTraceParent = 128

// TraceParent returns the given traceparent when it is valid, else a new one.
// It is for where no tracer is set up: the trace is passed on as it came.
func TraceParent(given string) string {
	if validTrace(given) {
		return given
	}
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails: see crypto/rand
	return "00-" + hex.EncodeToString(random[:16]) + "-" + hex.EncodeToString(random[16:]) + "-01"
}

func validTrace(given string) bool {
	if len(given) > maxTraceParent {
		return false
	}
	m := traceForm.FindStringSubmatch(given)
	return m != nil && m[1] != "ff" && (m[1] != "00" || m[4] == "") &&
		strings.Trim(m[2], "0") != "" && strings.Trim(m[3], "0") != ""
}

// sending begins the span that covers the writing of a record, and puts it into the
// record's headers.
//
// An item with a trace, such as a webhook's, goes on with it, also when it was on disk
// meanwhile. All others begin one each, rows of a page too: a trace tells what became of
// one thing. One for the whole round of polling would join conversations that have
// nothing to do with each other, and be too large to look at after an absence.
func (i *Inbox) sending(record *kgo.Record, parent string) trace.Span {
	_, span := i.tracer.Start(tracing.Parent(context.Background(), parent), "send "+record.Topic,
		trace.WithSpanKind(trace.SpanKindProducer), tracing.Send(record.Topic))
	own := tracing.Of(span)
	if own == "" {
		own = TraceParent(parent)
	}
	record.Headers = append(record.Headers, kgo.RecordHeader{Key: HeaderTraceParent, Value: []byte(own)})
	return span
}

// sent ends the spans of records, all of which were written, or perhaps not: then err
// says why.
func sent(spans []trace.Span, err error) {
	for _, span := range spans {
		if err != nil {
			tracing.Failed(span, "not_acknowledged")
		}
		span.End()
	}
}
