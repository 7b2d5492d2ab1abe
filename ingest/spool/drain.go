package spool

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

const (
	// retryPause is between two tries to reach the broker. A try itself waits for
	// seconds, in which the client looks for the broker again and again.
	retryPause = 500 * time.Millisecond

	// drainRecords and drainBytes bound what is given to the inbox at once: as much
	// as a broker that has just come back takes in within the inbox's time-out.
	drainRecords = 500
	drainBytes   = 4 << 20
)

// The errors of the drain that can come with every record or try: kinds of log lines.
const (
	errorDamaged    = "damaged"
	errorHopeless   = "hopeless"
	errorUnreadable = "unreadable"
)

// A record is one entry as the drain reads it.
type record struct {
	entry
	receivedAt time.Time
	size       int
}

// Run drains into the inbox what is on disk, in order, until ctx ends. It returns
// nil; what is not drained by then waits for the next process.
func (s *Spool) Run(ctx context.Context) error {
	var probing sync.WaitGroup
	probing.Go(func() { s.probe(ctx) })
	defer probing.Wait()
	for ctx.Err() == nil {
		load := s.journal.oldest()
		if load == nil {
			s.settle()
			select {
			case <-ctx.Done():
			case <-s.journal.more:
			}
			continue
		}
		if err := s.drain(ctx, load); err != nil {
			_ = sleep.For(ctx, retryPause) // the loop sees that ctx is done
		}
	}
	return nil
}

// drain delivers a load, for as long as it takes. An error means that it could not
// be read, or that ctx ended.
func (s *Spool) drain(ctx context.Context, l *load) error {
	name := l.segment.name()
	data, err := s.journal.disk.Read(name, l.from, l.to)
	if errors.Is(err, fs.ErrNotExist) {
		s.log.Error("a segment was deleted by somebody else", "file", name)
		s.journal.damage(l.segment, l.segment.records)
		s.journal.done(l)
		return nil
	}
	if err != nil {
		// Nobody can tell whether it will be read later, so it stays first in line.
		s.trouble("a segment cannot be read: " + name)
		if suppressed, ok := s.errors.Allow(errorUnreadable); ok { // tried again all the time
			s.log.Error("a segment cannot be read; nothing is drained until it can", "file", name, "error", err, "suppressed", suppressed)
		}
		return err
	}
	var next []record
	size := 0
	for p := range pieces(data, l.segment.marker) {
		r, ok := s.read(l, p)
		if !ok {
			continue
		}
		next = append(next, r)
		if size += r.size; len(next) < drainRecords && size < drainBytes {
			continue
		}
		if err := s.deliver(ctx, l.segment, next); err != nil {
			return err
		}
		next, size = next[:0], 0
	}
	if err := s.deliver(ctx, l.segment, next); err != nil {
		return err
	}
	s.journal.done(l)
	return nil
}

// read decodes a piece, or notes that it is damaged.
func (s *Spool) read(l *load, p piece) (record, bool) {
	lost := 0
	if p.payload != nil {
		e, at, err := decode(p.payload)
		if err == nil {
			return record{entry: e, receivedAt: at, size: p.size}, true
		}
		lost = 1
	}
	if suppressed, ok := s.errors.Allow(errorDamaged); ok {
		s.log.Error("damaged bytes in a segment", "file", l.segment.name(), "offset", l.from+int64(p.offset), "bytes", p.size, "suppressed", suppressed)
	}
	s.journal.damage(l.segment, lost)
	return record{}, false
}

// deliver gives the records to the inbox until it has acknowledged them all, or
// ctx ends.
func (s *Spool) deliver(ctx context.Context, seg *segment, records []record) error {
	for len(records) > 0 {
		n := together(records)
		err := s.offer(ctx, records[:n])
		switch {
		case err == nil:
			failpoint.Hit("spool/delivered")
			s.journal.delivered(seg, records[:n])
			records = records[n:]
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !hopeless(err):
			_ = sleep.For(ctx, retryPause) // the loop sees that ctx is done
		case n > 1: // one of them: all on their own
			for _, r := range records[:n] {
				if err := s.deliver(ctx, seg, []record{r}); err != nil {
					return err
				}
			}
			records = records[n:]
		default:
			if suppressed, ok := s.errors.Allow(errorHopeless); ok {
				s.log.Error("a record cannot be put into the inbox, ever", "file", seg.name(), "error", err, "suppressed", suppressed)
			}
			s.journal.damage(seg, 1)
			records = records[1:]
		}
	}
	return nil
}

// together returns how many records one call of the inbox takes: all up to the next one of the other
// kind.
func together(records []record) int {
	for n, r := range records {
		if (r.refusal == nil) != (records[0].refusal == nil) {
			return n
		}
	}
	return len(records)
}

func (s *Spool) offer(ctx context.Context, records []record) error {
	if records[0].refusal != nil {
		refusals := make([]ingest.Refusal, len(records))
		for i, r := range records {
			refusals[i] = *r.refusal
		}
		return s.inbox.Refuse(ctx, refusals...)
	}
	items := make([]ingest.Item, len(records))
	for i, r := range records {
		items[i] = *r.item
	}
	return s.inbox.Accept(ctx, items...)
}

// hopeless reports whether trying again does not help: the item is at fault.
func hopeless(err error) bool {
	return errors.Is(err, ingest.ErrTooLarge) || errors.Is(err, ingest.ErrUnfit)
}
