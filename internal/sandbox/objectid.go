package sandbox

import (
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// idSource makes Mongo ObjectIds: four bytes of seconds, five of the process, three of a counter. The API's ids are such,
// and clients read the time of import out of them. Safe for concurrent use.
type idSource struct {
	now     func() time.Time
	process [8]byte // five used

	mu      sync.Mutex
	counter uint32
}

func newIDSource(now func() time.Time, seed uint64) *idSource {
	s := &idSource{now: now}
	binary.BigEndian.PutUint64(s.process[:], seed)
	return s
}

// next returns a new id. Ids of one second ascend in the order they were made, until the counter wraps at 16.7 million.
func (s *idSource) next() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counter++
	var id [12]byte
	binary.BigEndian.PutUint32(id[0:4], uint32(s.now().Unix()))
	copy(id[4:9], s.process[3:])
	id[9], id[10], id[11] = byte(s.counter>>16), byte(s.counter>>8), byte(s.counter)
	return hex.EncodeToString(id[:])
}
