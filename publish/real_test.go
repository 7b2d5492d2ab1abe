//go:build real

package publish_test

import (
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/realparts"
	"github.com/ringbridge/ringbridge/publish"
)

// parts are the real broker and registry of all tests; set once, by TestMain.
var parts *realparts.Parts

func TestMain(m *testing.M) {
	os.Exit(realparts.Main(m, func(p *realparts.Parts) { parts = p }))
}

// onRealBroker runs a test on a real Kafka, under a prefix of its own.
func onRealBroker(t *testing.T, run func(b *bench)) {
	t.Helper()
	dial := (&net.Dialer{Timeout: time.Second}).DialContext
	b := newBench(t, dial, kgo.SeedBrokers(parts.Kafka.Addr()), kafka.TopicNames(fmt.Sprintf("t%d.", time.Now().UnixNano())))
	defer b.close()
	cfg := kafka.TopicConfig{Prefix: b.names.Group(""), Partitions: partitions, Replication: 1}
	_, err := kafka.Apply(t.Context(), kadm.NewClient(b.client), cfg)
	require.NoError(t, err)
	run(b)
}

// TestOnceWhateverBreaks cuts publishers off, kills the broker and stops
// publishers in turn while arrivals come in twice.
func TestOnceWhateverBreaks(t *testing.T) {
	onRealBroker(t, func(b *bench) {
		var links [2]*link
		var stops [2]func()
		for i := range links {
			links[i] = &link{dial: b.dial}
			stops[i] = b.start(func(d *publish.Deps) {
				d.Kafka = append(d.Kafka, kgo.Dialer(links[i].DialContext))
				d.Session = []kgo.Opt{kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(500 * time.Millisecond)}
			})
			defer stops[i]()
		}
		next := 0
		flow := func(seconds float64) {
			for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
				b.arrive(thread(fmt.Sprint("t", next%9), fmt.Sprint("c", next), "hi"), thread(fmt.Sprint("t", next/2%9), fmt.Sprint("c", next/2), "hi"))
				next++
			}
		}
		flow(2)
		links[0].cut()
		flow(8)
		links[0].mend()
		flow(3)
		require.NoError(t, parts.Kafka.Kill())
		require.NoError(t, parts.Kafka.Restart(t.Context()))
		flow(3)
		stops[1]()
		flow(2)
		b.settle()
		once(b, next)
	})
}
