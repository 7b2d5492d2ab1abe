package crash

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A disk is what a replica's spool lies on. The kernel keeps what a killed process has written, so that a power cut is
// made here: the process tells how much of which file it has fsynced, and cut takes the rest away.
type disk struct {
	dir     string // SPOOL_DIR
	durable string // what the process tells, of all its starts
	fails   string // while it is there: the calls that fail
}

func (r *replica) disk() disk {
	base := strings.TrimSuffix(r.points, ".points")
	return disk{dir: base + ".spool", durable: base + ".durable", fails: base + ".fails"}
}

// environ is what the process must know of it.
func (d disk) environ() []string {
	return []string{"SPOOL_DIR=" + d.dir, "RINGBRIDGE_FAILPOINT_DURABLE=" + d.durable, "RINGBRIDGE_FAILPOINT_FAIL=" + d.fails}
}

// segments are the paths of the spool's files, the oldest first.
func (d disk) segments() []string {
	found, _ := filepath.Glob(filepath.Join(d.dir, "*.spool")) // the pattern is well-formed
	slices.Sort(found)
	return found
}

// holds tells whether something may wait there. What the replica took while nothing did is in the inbox.
func (d disk) holds() bool { return len(d.segments()) > 0 }

// setAside counts the files that the spool could not read to their end.
func (d disk) setAside() int {
	found, _ := filepath.Glob(filepath.Join(d.dir, "*.corrupt"))
	return len(found)
}

// fail makes these calls fail, as on a disk that is full, until mend.
func (d disk) fail(calls ...string) error {
	if err := os.WriteFile(d.fails, []byte(strings.Join(calls, " ")), 0o644); err != nil {
		return fmt.Errorf("crash: disk: %w", err)
	}
	return nil
}

func (d disk) mend() error {
	if err := os.Remove(d.fails); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("crash: disk: %w", err)
	}
	return nil
}

// cut leaves of the files what a power cut may leave: what was fsynced, and of what was not a part, or nothing, or
// something else. It returns how many bytes are gone. The process must have ended.
func (d disk) cut(random *rand.Rand) (lost int64, err error) {
	durable, err := d.fsynced()
	if err != nil {
		return 0, err
	}
	for _, path := range d.segments() {
		data, err := os.ReadFile(path)
		if err != nil {
			return lost, fmt.Errorf("crash: disk: %w", err)
		}
		file := durable[filepath.Base(path)]
		size := file.size
		if size > len(data) {
			return lost, fmt.Errorf("crash: disk: %s has %d bytes and was told to be durable up to %d", path, len(data), size)
		}
		if !file.named && random.IntN(2) == 0 {
			err = os.Remove(path) // its name was in no directory that was fsynced
		} else {
			err = os.WriteFile(path, append(data[:size:size], torn(random, data[size:])...), 0o600)
		}
		if err != nil {
			return lost, fmt.Errorf("crash: disk: %w", err)
		}
		lost += int64(len(data) - size)
	}
	return lost, nil
}

// extent is what of a file is durable.
type extent struct {
	named bool // the directory was fsynced since the file was made
	size  int
}

// fsynced reads how much of each file is durable: of a file's lines the last counts.
func (d disk) fsynced() (map[string]extent, error) {
	text, err := os.ReadFile(d.durable)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // nothing was fsynced yet
		return nil, fmt.Errorf("crash: disk: %w", err)
	}
	files := map[string]extent{}
	for line := range strings.Lines(string(text)) {
		number, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		size, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("crash: disk: %s: %w", d.durable, err)
		}
		files[name] = extent{named: files[name].named || size == 0, size: size}
	}
	return files, nil
}

// torn returns what is left of a write that was not fsynced: a beginning of it and, one time in two, blocks behind that
// hold zeros or what was there before.
func torn(random *rand.Rand, tail []byte) []byte {
	if len(tail) == 0 {
		return nil
	}
	left := slices.Clone(tail[:random.IntN(len(tail)+1)])
	switch rest := len(tail) - len(left); random.IntN(4) {
	case 0:
		left = append(left, make([]byte, rest)...)
	case 1:
		old := make([]byte, rest)
		for i := range old {
			old[i] = byte(random.Uint32())
		}
		left = append(left, old...)
	}
	return left
}

// drained tells whether nothing waits on any disk.
func (b *bed) drained() bool {
	return !slices.ContainsFunc(b.replicas, func(r *replica) bool { return r.disk().holds() })
}

// onDisk adds what the disks tell.
func (b *bed) onDisk(t Tally) Tally {
	t.Refused, t.Hanging = int(b.refused.Load()), b.hanging
	for _, r := range b.replicas {
		t.SetAside += r.disk().setAside()
	}
	return t
}
