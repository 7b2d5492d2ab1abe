//go:build real

package e2e_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/realparts"
	"github.com/ringbridge/ringbridge/internal/samples"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// request is a webhook request as its documentation has it.
type request struct {
	Events []struct {
		Type     string `json:"type"`
		ID       string `json:"id"`
		IssuedAt string `json:"issued_at"`
		UserID   string `json:"user_id"`
		Resource struct {
			Type     string         `json:"type"`
			ID       string         `json:"id"`
			Metadata map[string]any `json:"metadata"`
		} `json:"resource"`
	} `json:"events"`
}

// TestSamplesArriveOnceWithTheirFields posts every recorded webhook three times,
// twice at once, and reads the events with an Avro implementation that shares no
// code with ours.
func TestSamplesArriveOnceWithTheirFields(t *testing.T) {
	for name, raw := range samples.Webhooks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Config{}, map[string]string{"POLL_INTERVAL": "1h"})
			b := w.start(freePort(t), freePort(t))
			var posting sync.WaitGroup
			for range 2 {
				posting.Go(func() {
					status, err := b.post(raw)
					require.NoError(t, err)
					require.Equal(t, 200, status)
				})
			}
			posting.Wait()
			status, err := b.post(raw)
			require.NoError(t, err)
			require.Equal(t, 200, status)

			var sent request
			require.NoError(t, json.Unmarshal(raw, &sent))
			event := sent.Events[0]
			topic := w.names.Contents
			if !strings.HasPrefix(event.Type, "content.") {
				topic = w.names.Activity
			}
			w.eventually(1, 20*time.Second, func() int { return len(w.read(topic)) }, "events")
			decoder, err := realparts.NewDecoder(t.Context(), parts.Registry.URL())
			require.NoError(t, err)
			defer decoder.Close()
			w.eventually(3, 20*time.Second, func() int { return len(w.read(w.names.Inbox)) }, "arrivals")
			w.published()
			b.stop()
			records := w.read(topic)
			require.Len(t, records, 1)
			decoded, err := decoder.Decode(records[0].Value)
			require.NoError(t, err)
			var got map[string]any
			require.NoError(t, json.Unmarshal(decoded, &got))

			require.Equal(t, event.Type, got["event_type"])
			occurred, err := time.Parse(time.RFC3339, event.IssuedAt)
			require.NoError(t, err)
			require.Equal(t, occurred.UTC().Format("2006-01-02T15:04:05.000Z"), got["occurred_at"])
			require.Equal(t, account, got["account"])
			if topic == w.names.Activity {
				require.Equal(t, event.Resource.ID, got["resource_id"])
				require.Equal(t, event.Resource.Type, got["resource_type"])
				require.Equal(t, event.UserID, got["user_id"])
				require.Equal(t, event.Resource.ID, string(records[0].Key))
				return
			}
			content := got["content"].(map[string]any)
			meta := event.Resource.Metadata
			require.Equal(t, event.Resource.ID, content["id"])
			require.Equal(t, meta["thread_id"], string(records[0].Key))
			for field, name := range map[string]string{
				"source_id": "source_id", "thread_id": "thread_id", "intervention_id": "intervention_id", "in_reply_to_id": "in_reply_to_id",
				"in_reply_to_author_id": "in_reply_to_author_id", "author_id": "author_id", "creator_id": "creator_id", "status": "status",
				"language": "language", "title": "thread_title", "body": "body", "private": "private", "foreign_id": "foreign_id", "created_from": "created_from",
			} {
				require.Equal(t, meta[name], content[field], field)
			}
			direction := "INBOUND"
			if meta["status"] == "user_reply" {
				direction = "OUTBOUND"
			}
			require.Equal(t, direction, content["direction"])
			categories, ok := meta["category_ids"].([]any)
			if !ok {
				categories = []any{}
			}
			require.Equal(t, categories, content["category_ids"])
		})
	}
}
