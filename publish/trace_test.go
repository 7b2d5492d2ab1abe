package publish_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/tracing/tracingtest"
	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

const webhooksTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// traced puts an arrival into the inbox that belongs to webhooksTrace.
func (b *bench) traced(arrival schemas.Arrival) {
	b.Helper()
	arrival.ReceivedAt = time.Now()
	value, err := b.codec.Encode(&arrival)
	require.NoError(b, err)
	record := &kgo.Record{Topic: b.names.Inbox, Key: []byte("hunter2"), Value: value, Headers: []kgo.RecordHeader{{Key: "traceparent", Value: []byte(webhooksTrace)}}}
	require.NoError(b, b.client.ProduceSync(b.Context(), record).FirstErr())
}

func traceparents(records []*kgo.Record) (found []string) {
	for _, r := range records {
		for _, h := range r.Headers {
			if h.Key == "traceparent" {
				found = append(found, string(h.Value))
			}
		}
	}
	return found
}

func TestAnEventNamesTheSpanThatMadeIt(t *testing.T) {
	onBench(t, func(b *bench) {
		spans := tracingtest.New(b.T)
		stop := b.start(func(d *publish.Deps) { d.Tracer = spans.Tracer() })
		b.traced(thread("hunter2", "hunter3", "hunter4"))
		b.caughtUp()
		b.traced(thread("hunter2", "hunter3", "hunter4"))
		b.caughtUp()
		b.traced(webhook(`{"type":"hunter5"`))
		b.caughtUp()
		stop()
		made := spans.Spans("process " + b.names.Inbox)
		require.Len(b, made, 3)
		for i, outcome := range []string{"published", "repetition", "dead_lettered"} {
			require.Equal(b, outcome, made[i].Attributes["ringbridge.outcome"])
			require.Equal(b, outcome == "dead_lettered", made[i].Failed)
			require.Equal(b, trace.SpanKindConsumer, made[i].Kind)
			require.Equal(b, webhooksTrace[3:35], made[i].Trace.String())
			require.Equal(b, webhooksTrace[36:52], made[i].Parent.String())
		}
		require.Equal(b, []string{made[0].Traceparent()}, traceparents(b.committed(b.names.Contents)))
		require.Equal(b, []string{webhooksTrace}, traceparents(b.committed(b.names.InboxDLQ)), "a letter keeps what it came with")
		require.NotContains(b, spans.Text(), "hunter")
	})
}

func TestATransactionThatFailsFailsItsSpans(t *testing.T) {
	onBench(t, func(b *bench) {
		spans := tracingtest.New(b.T)
		b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t.contents", Err: kerr.MessageTooLarge, Count: 1})
		stop := b.start(func(d *publish.Deps) { d.Tracer = spans.Tracer() })
		b.traced(thread("t1", "c1", "hi"))
		b.settle()
		stop()
		made := spans.Spans("process " + b.names.Inbox)
		require.Len(b, made, 2)
		require.True(b, made[0].Failed)
		require.Equal(b, "not_committed", made[0].Attributes["ringbridge.outcome"])
		require.False(b, made[1].Failed)
		require.Equal(b, made[0].Parent, made[1].Parent)
		require.Equal(b, []string{made[1].Traceparent()}, traceparents(b.committed(b.names.Contents)), "the event names the span that committed it")
	})
}

// askedWithin notes the span that a call is made within, and fails.
type askedWithin struct{ parent chan trace.SpanContext }

func (a askedWithin) Identity(ctx context.Context, _ string) (json.RawMessage, error) {
	a.parent <- trace.SpanContextFromContext(ctx)
	return nil, &ringcentral.Error{Status: http.StatusNotFound, Outcome: ringcentral.Refused}
}

func (a askedWithin) Content(ctx context.Context, id string) (json.RawMessage, error) {
	return a.Identity(ctx, id)
}

func TestAnAuthorIsFetchedWithinTheSpanOfTheContent(t *testing.T) {
	onBench(t, func(b *bench) {
		spans, api := tracingtest.New(b.T), askedWithin{make(chan trace.SpanContext, 10)}
		stop := b.start(func(d *publish.Deps) { d.Tracer, d.API = spans.Tracer(), api })
		b.traced(row("content", `{"id":"c1","thread_id":"t1","author_id":"a1","body":"hi","status":"new","updated_at":"2026-03-01T00:00:00Z"}`))
		b.caughtUp()
		stop()
		require.Equal(b, spans.Span("process "+b.names.Inbox).ID, (<-api.parent).SpanID())
	})
}
