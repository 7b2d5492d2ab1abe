package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// lockName is the file whose lock the process holds that uses the directory.
const lockName = "lock"

// ErrInUse is returned, wrapped, by Open when another process has the directory.
var ErrInUse = errors.New("another process spools there; each needs a directory of its own")

// lockDirectory makes the directory where it is missing and takes it for this
// process, until the file is closed or the process ends.
func lockDirectory(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("SPOOL_DIR: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, filePerm)
	if err != nil {
		return nil, fmt.Errorf("SPOOL_DIR: %w", err)
	}
	if err := lockFile(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("SPOOL_DIR %s: %w", dir, ErrInUse)
	}
	return f, nil
}
