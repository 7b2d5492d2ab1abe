package deadletter

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Record returns the letter as a record without a topic: original's key and headers, and the value.
// What does not fit is left out, the value first, then the key and the producer's headers: a stub,
// whose message says where the original lies and how long it is. fits reports whether the topic of
// the letters takes a record; the last stub, of some 5 KiB, is returned in any case.
func (l Letter) Record(original *kgo.Record, value []byte, fits func(*kgo.Record) bool) *kgo.Record {
	letter := &kgo.Record{Key: original.Key, Value: value, Headers: l.Headers(original.Headers)}
	if fits(letter) {
		return letter
	}
	l.Message = fmt.Sprintf("the topic of the letters takes nothing so large, so this letter has no value: %d bytes, with a key of %d, at %s/%d offset %d. %s",
		len(value), len(original.Key), original.Topic, original.Partition, original.Offset, l.Message)
	letter = &kgo.Record{Key: original.Key, Value: []byte{}, Headers: l.Headers(original.Headers)}
	if fits(letter) {
		return letter
	}
	return &kgo.Record{Value: []byte{}, Headers: l.Headers(nil)}
}
