package kafka

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// An OffsetNote is what the metadata of a committed offset says: words key=value, without blanks
// in either, and without an equals sign in the key.
type OffsetNote map[string]string

// noteTopic is the key of the id of the topic that an offset is of.
const noteTopic = "topic"

// NoteOf returns a note that says of which topic an offset is.
func NoteOf(id kadm.TopicID) OffsetNote { return OffsetNote{noteTopic: id.String()} }

// ParseOffsetNote reads metadata. What is no word key=value, such as the member's id that clients
// write there, is left out.
func ParseOffsetNote(metadata string) OffsetNote {
	note := OffsetNote{}
	for word := range strings.FieldsSeq(metadata) {
		if key, value, ok := strings.Cut(word, "="); ok {
			note[key] = value
		}
	}
	return note
}

// String returns the metadata.
func (n OffsetNote) String() string {
	var words []string
	for key, value := range n {
		words = append(words, key+"="+value)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// Foreign reports whether the offset is known to be of another topic than that with the id: one that
// had the same name and was deleted. Then it means nothing.
func (n OffsetNote) Foreign(id kadm.TopicID) bool {
	of, known := n[noteTopic]
	return known && of != id.String()
}

// OwnOffsetsOnly returns the options of a group's member that reads the topic with this id. Where a
// committed offset is foreign by its note, the topic is read from its beginning. Brokers
// delete the offsets of a topic with it, but a member that still runs can commit one more.
//
// noted is handed the note of each partition that the member gets, before its first record; an
// empty one where there is no offset, or none of this topic. It is called by the client's goroutine.
func OwnOffsetsOnly(topic string, id kadm.TopicID, log *slog.Logger, noted func(partition int32, note OffsetNote)) []kgo.Opt {
	var foreign []int32 // of the fetch under way: the client calls one hook after the other
	return []kgo.Opt{
		kgo.OnOffsetsFetched(func(_ context.Context, _ *kgo.Client, answer *kmsg.OffsetFetchResponse) error {
			foreign = nil
			for partition, metadata := range metadataOf(answer, topic) {
				note := ParseOffsetNote(metadata)
				if note.Foreign(id) {
					foreign = append(foreign, partition)
					note = OffsetNote{}
				}
				noted(partition, note)
			}
			return nil
		}),
		kgo.AdjustFetchOffsetsFn(func(_ context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
			for _, partition := range foreign {
				if _, ok := offsets[topic][partition]; ok {
					log.Warn("the topic was deleted and created again: reading it from its beginning", "topic", topic, "partition", partition)
					offsets[topic][partition] = kgo.NewOffset().AtStart()
				}
			}
			return offsets, nil
		}),
	}
}

// metadataOf returns the metadata by partition. Members ask for the offsets of one topic only, so
// that a broker that names it by its id alone means that one.
func metadataOf(answer *kmsg.OffsetFetchResponse, topic string) map[int32]string {
	out := map[int32]string{}
	add := func(name string, partition int32, metadata *string) {
		if name != topic && name != "" {
			return
		}
		out[partition] = ""
		if metadata != nil {
			out[partition] = *metadata
		}
	}
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			add(t.Topic, p.Partition, p.Metadata)
		}
	}
	for _, g := range answer.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				add(t.Topic, p.Partition, p.Metadata)
			}
		}
	}
	return out
}
