package spool

import (
	"os"

	"github.com/ringbridge/ringbridge/internal/failpoint"
)

// An opened file is the operating system's. Built with failpoints its disk can be
// full: then a write stops half-way.
type opened struct{ *os.File }

func (f opened) Write(p []byte) (int, error) {
	if err := failpoint.Fail("spool/write"); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

func (f opened) Sync() error {
	if err := failpoint.Fail("spool/sync"); err != nil {
		return err
	}
	return f.File.Sync()
}
