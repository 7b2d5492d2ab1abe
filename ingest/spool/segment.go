package spool

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// The endings of files.
const (
	segmentEnding = ".spool"
	corruptEnding = ".corrupt"
)

// A segment is one file. Its fields belong to the journal's lock.
type segment struct {
	number  uint64
	marker  marker
	file    file      // open for writing; nil = sealed
	size    int64     // durable, and no bytes behind count
	read    int64     // drained up to here
	records int       // that wait
	oldest  time.Time // no waiting record came before it
	damaged bool      // some of it was not drained: to be kept
}

func newSegment(number uint64) *segment {
	s := &segment{number: number}
	_, _ = rand.Read(s.marker[:]) // never fails: see crypto/rand
	return s
}

func (s *segment) base() string {
	return fmt.Sprintf("%016d-%s", s.number, hex.EncodeToString(s.marker[:]))
}

func (s *segment) name() string { return s.base() + segmentEnding }

var segmentName = regexp.MustCompile(`^([0-9]{16})-([0-9a-f]{16})\.(spool|corrupt)$`)

// parseName returns the segment that has this name, and its ending.
func parseName(name string) (s *segment, ending string) {
	m := segmentName.FindStringSubmatch(name)
	if m == nil {
		return nil, ""
	}
	s = &segment{}
	s.number, _ = strconv.ParseUint(m[1], 10, 64) // 16 digits always fit
	_, _ = hex.Decode(s.marker[:], []byte(m[2]))  // 16 hexadecimal digits are 8 bytes
	return s, "." + m[3]
}

// list returns the segments of the disk, the oldest first, and the highest number
// that was ever used, as far as can be seen.
func list(d disk) (found []*segment, highest uint64, err error) {
	names, err := d.Names()
	if err != nil {
		return nil, 0, err
	}
	for _, name := range names {
		s, ending := parseName(name)
		if s == nil {
			continue
		}
		highest = max(highest, s.number)
		if ending == segmentEnding {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *segment) int { return cmp.Compare(a.number, b.number) })
	return found, highest, nil
}
