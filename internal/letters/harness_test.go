package letters_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	"github.com/ringbridge/ringbridge/internal/letters"
	"github.com/ringbridge/ringbridge/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const partitions = 3

// A room has a broker with the topics, and two offices: two operators.
type room struct {
	t       *testing.T
	cluster *kfake.Cluster
	opts    []kgo.Opt
	names   kafka.Names
	codec   *schemas.Codec
	client  *kgo.Client
	log     bytes.Buffer
	office  *letters.Office
	other   *letters.Office
}

func newRoom(t *testing.T) *room {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	return furnish(t, newCodec(t), cluster, kgo.SeedBrokers(cluster.ListenAddrs()...))
}

// bubble runs a test in a room where time is fake.
func bubble(t *testing.T, f func(t *testing.T, r *room)) {
	t.Helper()
	codec := newCodec(t)
	synctest.Test(t, func(t *testing.T) {
		var net kfake.VirtualNetwork
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9093), kfake.ListenFn(net.Listen))
		require.NoError(t, err)
		t.Cleanup(cluster.Close)
		f(t, furnish(t, codec, cluster, kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.Dialer(net.DialContext)))
	})
}

// newCodec prepares a codec. Outside a bubble only: the registry is on a socket.
func newCodec(t *testing.T) *schemas.Codec {
	t.Helper()
	server := httptest.NewServer(srfake.NewRegistry().Handler())
	t.Cleanup(server.Close)
	registry, err := schemas.NewRegistry(schemas.Config{URL: server.URL})
	require.NoError(t, err)
	codec, err := registry.Prepare(t.Context(), "t.", true)
	require.NoError(t, err)
	return codec
}

func furnish(t *testing.T, codec *schemas.Codec, cluster *kfake.Cluster, opts ...kgo.Opt) *room {
	t.Helper()
	r := &room{t: t, cluster: cluster, names: kafka.TopicNames("t."), opts: opts, codec: codec}
	var err error
	r.client, err = kgo.NewClient(append(r.opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	require.NoError(t, err)
	t.Cleanup(r.client.Close)
	adm := kadm.NewClient(r.client)
	_, err = kafka.Apply(t.Context(), adm, kafka.TopicConfig{Prefix: "t.", Partitions: partitions})
	require.NoError(t, err)
	deps := letters.Deps{
		Topics: r.names, Read: r.read, Options: r.opts, Admin: adm, Codec: r.codec, Logger: slog.New(slog.NewTextHandler(&r.log, nil)),
		Split: func([]byte, string, string) ([]letters.Event, error) { return nil, errors.New("no event") },
	}
	r.office, r.other = letters.New(deps), letters.New(deps)
	return r
}

// read is a letters.ReadFunc.
func (r *room) read(ctx context.Context, topic string, each func(*kgo.Record) bool) error {
	for partition := range int32(partitions) {
		more := true
		err := kafka.ReadAll(ctx, r.opts, topic, partition, func(record *kgo.Record) { more = more && each(record) })
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// give puts letters of commands on a partition.
func (r *room) give(partition int32, reason deadletter.Reason, ids ...string) {
	r.t.Helper()
	var records []*kgo.Record
	for _, id := range ids {
		value, err := r.codec.Encode(&schemas.ReplyCommand{
			CommandID: id, IssuedAt: time.Now(), IssuedBy: "test", Action: &schemas.DeleteMessage{MessageID: "7"},
		})
		require.NoError(r.t, err)
		headers := deadletter.Letter{Topic: r.names.Replies, Partition: partition, Reason: reason, FailedAt: time.Now()}.Headers(nil)
		records = append(records, &kgo.Record{Topic: r.names.RepliesDLQ, Partition: partition, Key: []byte("k"), Value: value, Headers: headers})
	}
	require.NoError(r.t, r.client.ProduceSync(r.t.Context(), records...).FirstErr())
}

func (r *room) result(partition int32, id string, state schemas.ReplyState) {
	r.t.Helper()
	value, err := r.codec.Encode(&schemas.ReplyResult{CommandID: id, State: state, At: time.Now()})
	require.NoError(r.t, err)
	record := &kgo.Record{Topic: r.names.Results, Partition: partition, Key: []byte(id), Value: value}
	require.NoError(r.t, r.client.ProduceSync(r.t.Context(), record).FirstErr())
}

func (r *room) plan(action letters.Action, change ...func(*letters.Choice)) *letters.Plan {
	r.t.Helper()
	choice := letters.Choice{Source: letters.Replies}
	for _, f := range change {
		f(&choice)
	}
	p, err := r.office.Plan(r.t.Context(), action, choice, nil)
	require.NoError(r.t, err)
	return p
}

func which(names ...string) func(*letters.Choice) {
	return func(c *letters.Choice) { c.Which = names }
}

// sendBack carries a plan out and returns the commands that were sent.
func (r *room) sendBack(p *letters.Plan) (ids []string) {
	r.t.Helper()
	client, err := kgo.NewClient(append(letters.ProducerOptions(letters.Replies), r.opts...)...)
	require.NoError(r.t, err)
	defer client.Close()
	sent, err := r.office.SendBack(r.t.Context(), p, letters.Redrive{Client: client, Rate: 1000, By: "me"}, func(l letters.Letter) {
		ids = append(ids, l.CommandID)
	})
	require.NoError(r.t, err)
	require.Len(r.t, ids, sent)
	return ids
}

func (r *room) discard(office *letters.Office, p *letters.Plan) int {
	r.t.Helper()
	n, err := office.Discard(r.t.Context(), p, "me", nil)
	require.NoError(r.t, err)
	return n
}

// states returns what became of each letter, by command.
func (r *room) states() map[string]letters.State {
	r.t.Helper()
	states := map[string]letters.State{}
	require.NoError(r.t, r.office.List(r.t.Context(), letters.Choice{Source: letters.Replies}, true, func(l letters.Letter) error {
		states[l.CommandID] = l.State
		return nil
	}))
	return states
}

func ids(prefix string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("%s%d", prefix, i))
	}
	return names
}
