package publish_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

func TestWhatNoParserUnderstandsIsALetter(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		odd := webhook(`{"type":"content.imported","resource":{"id":null,"metadata":{"thread_id":"t1","body":"private words"}}}`)
		headers := []kgo.RecordHeader{{Key: "x", Value: []byte{0xff, 0}}, {Key: "ringbridge.dlq.redrives", Value: []byte("2")}}
		value, err := b.codec.Encode(&odd)
		require.NoError(b, err)
		garbage := &kgo.Record{Topic: b.names.Inbox, Key: nil, Value: []byte("no Avro"), Headers: headers}
		require.NoError(b, b.client.ProduceSync(b.Context(), garbage, &kgo.Record{Topic: b.names.Inbox, Key: []byte("t1"), Value: value, Headers: headers[:1]}).FirstErr())
		b.arrive(thread("t1", "c2", "hi"))
		b.settle()
		once(b, 1)
		letters := b.committed(b.names.InboxDLQ)
		require.Len(b, letters, 2)
		for _, r := range letters {
			letter, ok := deadletter.Parse(r.Headers)
			require.True(b, ok)
			require.Equal(b, deadletter.Undecodable, letter.Reason)
			require.Equal(b, b.names.Inbox, letter.Topic)
			require.Equal(b, "t.publish", letter.Group)
			require.Equal(b, 1, letter.Attempts)
			require.Zero(b, letter.HTTPStatus)
			require.Equal(b, headers[:1], deadletter.Strip(r.Headers))
			require.NotContains(b, letter.Message, "private words")
			if r.Key == nil {
				require.Equal(b, "no Avro", string(r.Value))
				require.Equal(b, 2, letter.Redrives)
				require.Equal(b, garbage.Offset, letter.Offset)
				continue
			}
			require.Equal(b, string(odd.Body), string(r.Value), "the event as received, not the arrival around it")
			require.Contains(b, letter.Message, "resource.id")
		}
		require.Equal(b, 2, b.metric("ringbridge_publish_letters_total"))
	})
}

// Peer failure 13: of a batch, the bad records were passed over without a letter.
func TestInABatchEveryBadRecordHasItsLetter(t *testing.T) {
	onBench(t, func(b *bench) {
		var batch []*kgo.Record
		for n := range 60 {
			arrival := thread("t1", fmt.Sprint("c", n), "hi")
			value, err := b.codec.Encode(&arrival)
			require.NoError(b, err)
			switch n % 4 {
			case 1:
				value = []byte(fmt.Sprint("no Avro ", n))
			case 2:
				value = nil
			case 3:
				value = value[:len(value)-n]
			}
			batch = append(batch, &kgo.Record{Topic: b.names.Inbox, Key: []byte("t1"), Value: value})
		}
		require.NoError(b, b.client.ProduceSync(b.Context(), batch...).FirstErr())
		defer b.start()()
		b.arrive(thread("t1", "last", "hi"))
		b.settle()
		once(b, 16)
		bad := map[int64][]byte{}
		for n, r := range batch {
			if n%4 != 0 {
				bad[r.Offset] = r.Value
			}
		}
		letters := map[int64][]byte{}
		for _, r := range b.committed(b.names.InboxDLQ) {
			letter, ok := deadletter.Parse(r.Headers)
			require.True(b, ok)
			letters[letter.Offset] = r.Value
		}
		require.Equal(b, bad, letters)
	})
}

func TestAnEventTooLargeForItsTopicGoesWithoutItsRaw(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		b.arrive(thread("t1", "c1", strings.Repeat("x", 600_000)), thread("t1", "c2", "hi"))
		b.settle()
		for _, event := range b.contents() {
			require.Equal(b, event.Content.ID == "c2", event.Raw != nil)
		}
		once(b, 2)
	})
}

func TestAnEventTooLargeAtAllIsALetterAndCanBeReplayed(t *testing.T) {
	onBench(t, func(b *bench) {
		b.limit(b.names.Contents, 9000)
		stop := b.start()
		large := thread("t1", "c1", strings.Repeat("x", 10_000))
		b.arrive(thread("t1", "c0", "hi"), large, thread("t1", "c2", "hi"))
		b.settle()
		once(b, 2)
		letters := b.committed(b.names.InboxDLQ)
		require.Len(b, letters, 1)
		letter, _ := deadletter.Parse(letters[0].Headers)
		require.Equal(b, deadletter.Internal, letter.Reason)
		stop()
		b.limit(b.names.Contents, 1_000_000)
		defer b.start()()
		b.arrive(large)
		b.settle()
		once(b, 3)
	})
}

// limit sets the max.message.bytes of a topic.
func (b *bench) limit(topic string, bytes int) {
	b.Helper()
	value := fmt.Sprint(bytes)
	_, err := kadm.NewClient(b.client).AlterTopicConfigs(b.Context(), []kadm.AlterConfig{{Name: "max.message.bytes", Value: &value}}, topic)
	require.NoError(b, err)
}

