//go:build real

package e2e_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// The traces with which a webhook and a command come.
const (
	webhookTrace, webhookSpan = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	commandTrace, commandSpan = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
)

func traceparent(trace, span string) string { return "00-" + trace + "-" + span + "-01" }

// A collector receives traces by OTLP over HTTP, as any other does.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*tracepb.Span
	text  strings.Builder
}

func startCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request coltrace.ExportTraceServiceRequest
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &request) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		fmt.Fprintln(&c.text, request.String())
		for _, resource := range request.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// path returns the names of the spans from the one with this id up to the one that came
// from outside, whose id is the last.
func (c *collector) path(trace, id string) (names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		var found *tracepb.Span
		for _, s := range c.spans {
			if hex.EncodeToString(s.GetSpanId()) == id && hex.EncodeToString(s.GetTraceId()) == trace {
				found = s
			}
		}
		if found == nil {
			return append(names, id)
		}
		names = append(names, found.GetName())
		id = hex.EncodeToString(found.GetParentSpanId())
	}
}

// named returns the ids of the spans of a trace with this name.
func (c *collector) named(trace, name string) (ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.GetName() == name && hex.EncodeToString(s.GetTraceId()) == trace {
			ids = append(ids, hex.EncodeToString(s.GetSpanId()))
		}
	}
	return ids
}

// carried returns the trace and the span that a record's header names.
func carried(t *testing.T, r *kgo.Record) (trace, span string) {
	t.Helper()
	for _, h := range r.Headers {
		if parts := strings.Split(string(h.Value), "-"); h.Key == "traceparent" && len(parts) == 4 {
			return parts[1], parts[2]
		}
	}
	require.Fail(t, "no traceparent", "on %s", r.Topic)
	return "", ""
}

// TestOneTraceJoinsEachWay sends a webhook and a command, each with a trace of its own.
// Of the first, a collector can follow the event back to the sender; of the second, the
// call and the result.
func TestOneTraceJoinsEachWay(t *testing.T) {
	c := startCollector(t)
	w := newWorld(t, sandbox.Config{}, map[string]string{"POLL_INTERVAL": "1h", "OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_BSP_SCHEDULE_DELAY": "100"})
	off := false
	parents, err := w.box.Import(sandbox.Import{Body: "hello?", Webhook: &off})
	require.NoError(t, err)
	parent := parents[0]
	b := w.start(freePort(t), freePort(t))

	b.postTraced(t, `{"events":[{"id":"e1","type":"content.imported","issued_at":"2026-03-01T12:00:00Z",`+
		`"resource":{"id":"c1","type":"content","metadata":{"thread_id":"t1","body":"hunter2"}}}]}`)
	command := w.record(reply("traced", parent.ThreadID, parent.ID, "hunter3"))
	command.Headers = []kgo.RecordHeader{{Key: "traceparent", Value: []byte(traceparent(commandTrace, commandSpan))}}
	require.NoError(t, w.client.ProduceSync(t.Context(), command).FirstErr())
	w.eventually(1, waitLong, func() int { return len(w.results()) }, "results")
	arrived := func(topic string) (found []*kgo.Record) {
		for _, r := range w.read(topic) {
			if string(r.Key) == "t1" {
				found = append(found, r)
			}
		}
		return found
	}
	w.eventually(1, waitLong, func() int { return len(arrived(w.names.Contents)) }, "the event")
	require.Zero(t, b.stop(), "which sends the last spans")

	// webhook → inbox → event
	request, send, process := "POST /webhooks/engage", "send "+w.names.Inbox, "process "+w.names.Inbox
	inbox, event := arrived(w.names.Inbox)[0], arrived(w.names.Contents)[0]
	trace, span := carried(t, inbox)
	require.Equal(t, webhookTrace, trace)
	require.Equal(t, []string{send, request, webhookSpan}, c.path(trace, span))
	trace, span = carried(t, event)
	require.Equal(t, webhookTrace, trace)
	require.Equal(t, []string{process, send, request, webhookSpan}, c.path(trace, span))

	// command → call, and → result
	process = "process " + w.names.Replies
	calls := c.named(commandTrace, "create_content")
	require.Len(t, calls, 1)
	require.Equal(t, []string{"create_content", "attempt", process, commandSpan}, c.path(commandTrace, calls[0]))
	results := w.read(w.names.Results)
	require.Len(t, results, 2, "the attempt and the result")
	for _, r := range results {
		trace, span = carried(t, r)
		require.Equal(t, commandTrace, trace)
		require.Equal(t, []string{process, commandSpan}, c.path(trace, span))
	}

	for _, private := range []string{sandbox.DefaultToken, secret, verify, "hunter", parent.ID, parent.ThreadID} {
		require.NotContains(t, c.text.String(), private)
	}
}

// postTraced sends a webhook request with a trace.
func (b *bridge) postTraced(t *testing.T, body string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.public+"/webhooks/engage", bytes.NewReader([]byte(body)))
	require.NoError(t, err)
	req.Header.Set("X-Dimelo-Secret", secret)
	req.Header.Set("Traceparent", traceparent(webhookTrace, webhookSpan))
	client := http.Client{Timeout: 15 * time.Second}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
}
