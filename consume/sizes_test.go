package consume_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

func TestACommandTooLargeForTheDeadLettersHasAStub(t *testing.T) {
	for fact, lower := range map[string]func(b *bench, topic string){
		"the setting is low": func(b *bench, topic string) { b.limit(topic, 9000) },
		"the setting is lowered while it runs": func(b *bench, topic string) {
			b.start()
			b.send(b.reply("c0", "conv", "before"))
			b.wait(1)
			b.limit(topic, 9000)
		},
		"the broker refuses what its setting allows": func(b *bench, topic string) {
			ids, err := kafka.TopicIDs(b.t.Context(), kadm.NewClient(b.client), topic)
			require.NoError(b.t, err)
			b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Err: kerr.MessageTooLarge, Count: -1, When: func(r kmsg.Request) bool {
				for _, t := range r.(*kmsg.ProduceRequest).Topics {
					if t.TopicID == ids[topic] && len(t.Partitions[0].Records) > 9000 {
						return true
					}
				}
				return false
			}})
		},
	} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				lower(b, b.names.RepliesDLQ)
				if b.consumer == nil {
					b.start()
				}
				large := b.reply("c1", "conv", "hello", func(c *schemas.ReplyCommand) {
					c.Action.(*schemas.CreateContent).InReplyToID = nil
					c.Metadata = map[string]string{"large": random(50_000)}
				})
				b.send(large, b.reply("c2", "conv", "after"))
				require.Eventually(t, func() bool { final, _ := b.results(); return len(final["c2"]) == 1 }, time.Hour, time.Second)
				letters := b.read(b.names.RepliesDLQ)
				require.Len(t, letters, 1)
				require.Empty(t, letters[0].Value)
				require.Equal(t, "conv", string(letters[0].Key))
				letter, _ := deadletter.Parse(letters[0].Headers)
				require.Equal(t, deadletter.Invalid, letter.Reason)
				require.Contains(t, letter.Message, fmt.Sprintf("%d bytes", len(large.Value)))
				final, _ := b.results()
				require.Equal(t, schemas.ReplyStateDeadLettered, final["c1"][0].State)
			})
		})
	}
}

// limit sets the max.message.bytes of a topic.
func (b *bench) limit(topic string, bytes int) {
	b.t.Helper()
	value := fmt.Sprint(bytes)
	_, err := kadm.NewClient(b.client).AlterTopicConfigs(b.t.Context(), []kadm.AlterConfig{{Name: "max.message.bytes", Value: &value}}, topic)
	require.NoError(b.t, err)
}

// random returns a text of n bytes that does not compress well.
func random(n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = byte('0' + rand.IntN(75))
	}
	return string(text)
}

func TestALongCommandIDOrKeyIsALetter(t *testing.T) {
	long := strings.Repeat("x", 1_100_000)
	bubble(t, func(t *testing.T, b *bench) {
		b.start()
		b.send(b.reply(long, "conv", "never"), b.reply("c1", long, "never"), b.reply("c2", "conv", "after"))
		results := b.wait(2)
		require.Equal(t, schemas.ReplyStateSucceeded, results["c2"].State)
		require.Equal(t, schemas.ReplyStateDeadLettered, results["c1"].State)
		require.Len(t, results["c1"].Conversation, 1024)
		letters := b.read(b.names.RepliesDLQ)
		require.Len(t, letters, 2)
		for _, l := range letters {
			letter, _ := deadletter.Parse(l.Headers)
			require.Equal(t, deadletter.Invalid, letter.Reason)
		}
		require.Zero(t, b.api.count("never"))
	})
}
