package publish

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// A partitioner chooses partitions by topic:
//
//   - contents, messages, activity and seen: the one named in the record, which
//     is that of the inbox record it was made from. Keys and counts agree, so
//     Kafka's own choice would mostly be the same; but the state of a partition
//     must be where its owner looks, whatever the key;
//   - inbox.dlq: the same number, as far as the topic has it;
//   - identities and inbox: by key, as Kafka's default.
type partitioner struct{ names kafka.Names }

// ForTopic implements kgo.Partitioner.
func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	switch topic {
	case p.names.Contents, p.names.Messages, p.names.Activity, p.names.Seen:
		return kgo.ManualPartitioner().ForTopic(topic)
	case p.names.InboxDLQ:
		wrapped := func(string) func(*kgo.Record, int) int {
			return func(r *kgo.Record, n int) int { return int(r.Partition) % n }
		}
		return kgo.BasicConsistentPartitioner(wrapped).ForTopic(topic)
	default:
		return kgo.StickyKeyPartitioner(nil).ForTopic(topic)
	}
}
