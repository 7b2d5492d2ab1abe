package spool

import (
	"fmt"
	"log/slog"

	"github.com/ringbridge/ringbridge/internal/failpoint"
)

// recoverSegments finds what an earlier process left: counts it, and cuts off a
// write that was cut short. It changes nothing else, so it may be repeated.
func recoverSegments(d disk, log *slog.Logger) (left []*segment, highest uint64, err error) {
	left, highest, err = list(d)
	if err != nil {
		return nil, 0, fmt.Errorf("spool: list: %w", err)
	}
	for i, s := range left {
		if err := examine(d, s, i == len(left)-1, log); err != nil {
			return nil, 0, fmt.Errorf("spool: %s: %w", s.name(), err)
		}
	}
	if len(left) > 0 {
		failpoint.Hit("spool/recovered")
	}
	return left, highest, nil
}

// examine reads one segment.
func examine(d disk, s *segment, newest bool, log *slog.Logger) error {
	size, err := d.Size(s.name())
	if err != nil {
		return err
	}
	data, err := d.Read(s.name(), 0, size)
	if err != nil {
		return err
	}
	s.size = size
	for p := range pieces(data, s.marker) {
		switch {
		case p.payload != nil:
			s.records++
			if _, at, err := decode(p.payload); err == nil && s.oldest.IsZero() {
				s.oldest = at
			}
		case newest && p.offset+p.size == len(data):
			log.Warn("a write that was cut short is cut off: nobody was told that it was kept", "file", s.name(), "offset", p.offset, "bytes", p.size)
			s.size = int64(p.offset)
			if err := d.Cut(s.name(), s.size); err != nil {
				return err
			}
			failpoint.Durable(s.name(), s.size)
		}
	}
	return nil
}
