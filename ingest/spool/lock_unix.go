//go:build unix

package spool

import (
	"os"
	"syscall"
)

// lockFile takes the file's lock without waiting; it is gone with the process.
func lockFile(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
