package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/internal/failpoint"
)

// What the journal answers when it does not take something.
var (
	errFull    = errors.New("spool: full")
	errClosed  = errors.New("spool: closed")
	errTooSlow = errors.New("spool: the disk does not answer")
)

const (
	// segmentBytes is when a new segment is begun. What was drained frees its disk,
	// and after a crash is drained again, in steps of this size; the drain holds as
	// much in memory.
	segmentBytes = 8 << 20

	// maxPending bounds, in bytes, what waits in memory for a slow disk.
	maxPending = 64 << 20
)

// bounds are in bytes.
type bounds struct {
	total   int64 // of all segments together
	segment int64 // from which on the next one is begun
}

// A batch is what shares one write and one fsync.
type batch struct {
	payloads [][]byte
	oldest   time.Time
	size     int64         // as records
	done     chan struct{} // closed when it is durable, or has failed
	err      error
}

// wait returns when the batch is durable or has failed, or ctx ends first: then
// it may still become durable.
func (b *batch) wait(ctx context.Context) error {
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errTooSlow, context.Cause(ctx))
	}
}

// A journal is the segments of one directory: appended to at one end by the
// writer, read and deleted at the other by the drain. It is safe for concurrent
// use; one goroutine runs write, and one drains.
type journal struct {
	disk    disk
	bounds  bounds
	log     *slog.Logger
	metrics *metrics
	wake    chan struct{} // for the writer: there is a batch; closed at the end
	more    chan struct{} // for the drain: there is something durable

	mu       sync.Mutex
	segments []*segment // the oldest first; only the last can be open
	highest  uint64     // the newest segment's number
	pending  *batch     // open to join; nil = none
	writing  bool       // a batch is being written; what it writes to is the writer's
	bytes    int64      // of segments, and of what is to be written
	used     bool       // something was stored, or found at the start, since wasUsed was last called
	closed   bool
}

func openJournal(d disk, b bounds, log *slog.Logger, m *metrics) (*journal, error) {
	left, highest, err := recoverSegments(d, log)
	if err != nil {
		return nil, err
	}
	j := &journal{
		disk: d, bounds: b, log: log, metrics: m, segments: left, highest: highest, used: len(left) > 0,
		wake: make(chan struct{}, 1), more: make(chan struct{}, 1),
	}
	for _, s := range left {
		j.bytes += s.size
	}
	j.show()
	return j, nil
}

// join adds the payloads to what is written next, in the order of the calls. It
// does not wait for the disk.
func (j *journal) join(payloads [][]byte, at time.Time) (*batch, error) {
	var size int64
	for _, payload := range payloads {
		size += int64(frameHead + len(payload))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		return nil, errClosed
	case j.bytes+size > j.bounds.total:
		return nil, errFull
	case j.pending != nil && j.pending.size+size > maxPending:
		return nil, errTooSlow
	}
	if j.pending == nil {
		j.pending = &batch{oldest: at, done: make(chan struct{})}
	}
	j.pending.payloads = append(j.pending.payloads, payloads...)
	j.pending.size += size
	j.bytes += size
	signal(j.wake)
	return j.pending, nil
}

// write makes batches durable, one after another, until close.
func (j *journal) write() {
	for range j.wake {
		j.mu.Lock()
		b := j.pending
		j.pending, j.writing = nil, b != nil
		j.mu.Unlock()
		if b == nil {
			continue
		}
		s, err := j.store(b)
		j.mu.Lock()
		j.writing = false
		if b.err = err; err != nil {
			j.bytes -= b.size
		} else {
			j.used = true
			s.size += b.size
			s.records += len(b.payloads)
			if s.oldest.IsZero() {
				s.oldest = b.oldest
			}
			if s.size >= j.bounds.segment {
				j.seal(s)
			}
			j.metrics.written.Add(float64(len(b.payloads)))
		}
		j.show()
		j.mu.Unlock()
		close(b.done)
		signal(j.more)
	}
}

// store writes a batch and returns the segment that it is in, durably.
func (j *journal) store(b *batch) (*segment, error) {
	s, err := j.open()
	if err != nil {
		return nil, fmt.Errorf("spool: create: %w", err)
	}
	frames := make([]byte, 0, b.size)
	for _, payload := range b.payloads {
		frames = appendFrame(frames, s.marker, payload)
	}
	if _, err = s.file.Write(frames); err == nil {
		failpoint.Hit("spool/written")
		err = j.sync(s, s.size+b.size)
	}
	if err != nil {
		j.abandon(s)
		return nil, fmt.Errorf("spool: write: %w", err)
	}
	failpoint.Hit("spool/synced")
	return s, nil
}

// sync makes a segment durable, up to size.
func (j *journal) sync(s *segment, size int64) error {
	if failpoint.Off("spool-fsync") {
		return nil
	}
	began := time.Now()
	err := s.file.Sync()
	j.metrics.fsync.Observe(time.Since(began).Seconds())
	if err == nil {
		failpoint.Durable(s.name(), size)
	}
	return err
}

// open returns the segment to write to, a new one where there is none.
func (j *journal) open() (*segment, error) {
	j.mu.Lock()
	if n := len(j.segments); n > 0 && j.segments[n-1].file != nil {
		defer j.mu.Unlock()
		return j.segments[n-1], nil
	}
	j.highest++
	s := newSegment(j.highest)
	j.mu.Unlock()
	f, err := j.disk.Create(s.name())
	if err != nil {
		return nil, err
	}
	failpoint.Hit("spool/created")
	if err := j.disk.SyncNames(); err != nil {
		_ = f.Close()
		_ = j.disk.Remove(s.name()) // empty: if it stays, it holds nothing
		return nil, err
	}
	failpoint.Durable(s.name(), 0)
	failpoint.Hit("spool/named")
	s.file = f
	j.mu.Lock()
	defer j.mu.Unlock()
	j.segments = append(j.segments, s)
	return s, nil
}

// abandon ends a segment in which a write or an fsync has failed: after that,
// nothing that the system says of the file can be relied upon but what was
// durable before.
func (j *journal) abandon(s *segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	_ = s.file.Truncate(s.size) // room for others, where the disk is full
	j.seal(s)
	if s.size == 0 { // else a full disk would make a file for every try
		_ = j.disk.Remove(s.name())
		j.segments = j.segments[:len(j.segments)-1]
	}
}

// seal ends writing to a segment. The caller holds the lock.
func (j *journal) seal(s *segment) {
	if s.file != nil {
		_ = s.file.Close() // what counts was fsynced
		s.file = nil
	}
}

// close ends the writer, after what has joined.
func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return
	}
	j.closed = true
	close(j.wake)
}

// end lets go of the file that is open, after the writer has ended.
func (j *journal) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		j.seal(s)
	}
}

// show puts the state into the metrics. The caller holds the lock.
func (j *journal) show() {
	records, oldest := 0, 0.0
	for _, s := range j.segments {
		records += s.records
		if oldest == 0 && s.records > 0 {
			oldest = float64(s.oldest.UnixMilli()) / 1000
		}
	}
	j.metrics.records.Set(float64(records))
	j.metrics.oldest.Set(oldest)
	j.metrics.bytes.Set(float64(j.bytes))
}

// signal leaves a note for a goroutine that may be busy.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
