//go:build !failpoints

package failpoint

// Haste divides the time-outs that bound what follows a crash.
const Haste = 1

// Hit marks a place between two durable steps.
func Hit(string) {}

// Off tells whether a safeguard is to be left out.
func Off(string) bool { return false }

// Fail returns what a call of the system fails with instead of being made; nil = it is to be made.
func Fail(string) error { return nil }

// Durable notes, after the fsync, that the first size bytes of a file survive a power cut; with size 0, that the file itself
// does, after the fsync of its directory.
func Durable(string, int64) {}
