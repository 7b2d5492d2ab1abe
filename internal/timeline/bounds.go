package timeline

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What one search may cost. It is asked for by people, who would rather have the
// newest part of an answer than none.
const (
	maxTime    = 20 * time.Second
	maxRecords = 2_000_000 // looked at
	maxRead    = 1 << 30   // bytes looked at
	maxMoments = 2_000
	maxKept    = 16 << 20 // bytes of what was found, before it is decoded
)

// errBound says that a search met a bound. It is told as Story.Complete.
var errBound = errors.New("timeline: a bound was met")

// spent is what a search has cost so far.
type spent struct {
	records, read, moments, kept int
}

func sizeOf(record *kgo.Record) int { return len(record.Key) + len(record.Value) }

// look notes that a record is looked at, or returns errBound.
func (s *spent) look(record *kgo.Record) error {
	s.records++
	s.read += sizeOf(record)
	if s.records > maxRecords || s.read > maxRead {
		return errBound
	}
	return nil
}

// keep notes that a record was found, or returns errBound.
func (s *spent) keep(record *kgo.Record) error {
	s.moments++
	s.kept += sizeOf(record)
	if s.moments > maxMoments || s.kept > maxKept {
		return errBound
	}
	return nil
}
