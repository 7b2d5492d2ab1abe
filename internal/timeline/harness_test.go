package timeline_test

import (
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"go.uber.org/goleak"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/timeline"
	"github.com/ringbridge/ringbridge/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const partitions = 3

// A hall has a broker with the topics.
type hall struct {
	t       *testing.T
	cluster *kfake.Cluster
	names   kafka.Names
	codec   *schemas.Codec
	client  *kgo.Client
	line    *timeline.Timeline
}

// bubble runs a test in a hall where time is fake.
func bubble(t *testing.T, f func(t *testing.T, h *hall)) {
	t.Helper()
	server := httptest.NewServer(srfake.NewRegistry().Handler())
	t.Cleanup(server.Close)
	registry, err := schemas.NewRegistry(schemas.Config{URL: server.URL})
	require.NoError(t, err)
	codec, err := registry.Prepare(t.Context(), "t.", true)
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		var net kfake.VirtualNetwork
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9093), kfake.ListenFn(net.Listen))
		require.NoError(t, err)
		t.Cleanup(cluster.Close)
		opts := []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.Dialer(net.DialContext)}
		h := &hall{t: t, cluster: cluster, names: kafka.TopicNames("t."), codec: codec}
		h.client, err = kgo.NewClient(append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
		require.NoError(t, err)
		t.Cleanup(h.client.Close)
		_, err = kafka.Apply(t.Context(), kadm.NewClient(h.client), kafka.TopicConfig{Prefix: "t.", Partitions: partitions})
		require.NoError(t, err)
		h.line = timeline.New(timeline.Deps{Options: opts, Topics: h.names, Codec: codec})
		f(t, h)
	})
}

// home is the partition that Kafka's own clients choose for a key.
func home(key string) int32 {
	return int32(kgo.StickyKeyPartitioner(nil).ForTopic("").Partition(&kgo.Record{Key: []byte(key)}, partitions))
}

// put puts a value on a topic, in the partition of a key, and lets a moment pass.
func (h *hall) put(topic, key string, partition int32, value schemas.Value, headers ...kgo.RecordHeader) *kgo.Record {
	h.t.Helper()
	data, err := h.codec.Encode(value)
	require.NoError(h.t, err)
	record := &kgo.Record{Topic: topic, Key: []byte(key), Partition: partition, Value: data, Headers: headers}
	require.NoError(h.t, h.client.ProduceSync(h.t.Context(), record).FirstErr())
	time.Sleep(time.Second)
	return record
}

// imported puts a content in the inbox and on its topic.
func (h *hall) imported(thread, id string) {
	h.t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	h.put(h.names.Inbox, thread, home(thread), &schemas.Arrival{
		ArrivalID: "arrival of " + id, Origin: schemas.OriginWebhook, API: schemas.ApiEngage, Kind: "content.imported", ReceivedAt: now,
		Body: []byte(`{"type":"content.imported","text":"hello"}`),
	})
	h.put(h.names.Contents, thread, home(thread), &schemas.ContentEvent{
		EventID: "event of " + id, EventType: "content.imported", OccurredAt: now, ReceivedAt: now, Origin: schemas.OriginWebhook, API: schemas.ApiEngage,
		Content: schemas.Content{ID: id, ThreadID: &thread, Direction: schemas.DirectionInbound, Body: "hello", BodyFormat: schemas.BodyFormatText},
	})
}

// answered puts a command on a partition, with what became of it: a result for
// each state, and a letter where it was given up.
func (h *hall) answered(thread, parent, id string, partition int32, made string, states ...schemas.ReplyState) {
	h.t.Helper()
	command := &schemas.ReplyCommand{
		CommandID: id, IssuedAt: time.Now(), IssuedBy: "bot",
		Action: &schemas.CreateContent{API: schemas.ContentApiEngage, InReplyToID: &parent, Body: "hi", BodyFormat: schemas.BodyFormatText},
	}
	record := h.put(h.names.Replies, thread, partition, command)
	for _, state := range states {
		result := &schemas.ReplyResult{
			CommandID: id, State: state, Attempts: 1, Conversation: thread,
			SourcePartition: int(partition), SourceOffset: record.Offset, At: time.Now(),
		}
		if state == schemas.ReplyStateSucceeded {
			result.ResourceID = &made
		}
		if state == schemas.ReplyStateDeadLettered {
			reason := string(deadletter.Forbidden)
			result.Reason = &reason
		}
		h.put(h.names.Results, id, partition, result)
		if state == schemas.ReplyStateDeadLettered {
			headers := deadletter.Letter{Topic: h.names.Replies, Partition: partition, Offset: record.Offset, Reason: deadletter.Forbidden, HTTPStatus: 403, FailedAt: time.Now()}.Headers(nil)
			h.put(h.names.RepliesDLQ, thread, partition, command, headers...)
		}
	}
}

// told returns the kinds of a story's moments, and fails where it is not
// complete.
func (h *hall) told(id string) (kinds []timeline.Kind) {
	h.t.Helper()
	story, err := h.line.Find(h.t.Context(), timeline.Query{ID: id})
	require.NoError(h.t, err)
	require.True(h.t, story.Complete)
	require.Zero(h.t, story.SearchedFrom)
	for i, m := range story.Moments {
		kinds = append(kinds, m.Kind)
		require.False(h.t, i > 0 && m.At.Before(story.Moments[i-1].At), "in the order of time")
	}
	return kinds
}
