// Package ingesttest is what the tests of ingest share: a broker on fake time, a
// codec, and a look into the inbox.
package ingesttest

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr/srfake" //nolint:depguard // the codec of tests needs a registry to give it ids
	"go.uber.org/goleak"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// Partitions is how many each topic has.
const Partitions = 3

// NewCodec returns a codec from a registry that is gone again when it returns.
// Call it outside of a bubble: its HTTP is real.
func NewCodec() (*schemas.Codec, error) {
	server := httptest.NewServer(srfake.NewRegistry().Handler())
	defer server.Close()
	registry, err := schemas.NewRegistry(schemas.Config{URL: server.URL})
	if err != nil {
		return nil, fmt.Errorf("ingesttest: registry: %w", err)
	}
	return registry.Prepare(context.Background(), "t.", true)
}

// Main runs a package's tests with a codec made for them, and fails when they
// leave goroutines behind. It does not return.
func Main(m *testing.M, codec **schemas.Codec) {
	var err error
	if *codec, err = NewCodec(); err != nil {
		panic(err) // no test can run
	}
	goleak.VerifyTestMain(m)
}

// Kafka is a fake broker on a bubble's network, with the bridge's topics.
type Kafka struct {
	Cluster *kfake.Cluster
	Network *kfake.VirtualNetwork
	Options []kgo.Opt
	Names   kafka.Names
}

// Start starts the broker inside a bubble, and stops it with the test.
func Start(t *testing.T) *Kafka {
	t.Helper()
	network := new(kfake.VirtualNetwork)
	names := kafka.TopicNames("t.")
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9093), kfake.ListenFn(network.Listen),
		kfake.SeedTopics(Partitions, names.Inbox, names.InboxDLQ, names.Cursors))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	return &Kafka{
		Cluster: cluster,
		Network: network,
		Options: []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.Dialer(network.DialContext)},
		Names:   names,
	}
}

// Inbox returns an inbox of the broker, closed with the test.
func (k *Kafka) Inbox(t *testing.T, codec ingest.Codec) *ingest.Inbox {
	t.Helper()
	inbox, err := ingest.NewInbox(ingest.Deps{Options: k.Options, Topics: k.Names, Account: "acme", Codec: codec})
	require.NoError(t, err)
	t.Cleanup(inbox.Close)
	return inbox
}

// Records returns what a topic holds, partition after partition.
func (k *Kafka) Records(t *testing.T, topic string) []*kgo.Record {
	t.Helper()
	var records []*kgo.Record
	for p := range int32(Partitions) {
		require.NoError(t, kafka.ReadAll(t.Context(), k.Options, topic, p, func(r *kgo.Record) { records = append(records, r) }))
	}
	return records
}

// Arrivals returns what the inbox holds, partition after partition.
func (k *Kafka) Arrivals(t *testing.T, codec *schemas.Codec) []schemas.Arrival {
	t.Helper()
	var arrivals []schemas.Arrival
	for _, r := range k.Records(t, k.Names.Inbox) {
		var a schemas.Arrival
		require.NoError(t, codec.Decode(t.Context(), r.Value, &a))
		arrivals = append(arrivals, a)
	}
	return arrivals
}

// Header returns the values of a record's header.
func Header(r *kgo.Record, name string) []string {
	var values []string
	for _, h := range r.Headers {
		if h.Key == name {
			values = append(values, string(h.Value))
		}
	}
	return values
}
