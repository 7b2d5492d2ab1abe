package publish

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"math"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/failpoint"
)

// A digest stands for a key of the topic seen in memory.
type digest [16]byte

func digestOf(key []byte) digest {
	sum := sha256.Sum256(key)
	return digest(sum[:16])
}

// A shard is the state of one inbox partition: what was published of what came
// in there. Only the loop reads and changes it. A shard belongs to one
// assignment: when the partition is assigned anew there is a new shard, so that
// what an outlived transaction merges goes nowhere.
type shard struct {
	partition int32
	entries   map[digest]string // nil = not loaded yet

	furthest int64 // the offset that the partition has ever been published to

	owed []string // keys of entries that are on the topic no more, see rebuild
	seal string   // what the topic gets when nothing is owed; "" = it has it
}

// errNotOurs means that a partition was taken away while its records were at
// work: the transaction must not commit.
var errNotOurs = errors.New("publish: the partition is no longer ours")

// shards holds those of the partitions owned. The client calls assigned and
// dropped from its own goroutines; safe for concurrent use.
type shards struct {
	mu    sync.Mutex
	owned map[int32]*shard
}

// assigned makes new shards. It is what keeps the state right: the client's
// session swallows revocations while another is pending, but no assignment.
func (s *shards) assigned(partitions []int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owned == nil {
		s.owned = map[int32]*shard{}
	}
	for _, p := range partitions {
		s.owned[p] = &shard{partition: p}
	}
}

// dropped frees the shards of partitions that went away.
func (s *shards) dropped(partitions []int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range partitions {
		delete(s.owned, p)
	}
}

// get returns a partition's shard, loaded or not, or errNotOurs.
func (s *shards) get(partition int32) (*shard, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if shard := s.owned[partition]; shard != nil {
		return shard, nil
	}
	return nil, errNotOurs
}

// all returns the shards of the partitions owned.
func (s *shards) all() []*shard {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*shard, 0, len(s.owned))
	for _, shard := range s.owned {
		out = append(out, shard)
	}
	return out
}

// A readFunc hands every committed record of a partition before the offset until
// to each, up to the end as it stands, waiting for transactions that are open
// there. It returns the first offset that the partition has.
type readFunc func(ctx context.Context, topic string, partition int32, until int64, each func(*kgo.Record)) (first int64, err error)

// load fills a shard that is not loaded, and returns whether the topic still has
// all of it. It is called at the first record after the partition was assigned:
// the record's offset is the committed one, so the transactions of the owners
// before are decided or can no longer commit.
func (s *shard) load(ctx context.Context, read readFunc, topic string) (whole bool, err error) {
	entries := map[digest]string{}
	unknown, seal := false, ""
	first, err := read(ctx, topic, s.partition, math.MaxInt64, func(r *kgo.Record) {
		switch key := digestOf(r.Key); {
		case string(r.Key) == sealKey:
			seal = string(r.Value)
		case len(r.Value) == 0:
			delete(entries, key)
		case r.Value[0] != eventVersion && r.Value[0] != entryVersion:
			unknown = true
		case len(r.Value) == 1:
			entries[key] = eventEntry // one string for all
		default:
			entries[key] = string(r.Value)
		}
	})
	if err != nil {
		return false, err
	}
	if unknown {
		return false, errEntry
	}
	s.entries, s.owed, s.seal = entries, nil, ""
	if want := sealOf(first); seal != want {
		s.seal = want
	}
	return s.seal == "", nil
}

// forget makes the shard load again.
func (s *shard) forget() { s.entries = nil }

// A stage holds what a transaction adds to a shard, over what the shard holds,
// until the transaction has committed.
type stage struct {
	shard *shard
	added map[digest]string
	under *stage            // what this one is tried over; nil = it is no trial
	keys  map[digest]string // as text, for the records
	order []digest          // of the first addition

	cause  *arrived            // that is weighed
	causes map[digest]*arrived // that an addition comes from
}

func newStage(s *shard) *stage {
	return &stage{shard: s, added: map[digest]string{}, keys: map[digest]string{}, causes: map[digest]*arrived{}}
}

// trial returns a stage over this one, to see what a unit would become.
func (s *stage) trial() *stage {
	t := newStage(s.shard)
	t.under = s
	return t
}

// get returns the newest entry of a key; "" when there is none.
func (s *stage) get(key string) string {
	if failpoint.Off("dedupe") {
		return ""
	}
	d := digestOf([]byte(key))
	if entry, ok := s.added[d]; ok {
		return entry
	}
	if s.under != nil {
		return s.under.get(key)
	}
	return s.shard.entries[d]
}

// put adds an entry. One that is there already is nothing to write.
func (s *stage) put(key, entry string) {
	d := digestOf([]byte(key))
	if s.get(key) == entry {
		return
	}
	if _, ok := s.added[d]; !ok {
		s.order = append(s.order, d)
		s.keys[d] = key
	}
	s.added[d], s.causes[d] = entry, s.cause
}

// records returns the additions as records of the topic seen, one a key.
func (s *stage) records(topic string) []*kgo.Record {
	out := make([]*kgo.Record, 0, len(s.order))
	for _, d := range s.order {
		out = append(out, &kgo.Record{
			Topic: topic, Partition: s.shard.partition, Key: []byte(s.keys[d]), Value: []byte(s.added[d]),
		})
	}
	return append(out, s.repay(topic)...)
}

// merge takes the additions over into the shard: the transaction has committed.
func (s *stage) merge() {
	maps.Copy(s.shard.entries, s.added)
	s.repaid()
}
