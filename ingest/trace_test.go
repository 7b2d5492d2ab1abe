package ingest_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/ingesttest"
	"github.com/ringbridge/ringbridge/internal/tracing/tracingtest"
)

const someTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// traced is an inbox of the broker that makes spans.
func traced(t *testing.T, k *ingesttest.Kafka, spans *tracingtest.Recorder) *ingest.Inbox {
	t.Helper()
	inbox, err := ingest.NewInbox(ingest.Deps{Options: k.Options, Topics: k.Names, Account: "acme", Codec: codec, Tracer: spans.Tracer()})
	require.NoError(t, err)
	t.Cleanup(inbox.Close)
	return inbox
}

func TestARecordNamesTheSpanThatWroteIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, spans := ingesttest.Start(t), tracingtest.New(t)
		inbox := traced(t, k, spans)
		given := item("thread-1", `{"text":"hunter2"}`)
		given.TraceParent = someTrace
		require.NoError(t, inbox.Accept(t.Context(), given))
		require.NoError(t, inbox.Refuse(t.Context(), ingest.Refusal{Body: []byte("hunter2"), Message: "hunter2", TraceParent: someTrace}))

		for topic, records := range map[string][]*kgo.Record{k.Names.Inbox: k.Records(t, k.Names.Inbox), k.Names.InboxDLQ: k.Records(t, k.Names.InboxDLQ)} {
			span := spans.Span("send " + topic)
			require.Equal(t, trace.SpanKindProducer, span.Kind)
			require.Equal(t, someTrace[3:35], span.Trace.String())
			require.Equal(t, someTrace[36:52], span.Parent.String())
			require.False(t, span.Failed)
			require.Equal(t, topic, span.Attributes["messaging.destination.name"])
			require.Equal(t, []string{span.Traceparent()}, ingesttest.Header(records[0], "traceparent"))
		}
		require.NotContains(t, spans.Text(), "hunter2")
		require.NotContains(t, spans.Text(), "thread-1")
	})
}

func TestEveryRowOfAPageHasATraceOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, spans := ingesttest.Start(t), tracingtest.New(t)
		require.NoError(t, traced(t, k, spans).Accept(t.Context(), item("a", "1"), item("a", "2")))
		made := spans.Spans("send " + k.Names.Inbox)
		require.Len(t, made, 2)
		require.NotEqual(t, made[0].Trace, made[1].Trace)
		for i, r := range k.Records(t, k.Names.Inbox) {
			require.Equal(t, []string{made[i].Traceparent()}, ingesttest.Header(r, "traceparent"))
		}
	})
}

func TestARecordThatIsNotAcknowledgedFailsItsSpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, spans := ingesttest.Start(t), tracingtest.New(t)
		inbox := traced(t, k, spans)
		k.Cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
		require.Error(t, inbox.Accept(t.Context(), item("a", "1")))
		require.True(t, spans.Span("send "+k.Names.Inbox).Failed)
	})
}
