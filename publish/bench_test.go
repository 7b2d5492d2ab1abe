package publish_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

const partitions = 3

// codecOnce prepares the codec outside of any bubble: a registry is real HTTP.
var codecOnce = sync.OnceValues(func() (*schemas.Codec, error) {
	server := httptest.NewServer(srfake.NewRegistry().Handler())
	defer server.Close()
	registry, err := schemas.NewRegistry(schemas.Config{URL: server.URL})
	if err != nil {
		return nil, err
	}
	return registry.Prepare(context.Background(), "t.", true)
})

// A bench is a fake broker in fake time with the stage's topics.
type bench struct {
	*testing.T
	cluster *kfake.Cluster // nil on a real broker
	dial    dialFunc
	opts    []kgo.Opt
	names   kafka.Names
	codec   *schemas.Codec
	client  *kgo.Client
	reg     *prometheus.Registry
	log     *slog.Logger
	wait    sync.WaitGroup
	cancels []context.CancelFunc
	arrived [partitions]int64 // offset of the last arrival in each partition
	bound   time.Duration     // how long events wait for authors and completions
}

// onBench runs a test in a bubble.
func onBench(t *testing.T, run func(b *bench)) {
	t.Helper()
	_, err := codecOnce()
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(received)) // what comes in has happened before
		net := &kfake.VirtualNetwork{}
		onCluster(t, net.DialContext, run, kfake.Ports(9093), kfake.ListenFn(net.Listen))
	})
}

// inRealTime runs a test outside of a bubble: a member that ends a transaction
// while its group rebalances waits for a mutex, and fake time stands still.
func inRealTime(t *testing.T, run func(b *bench)) {
	t.Helper()
	onCluster(t, (&net.Dialer{Timeout: time.Second}).DialContext, run, kfake.GroupMinSessionTimeout(100*time.Millisecond))
}

// hasty are the options of a member that notices everything soon.
func hasty(d *publish.Deps) {
	d.Session = []kgo.Opt{kgo.SessionTimeout(1500 * time.Millisecond), kgo.HeartbeatInterval(100 * time.Millisecond), kgo.TransactionTimeout(time.Second)}
}

func onCluster(t *testing.T, dial dialFunc, run func(b *bench), opts ...kfake.Opt) {
	t.Helper()
	names := kafka.TopicNames("t.")
	cluster, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1),
		kfake.SeedTopics(partitions, names.Inbox, names.Contents, names.Messages, names.Activity, names.Seen), kfake.SeedTopics(2, names.InboxDLQ, names.Identities))...)
	require.NoError(t, err)
	defer cluster.Close()
	b := newBench(t, dial, kgo.SeedBrokers(cluster.ListenAddrs()...), names)
	b.cluster = cluster
	defer b.close()
	run(b)
}

// newBench returns a bench on a broker, whichever.
func newBench(t *testing.T, dial dialFunc, brokers kgo.Opt, names kafka.Names) *bench {
	t.Helper()
	codec, err := codecOnce()
	require.NoError(t, err)
	b := &bench{
		T: t, dial: dial, names: names, codec: codec, reg: prometheus.NewRegistry(), log: slog.New(slog.NewTextHandler(t.Output(), nil)), bound: 2 * time.Second,
		opts: []kgo.Opt{brokers, kgo.Dialer(dial)},
	}
	b.client, err = kgo.NewClient(append(b.opts, kgo.ProducerLinger(0))...)
	require.NoError(t, err)
	return b
}

// close ends what a test that failed has left running.
func (b *bench) close() {
	for _, cancel := range b.cancels {
		cancel()
	}
	b.wait.Wait()
	b.client.Close()
}

type dialFunc = func(context.Context, string, string) (net.Conn, error)

// start runs a publisher until the returned function is called.
func (b *bench) start(change ...func(*publish.Deps)) (stop func()) {
	b.Helper()
	deps := publish.Deps{Kafka: slices.Clone(b.opts), Names: b.names, Codec: b.codec, Registerer: b.reg, Logger: b.log}
	for _, c := range change {
		c(&deps)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	b.wait.Go(func() { done <- publish.New(deps, publish.Config{EnrichTimeout: b.bound}).Run(ctx) })
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(b, <-done)
	})
	b.cancels = append(b.cancels, cancel)
	return stop
}

// arrive writes arrivals to the inbox as ingest does, and returns the records.
func (b *bench) arrive(arrivals ...schemas.Arrival) []*kgo.Record {
	b.Helper()
	var records []*kgo.Record
	for _, a := range arrivals {
		if a.ReceivedAt.IsZero() || a.ReceivedAt.Equal(received) {
			a.ReceivedAt = time.Now()
		}
		value, err := b.codec.Encode(&a)
		require.NoError(b, err)
		records = append(records, &kgo.Record{Topic: b.names.Inbox, Key: []byte(conversation(a.Body)), Value: value})
	}
	require.NoError(b, b.client.ProduceSync(b.Context(), records...).FirstErr())
	for _, r := range records {
		b.arrived[r.Partition] = max(b.arrived[r.Partition], r.Offset)
	}
	return records
}

