package publish

import (
	"crypto/sha256"
	"encoding/binary"
)

// fingerprintBytes is how much of a hash is kept: one in 10^14 changes would be missed.
const fingerprintBytes = 6

// fingerprint hashes values, separated from each other, to 48 bits. It is never 0, which stands for
// unknown.
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
