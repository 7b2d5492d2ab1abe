package spool

import "github.com/ringbridge/ringbridge/internal/failpoint"

// A load is what the drain works on at once: the durable part of the oldest
// segment that it has not drained yet.
type load struct {
	segment  *segment
	from, to int64
}

// oldest returns the next load, or nil when nothing waits. What it passes on the
// way is done, and goes. Only the drain calls it.
func (j *journal) oldest() *load {
	for {
		j.mu.Lock()
		if len(j.segments) == 0 {
			j.mu.Unlock()
			return nil
		}
		s := j.segments[0]
		switch {
		case s.read < s.size:
			defer j.mu.Unlock()
			return &load{segment: s, from: s.read, to: s.size}
		case s.file != nil:
			j.mu.Unlock()
			return nil
		}
		j.drop(s)
		j.mu.Unlock()
		j.retire(s)
	}
}

// delivered notes that the broker has acknowledged records of a load. last was the
// newest of them.
func (j *journal) delivered(s *segment, records []record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s.records -= len(records)
	s.oldest = records[len(records)-1].receivedAt
	j.metrics.drained.Add(float64(len(records)))
	j.show()
}

// damage notes that a part of a segment could not be drained: lost says how many of
// the records counted as waiting.
func (j *journal) damage(s *segment, lost int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s.records -= lost
	s.damaged = true
	j.metrics.damaged.Inc()
	j.show()
}

// done notes that all of a load has been dealt with.
func (j *journal) done(l *load) {
	j.mu.Lock()
	defer j.mu.Unlock()
	l.segment.read = l.to
}

// empty reports whether nothing waits and nothing is on its way to the disk. The
// segment that is open, if any, is ended: the next call of oldest deletes it.
func (j *journal) empty() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.pending != nil || j.writing {
		return false
	}
	for _, s := range j.segments {
		if s.read < s.size {
			return false
		}
	}
	for _, s := range j.segments {
		j.seal(s)
	}
	return true
}

// wasUsed reports whether anything was on disk since it was last asked.
func (j *journal) wasUsed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	used := j.used
	j.used = false
	return used
}

// drop takes the oldest segment from the list. The caller holds the lock.
func (j *journal) drop(s *segment) {
	j.segments = j.segments[1:]
	j.bytes -= s.size
	j.show()
}

// retire deletes a segment that is drained, or keeps it where it was damaged. If
// that fails it is drained again after the next start, which publish notices.
func (j *journal) retire(s *segment) {
	failpoint.Hit("spool/drained")
	if !s.damaged {
		if err := j.disk.Remove(s.name()); err != nil {
			j.log.Error("a drained segment cannot be deleted", "file", s.name(), "error", err)
		}
		failpoint.Hit("spool/deleted")
		return
	}
	kept := s.base() + corruptEnding
	err := j.disk.Rename(s.name(), kept)
	if err == nil {
		err = j.disk.SyncNames()
	}
	if err != nil {
		j.log.Error("a damaged segment cannot be set aside", "file", s.name(), "error", err)
		return
	}
	j.log.Error("a segment was damaged: what could be read was drained, the file is kept", "file", kept)
}
