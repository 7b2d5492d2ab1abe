//go:build !failpoints

package failpoint

// Haste divides the time-outs that bound what follows a crash.
const Haste = 1

// Hit marks a place between two durable steps.
func Hit(string) {}

// Off tells whether a safeguard is to be left out.
func Off(string) bool { return false }
