package letters

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// The consumer groups that remember what became of letters. Neither ever has a
// member.
const (
	redriveGroup = "dlq-redrive" // were sent back
	discardGroup = "dlq-discard" // were discarded
)

// memory is a set of letters of one topic, kept by Kafka: which were sent back,
// or which were discarded.
//
// Filters leave letters out, so one offset a partition does not tell it. The
// group's committed offset is the first letter that is not in the set, and the
// metadata beside it holds the stretches after it that are:
//
//	letters   0 1 2 3 4 5 6 7 8 9        in the set: 0 1 2 5 6 9
//	committed       ^offset 3            metadata: [5,7) [9,10)
//
// Offsets without a letter (the markers of transactions, and what retention has
// deleted) count with the letter after them, so that stretches grow together.
//
// The set only grows, so that two operators at once do not undo each other's
// work: what is written is what the broker held a moment before, and more.
type memory struct {
	adm        *kadm.Client
	group      string
	topic      string
	partitions map[int32]*stretches
}

func loadMemory(ctx context.Context, adm *kadm.Client, group, topic string) (*memory, error) {
	m := &memory{adm: adm, group: group, topic: topic, partitions: map[int32]*stretches{}}
	return m, m.reload(ctx)
}

// reload adds what others have put into the set meanwhile.
func (m *memory) reload(ctx context.Context) error {
	committed, err := m.adm.FetchOffsets(ctx, m.group)
	if err == nil {
		err = committed.Error()
	}
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil // it is empty yet
	}
	if err != nil {
		return fmt.Errorf("kafka: read the memory of group %s: %w", m.group, err)
	}
	committed.Each(func(o kadm.OffsetResponse) {
		if o.Topic == m.topic && o.At >= 0 {
			m.of(o.Partition).merge(decodeStretches(o.At, o.Metadata))
		}
	})
	return nil
}

func (m *memory) of(partition int32) *stretches {
	if m.partitions[partition] == nil {
		m.partitions[partition] = &stretches{}
	}
	return m.partitions[partition]
}

func (m *memory) contains(p Position) bool {
	s := m.partitions[p.Partition]
	return s != nil && s.contains(p.Offset)
}

// add puts a letter into the set. The broker knows of it once it is saved.
func (m *memory) add(one found) {
	m.of(one.Position.Partition).add(stretch{one.before + 1, one.Position.Offset + 1})
}

// hasRoom returns ErrScattered where a letter that is added could not be saved.
func (m *memory) hasRoom(one found) error {
	next := m.of(one.Position.Partition).clone()
	next.add(stretch{one.before + 1, one.Position.Offset + 1})
	_, err := next.encode()
	return err
}

// save writes the sets of the partitions, or returns ErrScattered.
func (m *memory) save(ctx context.Context, partitions ...int32) error {
	if len(partitions) == 0 {
		return nil
	}
	var offsets kadm.Offsets
	for _, partition := range partitions {
		s := m.of(partition)
		metadata, err := s.encode()
		if err != nil {
			return err
		}
		offsets.Add(kadm.Offset{Topic: m.topic, Partition: partition, At: s.base, LeaderEpoch: -1, Metadata: metadata})
	}
	if err := m.adm.CommitAllOffsets(ctx, m.group, offsets); err != nil {
		return fmt.Errorf("kafka: remember letters in group %s: %w", m.group, err)
	}
	return nil
}
