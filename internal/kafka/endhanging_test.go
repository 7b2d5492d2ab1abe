package kafka_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// Each time the coordinator says that it has no more to do with the producer, whose transaction is open in a partition all the same.
func TestATransactionThatHangsEndsAsItsCoordinatorHasDecided(t *testing.T) {
	for fact, test := range map[string]struct {
		state              string
		epochs             int16 // from the transaction to the newest of which the coordinator knows
		committed, aborted int
		read               []string
	}{
		"committed":                           {state: "CompleteCommit", epochs: 1, committed: 1, read: []string{"kept back"}},
		"aborted":                             {state: "CompleteAbort", epochs: 1, aborted: 1},
		"of a later one alone it is known":    {state: "CompleteAbort", epochs: 2},
		"no more is known than that it began": {state: "Ongoing"},
	} {
		t.Run(fact, func(t *testing.T) {
			var net kfake.VirtualNetwork
			c, err := kfake.NewCluster(kfake.SeedTopics(1, "p.seen"), kfake.NumBrokers(1), kfake.Ports(9093), kfake.ListenFn(net.Listen))
			require.NoError(t, err)
			t.Cleanup(c.Close)
			opts := []kgo.Opt{kgo.SeedBrokers(c.ListenAddrs()...), kgo.Dialer(net.DialContext)}
			producer := client(t, opts, kgo.TransactionalID("x"))
			require.NoError(t, producer.BeginTransaction())
			record := &kgo.Record{Topic: "p.seen", Value: []byte("kept back")}
			require.NoError(t, producer.ProduceSync(t.Context(), record).FirstErr())
			remember(c, record.ProducerID, record.ProducerEpoch+test.epochs, test.state)

			adm := admin(t, opts)
			names := kafka.TopicNames("p.")
			hanging, err := kafka.Hanging(t.Context(), adm, names, time.Now().Add(time.Hour))
			require.NoError(t, err)
			require.Len(t, hanging, 1)
			ended, err := kafka.EndHanging(t.Context(), adm, hanging)
			require.NoError(t, err)
			require.Len(t, ended.Committed, test.committed)
			require.Len(t, ended.Aborted, test.aborted)
			require.Len(t, ended.Left, 1-test.committed-test.aborted)
			if len(ended.Left) == 0 {
				var read []string
				require.NoError(t, kafka.ReadAll(t.Context(), opts, "p.seen", 0, func(r *kgo.Record) { read = append(read, string(r.Value)) }))
				require.Equal(t, test.read, read)
			}
		})
	}
}

// remember has the coordinator tell this of a producer.
func remember(c *kfake.Cluster, producerID int64, epoch int16, state string) {
	list := func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		response := request.ResponseKind().(*kmsg.ListTransactionsResponse)
		if state != "Ongoing" { // it is asked for those that are over
			response.TransactionStates = []kmsg.ListTransactionsResponseTransactionState{{TransactionalID: "x", ProducerID: producerID, TransactionState: state}}
		}
		return response, nil, true
	}
	describe := func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		response := request.ResponseKind().(*kmsg.DescribeTransactionsResponse)
		response.TransactionStates = []kmsg.DescribeTransactionsResponseTransactionState{{TransactionalID: "x", ProducerID: producerID, ProducerEpoch: epoch, State: state}}
		return response, nil, true
	}
	c.ControlKey(kmsg.ListTransactions.Int16(), list)
	c.ControlKey(kmsg.DescribeTransactions.Int16(), describe)
}

func TestNothingIsEndedWhereNothingHangs(t *testing.T) {
	ended, err := kafka.EndHanging(t.Context(), kadm.NewClient(client(t, cluster(t))), nil)
	require.NoError(t, err)
	require.Equal(t, kafka.Ended{}, ended)
}
