package main_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	ringbridge "github.com/ringbridge/ringbridge/cmd/ringbridge"
)

func TestWithoutAnAddressNoTracesAreMade(t *testing.T) {
	for fact, env := range map[string]map[string]string{
		"nothing set":        {},
		"the SDK disabled":   {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
		"no exporter wanted": {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
	} {
		t.Run(fact, func(t *testing.T) {
			for name, value := range env {
				t.Setenv(name, value)
			}
			tracer, stop, err := ringbridge.OpenTraces(t.Context(), env["OTEL_EXPORTER_OTLP_ENDPOINT"], slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			require.Nil(t, tracer)
			require.NoError(t, stop(t.Context()))
		})
	}
}

func TestWhatTheSDKWouldPassOverIsAFault(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://u:hunter2@x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			_, _, err := ringbridge.OpenTraces(t.Context(), "http://127.0.0.1:1", slog.New(slog.DiscardHandler))
			require.ErrorContains(t, err, name+": ")
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestSpansReachTheCollectorWithWhatTheStandardsVariablesSay(t *testing.T) {
	var got coltrace.ExportTraceServiceRequest
	var key string
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/v1/traces" && proto.Unmarshal(body, &got) == nil {
			key = r.Header.Get("X-Key")
		}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=hunter2,broken-hunter3")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	var logged bytes.Buffer
	tracer, stop, err := ringbridge.OpenTraces(t.Context(), collector.URL, slog.New(slog.NewTextHandler(&logged, nil)))
	require.NoError(t, err)
	_, span := tracer.Start(t.Context(), "one")
	span.End()
	require.NoError(t, stop(t.Context()))

	require.Equal(t, "hunter2", key)
	require.Contains(t, logged.String(), "parse headers")
	require.NotContains(t, logged.String(), "hunter")
	require.Len(t, got.GetResourceSpans(), 1)
	require.Equal(t, "one", got.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0].GetName())
	about := map[string]string{}
	for _, a := range got.GetResourceSpans()[0].GetResource().GetAttributes() {
		about[a.GetKey()] = a.GetValue().GetStringValue()
	}
	require.Equal(t, "ringbridge", about["service.name"])
	require.Equal(t, "test", about["deployment.environment.name"])
}

func TestADeadCollectorDoesNotHoldUpTheStop(t *testing.T) {
	for fact, answer := range map[string]http.HandlerFunc{
		"it hangs":  func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
		"it is ill": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
	} {
		t.Run(fact, func(t *testing.T) {
			collector := httptest.NewServer(answer)
			defer collector.Close()
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
			tracer, stop, err := ringbridge.OpenTraces(t.Context(), collector.URL, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			_, span := tracer.Start(t.Context(), "one")
			span.End()
			began := time.Now()
			require.NoError(t, stop(t.Context()), "no promise depends on it")
			require.Less(t, time.Since(began), 5*time.Second, "one second, and what a slow machine adds; the SDK's own bound is ten")
		})
	}
}

func TestLostTracesAreToldOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		losses := ringbridge.Losses(slog.New(slog.NewTextHandler(&logged, nil)))
		for range 100 {
			losses.Handle(errors.New("connection refused"))
			time.Sleep(time.Second)
		}
		require.Equal(t, 2, strings.Count(logged.String(), "traces are lost"))
		require.Contains(t, logged.String(), "failures_untold=59")
	})
}
