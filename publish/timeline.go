package publish

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// fingerprintBytes is how much of a hash is kept: one in 10^14 changes would be
// missed, and a content's state stays below a hundred bytes.
const fingerprintBytes = 6

// fingerprint hashes values, told apart from each other, to 48 bits. It is never
// 0, which stands for unknown.
func fingerprint(values ...string) uint64 {
	hash := sha256.New()
	var size [8]byte
	for _, value := range values {
		binary.BigEndian.PutUint64(size[:], uint64(len(value)))
		hash.Write(size[:])
		hash.Write([]byte(value))
	}
	var sum [sha256.Size]byte
	hash.Sum(sum[:0])
	return max(1, binary.BigEndian.Uint64(sum[:8])>>(64-8*fingerprintBytes))
}

// maxRecent bounds the fingerprints that a timeline remembers. Beyond so many
// states of one resource in one second, that second's further ones are left out:
// the next change tells of them.
const maxRecent = 64

// A timeline tells which of two states of a resource is older.
//
// Webhooks tell milliseconds and rows seconds, so that states are compared by
// the second, and those of one second count as equally old: a row that changed
// in the second of its webhook would otherwise never be seen. Among equally old
// ones the timeline knows those it has met, so that they are not taken for news
// when they come again.
//
// Messages tell milliseconds whichever way they come, and are compared by them.
type timeline struct {
	at     int64    // ms of the newest state
	recent []uint64 // fingerprints of the states met in the second of at, oldest first; never changed in place
	exact  bool     // compare by the millisecond
}

func second(ms int64) int64 { return (ms - ((ms%1000)+1000)%1000) / 1000 }

// moment returns the time in the unit of comparison.
func (t timeline) moment(ms int64) int64 {
	if t.exact {
		return ms
	}
	return second(ms)
}

// older tells whether a state of the time at is older than the newest one.
func (t timeline) older(at int64) bool { return len(t.recent) > 0 && t.moment(at) < t.moment(t.at) }

// met tells whether a state of the time at, which is not older, was met before. A
// full second has met everything.
func (t timeline) met(at int64, state uint64) bool {
	return t.same(at) && (len(t.recent) >= maxRecent || slices.Contains(t.recent, state))
}

// same tells whether a state of the time at is as old as the newest one.
func (t timeline) same(at int64) bool { return len(t.recent) > 0 && t.moment(at) == t.moment(t.at) }

// with returns the timeline after states of the time at, which must not be older.
func (t timeline) with(at int64, states ...uint64) timeline {
	next := timeline{at: at, exact: t.exact}
	if t.same(at) {
		next.at = max(at, t.at)
		next.recent = slices.Clone(t.recent)
	}
	for _, state := range states {
		if !slices.Contains(next.recent, state) {
			next.recent = append(next.recent, state)
		}
	}
	return next
}
