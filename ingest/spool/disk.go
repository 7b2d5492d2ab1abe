package spool

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ringbridge/ringbridge/internal/failpoint"
)

// A disk is the directory that the spool is in. Names are without a path. It is
// used by several goroutines at once.
type disk interface {
	// Names lists the files, in no order.
	Names() ([]string, error)
	// Create makes a file that is not there yet. It survives a power cut once
	// SyncNames has returned, and its content once its own Sync has.
	Create(name string) (file, error)
	// Read returns the bytes from one offset to another.
	Read(name string, from, to int64) ([]byte, error)
	Size(name string) (int64, error)
	// Cut shortens a file, durably.
	Cut(name string, size int64) error
	Rename(from, to string) error
	Remove(name string) error
	// SyncNames makes durable which files there are.
	SyncNames() error
}

// A file is one that is written to.
type file interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
}

// filePerm lets nobody else read what customers wrote.
const filePerm = 0o600

// directory is a disk of the operating system.
type directory string

func (d directory) path(name string) string { return filepath.Join(string(d), name) }

func (d directory) Names() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, nil
}

func (d directory) Create(name string) (file, error) {
	if err := failpoint.Fail("spool/create"); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(d.path(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, filePerm)
	if err != nil {
		return nil, err // not a nil *os.File in an interface
	}
	return opened{f}, nil
}

func (d directory) Read(name string, from, to int64) ([]byte, error) {
	f, err := os.Open(d.path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, to-from)
	if _, err := f.ReadAt(data, from); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

func (d directory) Size(name string) (int64, error) {
	info, err := os.Stat(d.path(name))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (d directory) Cut(name string, size int64) error {
	f, err := os.OpenFile(d.path(name), os.O_WRONLY, filePerm)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		return err
	}
	return f.Sync()
}

func (d directory) Rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }
func (d directory) Remove(name string) error     { return os.Remove(d.path(name)) }

func (d directory) SyncNames() error {
	if err := failpoint.Fail("spool/sync-names"); err != nil {
		return err
	}
	f, err := os.Open(string(d))
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
