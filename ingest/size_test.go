package ingest_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/ingesttest"
	"github.com/ringbridge/ringbridge/internal/deadletter"
)

// allow sets the largest record that a topic takes.
func allow(t *testing.T, k *ingesttest.Kafka, topic string, size int) {
	t.Helper()
	client, err := kgo.NewClient(k.Options...)
	require.NoError(t, err)
	defer client.Close()
	limit := strconv.Itoa(size)
	_, err = kadm.NewClient(client).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "max.message.bytes", Value: &limit}}, topic)
	require.NoError(t, err)
}

// noise is bytes that no compression makes smaller: the broker measures what is compressed.
func noise(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data) // never fails
	return data
}

// letters returns what the dead letters hold, and why.
func letters(t *testing.T, k *ingesttest.Kafka) (records []*kgo.Record, why []deadletter.Letter) {
	t.Helper()
	records = k.Records(t, k.Names.InboxDLQ)
	for _, r := range records {
		letter, ok := deadletter.Parse(r.Headers)
		require.True(t, ok)
		require.Len(t, ingesttest.Header(r, "traceparent"), 1)
		why = append(why, letter)
	}
	return records, why
}

func TestAnItemThatTheInboxCannotHoldIsALetterAndTheOthersGoOn(t *testing.T) {
	long, longest := strings.Repeat("i", ingest.MaxName+1), strings.Repeat("i", ingest.MaxName)
	for fact, c := range map[string]struct {
		change func(*ingest.Item)
		letter bool
	}{
		"a key of 1 KiB":                     {change: func(i *ingest.Item) { i.Key = longest }},
		"a longer key":                       {change: func(i *ingest.Item) { i.Key = long }, letter: true},
		"a resource id of 1 KiB":             {change: func(i *ingest.Item) { i.Arrival.ResourceID = &longest }},
		"a longer resource id":               {change: func(i *ingest.Item) { i.Arrival.ResourceID = &long }, letter: true},
		"an event type of more than 1 KiB":   {change: func(i *ingest.Item) { i.Arrival.Kind = long }, letter: true},
		"a body larger than the topic takes": {change: func(i *ingest.Item) { i.Arrival.Body = noise(1_000_000) }, letter: true},
		"a body beyond all topics":           {change: func(i *ingest.Item) { i.Arrival.Body = noise(17 << 20) }, letter: true},
	} {
		for when, warm := range map[string]bool{"at the start": false, "later": true} {
			t.Run(fact+" "+when, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					k := ingesttest.Start(t)
					allow(t, k, k.Names.Inbox, 1_000_000)
					allow(t, k, k.Names.InboxDLQ, 16<<20)
					inbox := k.Inbox(t, codec)
					if warm {
						require.NoError(t, inbox.Accept(t.Context(), item("k", "before")))
					}
					odd := item("k", "odd")
					c.change(&odd)
					require.NoError(t, inbox.Accept(t.Context(), item("k", "1"), odd, item("k", "2")))
					records, why := letters(t, k)
					var bodies []string
					for _, a := range k.Arrivals(t, codec) {
						bodies = append(bodies, string(a.Body))
					}
					require.Contains(t, bodies, "1")
					require.Contains(t, bodies, "2")
					if !c.letter {
						require.Empty(t, records)
						require.Contains(t, bodies, "odd")
						return
					}
					require.NotContains(t, bodies, string(odd.Arrival.Body))
					require.Len(t, records, 1)
					require.Equal(t, deadletter.Invalid, why[0].Reason)
					if len(odd.Arrival.Body) < 16<<20 {
						require.True(t, bytes.Equal(odd.Arrival.Body, records[0].Value))
					}
				})
			})
		}
	}
}

func TestWhatEvenTheDeadLettersCannotHoldIsAStub(t *testing.T) {
	body := append([]byte("begin"), noise(3_000_000)...)
	for fact, give := range map[string]func(*testing.T, *ingest.Inbox) error{
		"an item": func(t *testing.T, i *ingest.Inbox) error { return i.Accept(t.Context(), item("k", string(body))) },
		"a refusal": func(t *testing.T, i *ingest.Inbox) error {
			return i.Refuse(t.Context(), ingest.Refusal{Body: body, Message: "why"})
		},
	} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := ingesttest.Start(t)
				inbox := k.Inbox(t, codec)
				require.NoError(t, give(t, inbox))
				records, why := letters(t, k)
				require.Len(t, records, 1)
				require.True(t, bytes.HasPrefix(body, records[0].Value))
				require.Greater(t, len(records[0].Value), 5)
				require.Contains(t, why[0].Message, fmt.Sprintf("of 3000005 bytes (SHA-256 %x)", sha256.Sum256(body)))
				require.NotContains(t, fmt.Sprint(records[0].Headers), "begin")
			})
		})
	}
}

// The broker says of a whole batch that it is too large. None of its records is at fault.
func TestARequestLargerThanABatchIsTakenWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		inbox := k.Inbox(t, codec)
		var given []ingest.Item
		for n := range 400 {
			given = append(given, item("k", fmt.Sprint(n)+strings.Repeat(" ", 10_000)))
		}
		require.NoError(t, inbox.Accept(t.Context(), given...))
		seen := map[string]bool{}
		for _, a := range k.Arrivals(t, codec) {
			seen[string(a.Body)] = true
		}
		require.Len(t, seen, 400)
		require.Empty(t, k.Records(t, k.Names.InboxDLQ))
	})
}

func TestBytesThatAreTooLargeAreSentTwiceAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		inbox := k.Inbox(t, codec)
		large := 0
		k.Cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
			k.Cluster.KeepControl()
			for _, topic := range req.(*kmsg.ProduceRequest).Topics {
				for _, p := range topic.Partitions {
					if len(p.Records) > 1_500_000 {
						large++
					}
				}
			}
			return nil, nil, false
		})
		body := string(noise(2_000_000))
		for range 3 {
			require.NoError(t, inbox.Accept(t.Context(), item("k", "1"), item("k", body), item("k", "2")))
		}
		require.Equal(t, 4, large, "in a batch, alone, and its letter twice; the next ones are measured")
		require.Len(t, k.Arrivals(t, codec), 6)
		require.Len(t, k.Records(t, k.Names.InboxDLQ), 3)
	})
}

func TestLettersDoNotFloodTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		var logged bytes.Buffer
		inbox := logging(t, k, &logged)
		odd := item(strings.Repeat("k", 2000), "{}")
		for range 50 {
			require.NoError(t, inbox.Accept(t.Context(), odd, odd, odd))
		}
		require.Equal(t, 1, strings.Count(logged.String(), "level=WARN"))
		time.Sleep(10 * time.Second)
		require.NoError(t, inbox.Accept(t.Context(), odd))
		require.Contains(t, logged.String(), "suppressed=149")
		require.NotContains(t, logged.String(), "kkk")
	})
}
