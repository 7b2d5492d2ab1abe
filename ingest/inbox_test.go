package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/ingesttest"
	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

func item(key, body string) ingest.Item {
	return ingest.Item{Key: key, Arrival: schemas.Arrival{
		Origin: schemas.OriginWebhook, API: schemas.ApiEngage, Kind: "content.imported", ContentType: "application/json", Body: []byte(body),
	}}
}

func TestAnItemIsInTheInboxAsItCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		id := "c1"
		given := item("thread-1", `{"x": 1 }`)
		given.Arrival.ResourceID = &id
		given.TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		require.NoError(t, k.Inbox(t, codec).Accept(t.Context(), given))

		records := k.Records(t, k.Names.Inbox)
		require.Len(t, records, 1)
		require.Equal(t, "thread-1", string(records[0].Key))
		require.Equal(t, []string{given.TraceParent}, ingesttest.Header(records[0], "traceparent"))
		got := k.Arrivals(t, codec)[0]
		require.NotEmpty(t, got.ArrivalID)
		require.WithinDuration(t, time.Now(), got.ReceivedAt, time.Second)
		got.ArrivalID, got.ReceivedAt = "", time.Time{}
		given.Arrival.Account = "acme"
		require.Equal(t, given.Arrival, got)
	})
}

func TestItemsOfAConversationKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		inbox := k.Inbox(t, codec)
		var given []ingest.Item
		for n := range 300 {
			given = append(given, item(fmt.Sprint(n%7), fmt.Sprint(n)))
		}
		require.NoError(t, inbox.Accept(t.Context(), given...))
		last := map[string]int{}
		for _, r := range k.Records(t, k.Names.Inbox) {
			var a schemas.Arrival
			require.NoError(t, codec.Decode(t.Context(), r.Value, &a))
			var n int
			_, err := fmt.Sscan(string(a.Body), &n)
			require.NoError(t, err)
			require.GreaterOrEqual(t, n, last[string(r.Key)])
			last[string(r.Key)] = n
		}
		require.Len(t, last, 7)
	})
}

func TestWithoutACodecNothingIsAcceptedYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		inbox := k.Inbox(t, nil)
		require.ErrorIs(t, inbox.Accept(t.Context(), item("k", "{}")), ingest.ErrNotReady)
		inbox.UseCodec(codec)
		require.NoError(t, inbox.Accept(t.Context(), item("k", "{}")))
	})
}

func TestRefusedBytesAreALetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		inbox := k.Inbox(t, nil)
		require.NoError(t, inbox.Refuse(t.Context(), ingest.Refusal{
			Body: []byte("\x00not json"), Message: "no events", Headers: []ingest.Header{{Name: "Content-Type", Value: "text/x"}},
		}))
		records := k.Records(t, k.Names.InboxDLQ)
		require.Len(t, records, 1)
		require.Nil(t, records[0].Key)
		require.Equal(t, "\x00not json", string(records[0].Value))
		require.Equal(t, []string{"text/x"}, ingesttest.Header(records[0], "Content-Type"))
		letter, ok := deadletter.Parse(records[0].Headers)
		require.True(t, ok)
		require.Equal(t, deadletter.Undecodable, letter.Reason)
		require.Equal(t, "no events", letter.Message)
		require.Empty(t, letter.Topic)
	})
}

// outages are the ways in which a broker may fail to answer. Each begins one and
// returns what ends it.
func outages() map[string]func(*kfake.Cluster) (heal func()) {
	fault := func(err *kerr.Error) func(*kfake.Cluster) func() {
		return func(c *kfake.Cluster) func() {
			return c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err, Count: -1}).Remove
		}
	}
	return map[string]func(*kfake.Cluster) (heal func()){
		"connections are cut": func(c *kfake.Cluster) func() {
			var healed atomic.Bool
			c.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				return nil, errors.New("cut"), !healed.Load()
			})
			return func() { healed.Store(true) }
		},
		"a broker is frozen": func(c *kfake.Cluster) func() {
			healed := make(chan struct{})
			c.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				c.SleepControl(func() { <-healed })
				return nil, nil, false
			})
			return func() { close(healed) }
		},
		"the partition has no leader": fault(kerr.NotLeaderForPartition),
		"there are too few replicas":  fault(kerr.NotEnoughReplicas),
		"written to too few replicas": fault(kerr.NotEnoughReplicasAfterAppend),
		"the broker times out":        fault(kerr.RequestTimedOut),
		"writing is not allowed":      fault(kerr.TopicAuthorizationFailed),
	}
}

// Peer failure 10: a broker that bounced had the local queue purged, untold. Here
// what is given up is refused, and what is accepted is there afterwards.
func TestAnOutageIsAnsweredInTimeToldOnceAndForgotten(t *testing.T) {
	for fact, begin := range outages() {
		for when, warm := range map[string]bool{"from the start": false, "in the middle": true} {
			t.Run(fact+" "+when, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { outlive(t, begin, warm) })
			})
		}
	}
}

