package publish_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/schemas"
)

// A delivery is one telling of a message's state: by a notification or by a sync.
type delivery struct {
	conversation string
	arrival      schemas.Arrival
	event        string // what it must become; "" = a repetition
}

// lives are the ways that messages take: the events of each, and what was told.
var lives = [][]struct{ event, fields string }{
	{
		{"received", `"direction":"Inbound","messageStatus":"Received","readStatus":"Unread","availability":"Alive"`},
		{"updated", `"direction":"Inbound","messageStatus":"Received","readStatus":"Read","availability":"Alive"`},
		{"deleted", `"direction":"Inbound","messageStatus":"Received","readStatus":"Read","availability":"Deleted"`},
	},
	{
		{"received", `"direction":"Inbound","messageStatus":"Received","readStatus":"Unread","availability":"Alive"`},
	},
	{
		{"sent", `"direction":"Outbound","messageStatus":"Queued","readStatus":"Read","availability":"Alive"`},
		{"Sent", `"direction":"Outbound","messageStatus":"Sent","readStatus":"Read","availability":"Alive"`},
		{"Delivered", `"direction":"Outbound","messageStatus":"Delivered","readStatus":"Read","availability":"Alive"`},
	},
	{
		{"sent", `"direction":"Outbound","messageStatus":"Queued","readStatus":"Read","availability":"Alive"`},
		{"DeliveryFailed", `"direction":"Outbound","messageStatus":"DeliveryFailed","deliveryErrorCode":"SMS-CAR-412","readStatus":"Read","availability":"Alive"`},
	},
}