// conversation is the key that ingest gives a body.
func conversation(body []byte) string {
	type message struct {
		ID           string
		Conversation struct{ ID string }
	}
	var keys struct {
		message
		Body     message // of a notification
		Thread   string  `json:"thread_id"`
		Resource struct {
			ID       string
			Metadata struct {
				Thread string `json:"thread_id"`
			}
		}
	}
	_ = json.Unmarshal(body, &keys)
	for _, key := range []string{
		keys.Body.Conversation.ID, keys.Conversation.ID, keys.Resource.Metadata.Thread, keys.Thread, keys.Resource.ID, keys.Body.ID, keys.ID,
	} {
		if key != "" {
			return key
		}
	}
	return ""
}

// committed returns what a read_committed consumer sees of a topic, by
// partition and offset.
func (b *bench) committed(topic string) (records []*kgo.Record) {
	b.Helper()
	for p := range int32(partitions) {
		if (topic == b.names.InboxDLQ || topic == b.names.Identities) && p >= 2 && b.cluster != nil {
			break
		}
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		require.NoError(b, kafka.ReadAll(ctx, b.opts, topic, p, func(r *kgo.Record) { records = append(records, r) }))
		cancel()
	}
	return records
}

// contents returns the events on the topic contents.
func (b *bench) contents() (events []*schemas.ContentEvent) {
	b.Helper()
	for _, r := range b.committed(b.names.Contents) {
		var event schemas.ContentEvent
		require.NoError(b, b.codec.Decode(b.Context(), r.Value, &event))
		events = append(events, &event)
	}
	return events
}

// eventually waits for a condition, in fake time.
func (b *bench) eventually(what string, condition func() bool) {
	b.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !condition(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			require.FailNow(b, "waited in vain", what)
		}
	}
}

// caughtUp waits until everything in the inbox is committed by the group.
func (b *bench) caughtUp() {
	b.Helper()
	b.eventually("the inbox is published", b.published)
}

// published tells whether the group has committed the inbox to its end. The
// markers of transactions in the inbox take offsets as well and do not count.
func (b *bench) published() bool {
	b.Helper()
	at, err := kadm.NewClient(b.client).FetchOffsets(b.Context(), b.names.Group("publish"))
	if !errors.Is(err, kerr.GroupIDNotFound) { // it has not joined yet
		require.NoError(b, err)
	}
	done := func(partition int32, offset int64) bool {
		committed, _ := at.Lookup(b.names.Inbox, partition)
		return committed.At > offset
	}
	for p, offset := range b.arrived { // saves reading the inbox
		if offset > 0 && !done(int32(p), offset) {
			return false
		}
	}
	for _, r := range b.committed(b.names.Inbox) {
		if !done(r.Partition, r.Offset) {
			return false
		}
	}
	return true
}

// assigned returns the partitions of a member, by its client id.
func (b *bench) assigned(client string) (partitions []int32) {
	b.Helper()
	groups, err := kadm.NewClient(b.client).DescribeGroups(b.Context(), b.names.Group("publish"))
	require.NoError(b, err)
	for _, member := range groups[b.names.Group("publish")].Members {
		if assignment, ok := member.Assigned.AsConsumer(); ok && member.ClientID == client {
			for _, topic := range assignment.Topics {
				partitions = append(partitions, topic.Partitions...)
			}
		}
	}
	return partitions
}

// settle waits until the stage has had time to do more than it should.
func (b *bench) settle() {
	b.Helper()
	b.caughtUp()
	time.Sleep(time.Second)
	b.caughtUp()
}

// metric returns the sum of a metric's series.
func (b *bench) metric(name string) int {
	b.Helper()
	families, err := b.reg.Gather()
	require.NoError(b, err)
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return int(sum)
}

// thread returns the webhook of a content's import, in a thread.
func thread(thread, content, body string) schemas.Arrival {
	return webhook(fmt.Sprintf(`{"type":"content.imported","id":"e-%s","issued_at":"2026-03-01T11:59:59.5Z","resource":{"type":"a/b","id":%q,"metadata":{"thread_id":%q,"body":%q}}}`,
		content, content, thread, body))
}

// once fails unless each content id occurs once, as the type given.
func once(b *bench, want int) {
	b.Helper()
	ids := map[string]int{}
	for _, event := range b.contents() {
		ids[event.EventID]++
	}
	require.Len(b, ids, want)
	for id, n := range ids {
		require.Equal(b, 1, n, "event %s", id)
	}
}

var errBroken = errors.New("broken")