// The broker refuses the same bytes whenever they come: trying again would stop the partition for good.
func TestWhatTheBrokerRefusesAsTooLargeIsNotSentAgain(t *testing.T) {
	for fact, lower := range map[string]func(b *bench, topic string){
		"the setting is lowered while it runs": func(b *bench, topic string) { b.limit(topic, 9000) },
		"the setting is not shown": func(b *bench, topic string) {
			b.limit(topic, 9000)
			b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		},
		"the broker refuses what its setting allows": func(b *bench, topic string) {
			ids, err := kafka.TopicIDs(b.Context(), kadm.NewClient(b.client), topic)
			require.NoError(b, err)
			b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Err: kerr.MessageTooLarge, Count: -1, When: func(r kmsg.Request) bool {
				return slices.ContainsFunc(r.(*kmsg.ProduceRequest).Topics, func(t kmsg.ProduceRequestTopic) bool {
					return t.TopicID == ids[topic] && slices.ContainsFunc(t.Partitions, func(p kmsg.ProduceRequestTopicPartition) bool { return len(p.Records) > 9000 })
				})
			}})
		},
	} {
		t.Run(fact, func(t *testing.T) {
			onBench(t, func(b *bench) {
				b.arrive(thread("t1", "c0", "hi"))
				defer b.start()()
				b.settle()
				lower(b, b.names.Contents)
				b.arrive(thread("t1", "c1", "hi"), thread("t1", "c2", incompressible(20_000)), thread("t1", "c3", incompressible(2_000)))
				b.settle()
				once(b, 3)
				letters := b.committed(b.names.InboxDLQ)
				require.Len(b, letters, 1)
				require.Contains(b, string(letters[0].Value), `"c2"`)
			})
		})
	}
}

// incompressible returns a text of n bytes, or some more.
func incompressible(n int) string {
	var text strings.Builder
	for i := 0; text.Len() < n; i++ {
		fmt.Fprintf(&text, "%x", sha256.Sum256([]byte(fmt.Sprint(i))))
	}
	return text.String()
}

func TestALetterTooLargeForItsTopicIsAStub(t *testing.T) {
	onBench(t, func(b *bench) {
		b.limit(b.names.InboxDLQ, 9000)
		defer b.start()()
		large := thread("t1", "c1", strings.Repeat("x", 10_000))
		large.Body = large.Body[:len(large.Body)-1]
		records := b.arrive(large, thread("t1", "c2", "hi"))
		b.settle()
		once(b, 1)
		letters := b.committed(b.names.InboxDLQ)
		require.Len(b, letters, 1)
		require.Empty(b, letters[0].Value)
		require.Equal(b, records[0].Key, letters[0].Key)
		letter, _ := deadletter.Parse(letters[0].Headers)
		require.Equal(b, deadletter.Undecodable, letter.Reason)
		require.Contains(b, letter.Message, fmt.Sprintf("%d bytes", len(large.Body)))
		require.Contains(b, letter.Message, fmt.Sprintf("at t.inbox/%d offset %d", records[0].Partition, records[0].Offset))
	})
}

func TestWhatCannotBeRememberedIsALetter(t *testing.T) {
	onBench(t, func(b *bench) {
		b.limit(b.names.Seen, 1100)
		defer b.start()()
		b.arrive(thread("t1", "c1", "hi"), thread("t1", strings.Repeat("c", 900), "hi"), thread("t1", "c2", "hi"))
		b.settle()
		once(b, 2)
		letters := b.committed(b.names.InboxDLQ)
		require.Len(b, letters, 1)
		letter, _ := deadletter.Parse(letters[0].Headers)
		require.Equal(b, deadletter.Internal, letter.Reason)
	})
}

func TestLongIDsAndKeysAreLetters(t *testing.T) {
	long := strings.Repeat("x", 1025)
	for fact, arrival := range map[string]schemas.Arrival{
		"a content's id":       thread("t1", long, "hi"),
		"a conversation":       thread(long, "c1", "hi"),
		"an event's resource":  webhook(`{"type":"task.created","id":"e","resource":{"type":"task","id":"` + long + `"}}`),
		"an event's long type": webhook(`{"type":"task.` + long + `","id":"e","resource":{"type":"task","id":"1"}}`),
	} {
		t.Run(fact, func(t *testing.T) {
			onBench(t, func(b *bench) {
				defer b.start()()
				b.arrive(arrival, thread("t1", strings.Repeat("c", 1024), "hi"))
				b.settle()
				once(b, 1)
				letters := b.committed(b.names.InboxDLQ)
				require.Len(b, letters, 1)
				letter, _ := deadletter.Parse(letters[0].Headers)
				require.Equal(b, deadletter.Invalid, letter.Reason)
				require.Equal(b, string(arrival.Body), string(letters[0].Value))
			})
		})
	}
}