// deliveries tells the lives of n messages, all mixed up: what is told for the
// first time keeps the order in which it happened, and everything is told again,
// by the other way too, at any time after that.
func deliveries(n int, rnd *rand.Rand) []delivery {
	type timed struct {
		delivery
		at float64
	}
	var all []timed
	for i := range n {
		life, conversation, at := lives[i%len(lives)], fmt.Sprintf("90%02d", i%100), rnd.Float64()
		for step, state := range life {
			body := fmt.Sprintf(`{"id":"%d","type":"SMS","extensionId":2,"conversation":{"id":%q},"creationTime":"2026-03-01T11:00:00.000Z","lastModifiedTime":"2026-03-01T11:00:00.%03dZ",%s}`,
				7_000_000_000_000+i, conversation, 7*step, state.fields)
			told := []schemas.Arrival{notice(instant(fmt.Sprintf("u%d-%d", i, step), body)), message(body)}
			if state.event == "deleted" { // no notification reports that
				told[0] = told[1]
			}
			rnd.Shuffle(2, func(a, b int) { told[a], told[b] = told[b], told[a] })
			at += rnd.Float64()
			all = append(all, timed{delivery{conversation, told[0], state.event}, at})
			for range 1 + rnd.IntN(3) {
				all = append(all, timed{delivery{conversation, told[rnd.IntN(2)], ""}, at + 3*rnd.Float64()})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b timed) int {
		if a.at < b.at {
			return -1
		}
		return 1
	})
	out := make([]delivery, len(all))
	for i, d := range all {
		out[i] = d.delivery
	}
	return out
}

// messages returns the events on the topic messages, with their records.
func (b *bench) messages() (events []*schemas.MessageEvent, records []*kgo.Record) {
	b.Helper()
	for _, r := range b.committed(b.names.Messages) {
		var event schemas.MessageEvent
		require.NoError(b, b.codec.Decode(b.Context(), r.Value, &event))
		events, records = append(events, &event), append(records, r)
	}
	return events, records
}

// TestEveryMessageAndStatusOnceAndInOrder tells a thousand lives, in shuffled
// order and with repetitions, while the publisher is stopped and started.
func TestEveryMessageAndStatusOnceAndInOrder(t *testing.T) {
	onBench(t, func(b *bench) {
		told := deliveries(1000, rand.New(rand.NewPCG(1, 2)))
		stop := b.start()
		for i, part := range slices.Collect(slices.Chunk(told, 700)) {
			var arrivals []schemas.Arrival
			for _, d := range part {
				arrivals = append(arrivals, d.arrival)
			}
			b.arrive(arrivals...)
			if i%3 == 1 {
				stop()
				stop = b.start()
			}
		}
		b.settle()
		want, got, ids := map[string][]string{}, map[string][]string{}, map[string]int{}
		for _, d := range told {
			if d.event != "" {
				want[d.conversation] = append(want[d.conversation], d.event)
			}
		}
		events, records := b.messages()
		for i, event := range events {
			name := event.EventType[len("message."):]
			if name == "status_changed" {
				name = *event.Message.Status
			}
			require.Equal(b, *event.Message.ConversationID, string(records[i].Key))
			got[string(records[i].Key)] = append(got[string(records[i].Key)], name)
			ids[event.EventID]++
		}
		require.Equal(b, want, got)
		require.Len(b, ids, len(events))
		require.Empty(b, b.committed(b.names.InboxDLQ))

		rnd := rand.New(rand.NewPCG(3, 4))
		rnd.Shuffle(len(told), func(i, j int) { told[i], told[j] = told[j], told[i] })
		for _, d := range told[:2000] {
			b.arrive(d.arrival)
		}
		b.settle()
		again, _ := b.messages()
		require.Len(b, again, len(events), "told again in any order")
		stop()
	})
}

func TestAMessageEventCarriesItsAttributes(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		const body = `{"id":"7","type":"SMS","conversation":{"id":"9"},"direction":"Inbound","lastModifiedTime":"2026-03-01T11:00:00.125Z","readStatus":`
		b.arrive(message(body+`"Unread"}`), message(`{"id":"8","availability":"Deleted"}`))
		gone := message(`{"id":"7","availability":"Purged"}`)
		gone.ReceivedAt = time.Now()
		value, err := b.codec.Encode(&gone)
		require.NoError(b, err)
		require.NoError(b, b.client.ProduceSync(b.Context(), &kgo.Record{Topic: b.names.Inbox, Key: []byte("9"), Value: value}).FirstErr())
		b.settle()
		events, records := b.messages()
		require.Len(b, events, 3)
		for i, r := range records {
			headers := map[string]string{}
			for _, h := range r.Headers {
				headers[h.Key] = string(h.Value)
			}
			delete(headers, "traceparent")
			require.Equal(b, map[string]string{
				"ce_specversion": "1.0", "ce_id": events[i].EventID, "ce_source": "/ringcentral/acme/sms", "ce_type": "com.ringcentral." + events[i].EventType,
				"ce_time": events[i].OccurredAt.Format("2006-01-02T15:04:05.000Z"), "ce_subject": events[i].Message.ID, "content-type": "application/avro",
			}, headers)
			switch events[i].Message.ID {
			case "7":
				require.Equal(b, "9", string(r.Key))
				require.Equal(b, "9", *events[i].Message.ConversationID, "what is gone does not tell it, the inbox does")
			default:
				require.Equal(b, "8", string(r.Key))
				require.Nil(b, events[i].Message.ConversationID)
			}
		}
		require.Equal(b, 1, b.metric("ringbridge_publish_repaired_events_total"), "an inbound message that no notification told of")
	})
}

func TestEveryPlatformSampleThriceIsOneEventEach(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		for range 3 {
			for _, a := range platformSamples() {
				b.arrive(a)
			}
		}
		b.settle()
		events, _ := b.messages()
		var texts int
		for _, a := range platformSamples() {
			if isTextSample(a) {
				texts++
			}
		}
		require.Len(b, events, texts)
		require.Len(b, b.committed(b.names.Activity), len(platformSamples())-texts)
		require.Empty(b, b.committed(b.names.InboxDLQ))
	})
}
