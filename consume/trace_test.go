package consume_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/consume"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/tracing/tracingtest"
)

const commandsTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

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

// onTracedBench runs a test with a consumer that makes spans, and stops that before it looks.
func onTracedBench(t *testing.T, codec consume.Codec, run func(b *bench, spans *tracingtest.Recorder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, spans := newBench(t, codec), tracingtest.New(t)
		b.tracer = spans.Tracer()
		run(b, spans)
	})
}

func TestACommandsTraceLeadsToItsCallsAndItsResult(t *testing.T) {
	onTracedBench(t, newCodec(t), func(b *bench, spans *tracingtest.Recorder) {
		var within []trace.SpanContext
		b.api.script = func(ctx context.Context, _ ringcentral.CreateContent, n int) (bool, error) {
			within = append(within, trace.SpanContextFromContext(ctx))
			switch n {
			case 1:
				return false, &ringcentral.Error{Op: "create_content", Outcome: ringcentral.NotSent, Err: errors.New("hunter2")}
			case 2:
				return false, &ringcentral.Error{Op: "create_content", Outcome: ringcentral.Unknown, Status: http.StatusBadGateway, Message: "hunter2"}
			}
			return true, nil
		}
		stop := b.start()
		record := b.reply("hunter3", "hunter4", "hunter5")
		record.Headers = []kgo.RecordHeader{{Key: "traceparent", Value: []byte(commandsTrace)}}
		b.send(record)
		b.wait(1)
		stop()

		command := spans.Span("process " + b.names.Replies)
		require.Equal(b.t, trace.SpanKindConsumer, command.Kind)
		require.Equal(b.t, commandsTrace[3:35], command.Trace.String())
		require.Equal(b.t, commandsTrace[36:52], command.Parent.String())
		require.Equal(b.t, "succeeded", command.Attributes["ringbridge.outcome"])
		attempts := spans.Spans("attempt")
		require.Len(b.t, attempts, 3)
		for i, verdict := range []string{"retry", "look_up", "succeeded"} {
			require.Equal(b.t, command.ID, attempts[i].Parent)
			require.Equal(b.t, verdict, attempts[i].Attributes["ringbridge.verdict"])
			require.EqualValues(b.t, i+1, attempts[i].Attributes["ringbridge.attempt"])
			require.Equal(b.t, verdict != "succeeded", attempts[i].Failed)
			require.Equal(b.t, attempts[i].ID, within[i].SpanID(), "the call is made within its attempt")
		}
		look := spans.Span("look-up")
		require.Equal(b.t, command.ID, look.Parent)
		require.Equal(b.t, "absent", look.Attributes["ringbridge.outcome"])
		for _, named := range traceparents(b.read(b.names.Results)) {
			require.Equal(b.t, command.Traceparent(), named)
		}
		require.Len(b.t, traceparents(b.read(b.names.Results)), 4, "three attempts and the result")
		require.NotContains(b.t, spans.Text(), "hunter")
	})
}

func TestEveryEndOfACommandEndsItsSpan(t *testing.T) {
	onTracedBench(t, newCodec(t), func(b *bench, spans *tracingtest.Recorder) {
		hang := make(chan struct{})
		b.api.script = func(ctx context.Context, c ringcentral.CreateContent, _ int) (bool, error) {
			switch c.Body {
			case "refused":
				return false, status(http.StatusUnprocessableEntity)
			case "hangs":
				close(hang)
				<-ctx.Done()
				return false, &ringcentral.Error{Op: "create_content", Err: context.Cause(ctx)}
			}
			return true, nil
		}
		stop := b.start()
		b.send(b.reply("1", "k1", "good"), &kgo.Record{Key: []byte("k2"), Value: []byte("not Avro")}, b.reply("3", "k3", "refused"))
		b.wait(2)
		b.send(b.reply("1", "k1", "good"))
		require.Eventually(b.t, func() bool { return b.committed() == 4 }, time.Hour, time.Second)
		b.send(b.reply("5", "k5", "hangs"))
		<-hang
		stop()

		outcomes := map[any]any{}
		for _, s := range spans.Spans("process " + b.names.Replies) {
			require.False(b.t, s.Parent.IsValid(), "without a trace in its header it begins one")
			outcomes[s.Attributes["messaging.kafka.offset"]] = s.Attributes["ringbridge.outcome"]
		}
		require.Equal(b.t, map[any]any{
			int64(0): "succeeded", int64(1): "dead_lettered", int64(2): "dead_lettered", int64(3): "duplicate",
			int64(4): nil, // its next owner's
		}, outcomes)
		failed := map[any]bool{}
		for _, s := range spans.Spans("attempt") {
			failed[s.Attributes["ringbridge.verdict"]] = s.Failed
		}
		require.Equal(b.t, map[any]bool{"succeeded": false, "dead_letter": true, "leave": false}, failed)
	})
}

func TestWithoutATracerResultsCarryTheCommandsHeaders(t *testing.T) {
	codec := newCodec(t)
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, codec)
		stop := b.start()
		record := b.reply("1", "k1", "good")
		for _, value := range []string{commandsTrace, "no trace"} {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: "traceparent", Value: []byte(value)})
		}
		b.send(record)
		b.wait(1)
		stop()
		require.Equal(t, []string{commandsTrace, "no trace", commandsTrace, "no trace"}, traceparents(b.read(b.names.Results)), "the attempt's and the result's")
	})
}
