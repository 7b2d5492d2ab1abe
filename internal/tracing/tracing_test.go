package tracing_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/ringbridge/ringbridge/internal/tracing"
	"github.com/ringbridge/ringbridge/internal/tracing/tracingtest"
)

const given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestASpanIsTheChildOfTheTraceparent(t *testing.T) {
	spans := tracingtest.New(t)
	_, span := spans.Tracer().Start(tracing.Parent(t.Context(), given), "child")
	span.End()
	made := spans.Span("child")
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", made.Trace.String())
	require.Equal(t, "b7ad6b7169203331", made.Parent.String())
	require.Equal(t, made.Traceparent(), tracing.Of(span))
}

func TestWhatIsNoTraceparentIsNoParent(t *testing.T) {
	for _, bad := range []string{"", "x", given[:50], "00-00000000000000000000000000000000-b7ad6b7169203331-01", "ff" + given[2:]} {
		spans := tracingtest.New(t)
		_, span := spans.Tracer().Start(tracing.Parent(t.Context(), bad), "root")
		span.End()
		require.False(t, spans.Span("root").Parent.IsValid(), bad)
	}
}

func TestWithoutATracerNoSpanHasATraceparent(t *testing.T) {
	for _, parent := range []string{"", given} {
		_, span := tracing.OrNoop(nil).Start(tracing.Parent(t.Context(), parent), "none")
		require.Empty(t, tracing.Of(span))
	}
}

func TestASpanThatIsNotSampledTellsSo(t *testing.T) {
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())).Tracer("test")
	_, span := tracer.Start(tracing.Parent(t.Context(), given), "unsampled")
	require.Regexp(t, `^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$`, tracing.Of(span))
	require.NotContains(t, tracing.Of(span), "b7ad6b7169203331")
}