func outlive(t *testing.T, begin func(*kfake.Cluster) (heal func()), warm bool) {
	t.Helper()
	k := ingesttest.Start(t)
	var logged bytes.Buffer
	inbox := logging(t, k, &logged)
	var accepted []string
	accept := func(body string) bool {
		err := inbox.Accept(t.Context(), item("k", body))
		if err == nil {
			accepted = append(accepted, body)
		}
		return err == nil
	}
	require.Equal(t, warm, warm && accept("before"))
	heal := begin(k.Cluster)
	for n := range 3 {
		start := time.Now()
		require.False(t, accept(fmt.Sprint("during", n)))
		require.LessOrEqual(t, time.Since(start), 9*time.Second)
	}
	require.Eventually(t, func() bool { return inbox.Buffered() == 0 }, time.Minute, time.Second, "what was given up takes no memory")
	heal()
	require.Eventually(t, func() bool { return accept("after") }, time.Minute, time.Second)
	time.Sleep(10 * time.Second)
	require.True(t, accept("end"))
	require.Equal(t, 1, strings.Count(logged.String(), "cannot be written"), logged.String())
	require.Equal(t, 1, strings.Count(logged.String(), "can be written again"), logged.String())
	var bodies []string
	for _, a := range k.Arrivals(t, codec) {
		bodies = append(bodies, string(a.Body))
	}
	require.Subset(t, bodies, accepted)
}

func TestAnOutageOfOnePartitionOfManyIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		var logged bytes.Buffer
		inbox := logging(t, k, &logged)
		k.Cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{0}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		failed := 0
		for n := range 100 {
			if inbox.Accept(t.Context(), item(fmt.Sprint(n), "{}")) != nil {
				failed++
			}
		}
		require.Greater(t, failed, 10)
		require.Less(t, failed, 90)
		require.Equal(t, 1, strings.Count(logged.String(), "cannot be written"))
	})
}

func logging(t *testing.T, k *ingesttest.Kafka, to *bytes.Buffer) *ingest.Inbox {
	t.Helper()
	inbox, err := ingest.NewInbox(ingest.Deps{
		Options: k.Options, Topics: k.Names, Codec: codec,
		Logger: slog.New(slog.NewTextHandler(to, nil)), Registerer: prometheus.NewRegistry(),
	})
	require.NoError(t, err)
	t.Cleanup(inbox.Close)
	return inbox
}

func TestWithNoBrokerAtAllTheAnswerComesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nobody := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") }
		inbox, err := ingest.NewInbox(ingest.Deps{
			Options: []kgo.Opt{kgo.SeedBrokers("127.0.0.1:1"), kgo.Dialer(nobody)}, Topics: kafka.TopicNames("t."), Codec: codec,
		})
		require.NoError(t, err)
		defer inbox.Close()
		start := time.Now()
		require.Error(t, inbox.Accept(t.Context(), item("k", "{}")))
		require.LessOrEqual(t, time.Since(start), 9*time.Second)
	})
}

func TestACallerThatLeavesDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		inbox := k.Inbox(t, codec)
		require.NoError(t, inbox.Accept(t.Context(), item("k", "1")))
		slow := k.Cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
		leaving, leave := context.WithCancel(t.Context())
		left, stayed := make(chan error, 1), make(chan error, 1)
		go func() { left <- inbox.Accept(leaving, item("k", "2")) }()
		synctest.Wait() // so that it is the first of its partition
		go func() { stayed <- inbox.Accept(t.Context(), item("k", "3")) }()
		time.Sleep(time.Second)
		leave()
		require.ErrorIs(t, <-left, context.Canceled)
		time.Sleep(time.Second)
		slow.Remove()
		require.NoError(t, <-stayed)
	})
}

// overslept is a context whose deadline has passed before its timer could tell, as in a process that was frozen.
type overslept struct{ context.Context }

func (overslept) Deadline() (time.Time, bool) { return time.Now(), true }

func TestNothingIsWrittenAfterTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		require.ErrorIs(t, k.Inbox(t, codec).Accept(overslept{t.Context()}, item("c1", "{}")), context.DeadlineExceeded)
		require.Empty(t, k.Records(t, k.Names.Inbox))
	})
}

func TestTraceParent(t *testing.T) {
	valid := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	require.Equal(t, valid, ingest.TraceParent(valid))
	for fact, given := range map[string]string{
		"none":                         "",
		"upper case":                   strings.ToUpper(valid),
		"no trace id":                  "00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"no parent id":                 "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"the forbidden version":        "ff" + valid[2:],
		"more than version 00 has":     valid + "-more",
		"a line break and more":        valid + "\r\nx: y",
		"longer than any version will": "01" + valid[2:] + "-" + strings.Repeat("x", 200),
	} {
		t.Run(fact, func(t *testing.T) {
			got := ingest.TraceParent(given)
			require.NotEqual(t, given, got)
			require.Equal(t, got, ingest.TraceParent(got))
		})
	}
}
