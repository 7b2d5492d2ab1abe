package publish_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/samples"
	"github.com/ringbridge/ringbridge/schemas"
)

func TestEverySampleThriceIsOneEventEach(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		for range 3 {
			for _, request := range samples.Webhooks() {
				b.arrive(webhook(sample(b, request)))
			}
		}
		b.settle()
		// Two WhatsApp samples are of one content with other bodies: an import and an update.
		require.Len(b, b.committed(b.names.Contents), 6)
		require.Len(b, b.committed(b.names.Activity), 2)
		require.Empty(b, b.committed(b.names.InboxDLQ))
		require.Equal(b, 16, b.metric("ringbridge_publish_repetitions_total"))
		once(b, 6)
	})
}

func TestAnEventCarriesItsAttributes(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		traced := b.arrive(thread("t1", "c1", "hi"))[0]
		b.caughtUp()
		record := b.committed(b.names.Contents)[0]
		require.Equal(b, "t1", string(record.Key))
		require.Equal(b, traced.Partition, record.Partition)
		headers := map[string]string{}
		for _, h := range record.Headers {
			headers[h.Key] = string(h.Value)
		}
		require.Regexp(b, `^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`, headers["traceparent"])
		delete(headers, "traceparent")
		require.Equal(b, map[string]string{
			"ce_specversion": "1.0", "ce_id": b.contents()[0].EventID, "ce_source": "/ringcentral/acme/engage",
			"ce_type": "com.ringcentral.content.imported", "ce_time": "2026-03-01T11:59:59.500Z", "ce_subject": "c1", "content-type": "application/avro",
		}, headers)
	})
}

func TestTheTraceGoesOn(t *testing.T) {
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	onBench(t, func(b *bench) {
		defer b.start()()
		record := b.arrive(thread("t1", "c1", "hi"))[0]
		again := &kgo.Record{Topic: record.Topic, Key: []byte("t2"), Headers: []kgo.RecordHeader{{Key: "traceparent", Value: []byte(trace)}}}
		arrival := thread("t2", "c2", "hi")
		arrival.ReceivedAt = time.Now()
		var err error
		again.Value, err = b.codec.Encode(&arrival)
		require.NoError(b, err)
		require.NoError(b, b.client.ProduceSync(b.Context(), again).FirstErr())
		b.caughtUp()
		for _, r := range b.committed(b.names.Contents) {
			if string(r.Key) == "t2" {
				require.Contains(b, r.Headers, kgo.RecordHeader{Key: "traceparent", Value: []byte(trace)})
			}
		}
	})
}

func TestOrderWithinAConversation(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		var arrivals []schemas.Arrival
		for i := range 700 { // more than one batch
			arrivals = append(arrivals, thread(fmt.Sprintf("t%d", i%7), fmt.Sprintf("c%03d", i), "hi"))
		}
		b.arrive(arrivals...)
		b.caughtUp()
		order := map[string][]string{}
		for _, event := range b.contents() {
			order[*event.Content.ThreadID] = append(order[*event.Content.ThreadID], event.Content.ID)
		}
		require.Len(b, order, 7)
		for _, ids := range order {
			require.Len(b, ids, 100)
			require.True(b, slices.IsSorted(ids))
		}
	})
}

func TestStateSurvivesARestart(t *testing.T) {
	onBench(t, func(b *bench) {
		stop := b.start()
		task := webhook(`{"type":"task.created","id":"e","resource":{"type":"task","id":"1"}}`)
		identity := row("identity", `{"id":"i1","display_name":"a","updated_at":"2026-01-01T00:00:05Z"}`)
		again := []schemas.Arrival{thread("t1", "c1", "hi"), task, identity}
		b.arrive(again...)
		b.caughtUp()
		whole := row("content", `{"id":"c1","thread_id":"t1","body":"hi","updated_at":"2026-03-01T11:59:59Z"}`)
		b.arrive(whole)
		b.caughtUp()
		stop()
		defer b.start()()
		b.arrive(again...)
		b.arrive(whole)
		b.settle()
		require.Len(b, b.committed(b.names.Contents), 2, "what came in, and what it lacked")
		require.Len(b, b.committed(b.names.Activity), 1)
		require.Len(b, b.committed(b.names.Identities), 1)
	})
}

func TestAReplayOfTheInboxPublishesNothing(t *testing.T) {
	onBench(t, func(b *bench) {
		stop := b.start()
		for i := range 50 {
			id := fmt.Sprint(i)
			b.arrive(thread("t"+id, "c"+id, "hi"), thread("t"+id, "c"+id, "ho"), row("content", `{"id":"c`+id+`","thread_id":"t`+id+`","body":"hu","updated_at":"2026-03-02T00:00:00Z"}`))
		}
		b.caughtUp()
		stop()
		before := len(b.contents())
		require.Equal(b, 150, before)
		_, err := kadm.NewClient(b.client).DeleteGroup(b.Context(), b.names.Group("publish"))
		require.NoError(b, err)
		defer b.start()()
		b.settle()
		require.Len(b, b.contents(), before)
		once(b, before)
	})
}

func TestAPollFindsWhatAWebhookLost(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		b.arrive(thread("t1", "c1", "hi"))
		for _, id := range []string{"c1", "c2"} {
			b.arrive(row("content", `{"id":"`+id+`","thread_id":"t1","body":"hi","status":"new","created_at":"2026-03-01T00:00:00Z","updated_at":"2026-03-01T00:00:00Z"}`))
		}
		b.settle()
		once(b, 3) // the webhook's content is completed by its row
		require.Equal(b, 1, b.metric("ringbridge_publish_repaired_events_total"))
	})
}
