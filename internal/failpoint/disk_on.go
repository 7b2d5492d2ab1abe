//go:build failpoints

package failpoint

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
)

// Fail returns what a call of the system fails with instead of being made; nil = it is to be made.
func Fail(name string) error {
	path := env("FAIL")
	if path == "" {
		return nil
	}
	text, _ := os.ReadFile(path) // none: nothing fails
	for failing := range strings.FieldsSeq(string(text)) {
		if failing == name {
			return syscall.ENOSPC
		}
	}
	return nil
}

// Durable notes, after the fsync, that the first size bytes of a file survive a power cut; with size 0, that the file itself
// does, after the fsync of its directory.
func Durable(name string, size int64) {
	if log := durable(); log != nil {
		write(log, fmt.Sprintf("%d %s", size, name))
	}
}

//nolint:gochecknoglobals // opened once; what is marked cannot hand anything down
var durable = sync.OnceValue(func() *os.File { return appendTo(env("DURABLE")) })

// appendTo opens a file that outlives the process; nil = no path.
func appendTo(path string) *os.File {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(fmt.Sprintf("failpoint: %v", err))
	}
	return f
}

// write adds a line, which outlives the process: the kernel has it.
func write(to *os.File, line string) {
	if _, err := to.WriteString(line + "\n"); err != nil {
		panic(fmt.Sprintf("failpoint: %v", err))
	}
}
