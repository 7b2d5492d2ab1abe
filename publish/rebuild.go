package publish

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The topic seen can lose records: a topic made anew, segments deleted by hand,
// a policy that was wrong for a day. What is missing would be published again, so
// the loss must be noticed. Each partition has a seal, the first offset it had
// when all of its state was there: where the two differ, or there is none, the
// state is rebuilt.
//
// It can be, because it is nothing but what the arrivals left behind: those that
// the inbox still holds, before the furthest offset ever committed, are weighed
// again, and nothing of it is published. What is found is written to the topic again with
// the next transactions, and the seal with the last of it.
const sealKey = "r"

// repayAtOnce bounds the entries that a transaction writes again, of some 100
// bytes each: it must stay short.
const repayAtOnce = 5000

// sealOf is the seal of a partition whose records begin at an offset.
func sealOf(first int64) string {
	return string(binary.AppendUvarint([]byte{eventVersion}, uint64(first)))
}

// rebuild completes a shard by the arrivals before the offset until.
func (m *maker) rebuild(ctx context.Context, s *shard, until int64) error {
	st := newStage(s)
	var fault error
	arrivals := 0
	_, err := m.read(ctx, m.names.Inbox, s.partition, until, func(r *kgo.Record) {
		if fault != nil {
			return
		}
		var u *unit
		if u, fault = read(ctx, m.codec, r); fault == nil {
			arrivals++
			fault = u.weigh(st)
		}
	})
	if err == nil {
		err = fault
	}
	if err != nil {
		s.forget()
		return fmt.Errorf("rebuild it: %w", err)
	}
	for _, d := range st.order {
		s.entries[d] = st.added[d]
		s.owed = append(s.owed, st.keys[d])
	}
	if len(s.owed) > 0 {
		m.log.Warn("the topic of what was seen has lost records; they were rebuilt from the inbox",
			"topic", m.names.Seen, "partition", s.partition, "rebuilt", len(s.owed), "arrivals", arrivals)
	}
	return nil
}

// repay returns the records of some that the shard owes to the topic.
func (s *stage) repay(topic string) (out []*kgo.Record) {
	record := func(key, value string) {
		out = append(out, &kgo.Record{Topic: topic, Partition: s.shard.partition, Key: []byte(key), Value: []byte(value)})
	}
	for _, key := range s.shard.owed[:min(repayAtOnce, len(s.shard.owed))] {
		d := digestOf([]byte(key))
		if _, newer := s.added[d]; !newer {
			record(key, s.shard.entries[d])
		}
	}
	if s.shard.seal != "" && len(s.shard.owed) <= repayAtOnce {
		record(sealKey, s.shard.seal)
	}
	return out
}

// repaid notes that what repay returned is on the topic.
func (s *stage) repaid() {
	if len(s.shard.owed) <= repayAtOnce {
		s.shard.owed, s.shard.seal = nil, ""
		return
	}
	s.shard.owed = s.shard.owed[repayAtOnce:]
}
