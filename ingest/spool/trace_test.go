package spool_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/ingesttest"
	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/tracing/tracingtest"
)

func TestAWebhookKeepsItsTraceOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, spans := ingesttest.Start(t), tracingtest.New(t)
		heal := outage(k.Cluster)
		inbox, err := ingest.NewInbox(ingest.Deps{Options: k.Options, Topics: k.Names, Codec: codec, Tracer: spans.Tracer()})
		require.NoError(t, err)
		t.Cleanup(inbox.Close)
		s := open(t, newFakeDisk(), inbox)
		stop := run(t, s)
		receiver := webhook.New(webhook.Deps{Inbox: s, Tracer: spans.Tracer()}, webhook.Config{MaxBody: 1000, Secret: "s"})
		require.Equal(t, 200, post(t, receiver, event("t1", 1)))
		heal()
		time.Sleep(time.Minute)
		stop()

		request := spans.Span("POST " + webhook.Path)
		sends := spans.Spans("send " + k.Names.Inbox)
		require.NotEmpty(t, sends)
		tries := map[string]bool{}
		for _, send := range sends {
			require.Equal(t, request.ID, send.Parent, "each try is a child of the request's")
			tries[send.Traceparent()] = true
		}
		require.False(t, sends[len(sends)-1].Failed)
		records := k.Records(t, k.Names.Inbox)
		require.NotEmpty(t, records)
		for _, r := range records { // the first try may have come through as well, late
			require.True(t, tries[ingesttest.Header(r, "traceparent")[0]])
		}
	})
}
