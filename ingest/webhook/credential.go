package webhook

import (
	"crypto/sha256"
	"crypto/subtle"

	"github.com/ringbridge/ringbridge/internal/secret"
)

// credentials are the secrets of which any is accepted, so that one can be rotated
// without a moment at which either side is refused. Only their hashes are kept.
type credentials [][sha256.Size]byte

func newCredentials(list secret.String) credentials {
	var c credentials
	for _, part := range parts(list) {
		c = append(c, sha256.Sum256([]byte(part)))
	}
	return c
}

// accept reports whether one of the credentials was given. The time it takes tells
// nothing: hashes have one length, and all are compared whether or not one fits.
func (c credentials) accept(given string) bool {
	sum := sha256.Sum256([]byte(given))
	found := 0
	for i := range c {
		found |= subtle.ConstantTimeCompare(sum[:], c[i][:])
	}
	return found == 1
}
