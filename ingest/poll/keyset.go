package poll

import (
	"context"
	"errors"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	// orderProbeRows is how many rows must tell that the order is heeded.
	orderProbeRows = 100
	// maxDisorder is how many rounds in a row may find rows out of order before the
	// order is given up: a row that changes while its page is made is out of order, too.
	maxDisorder = 3
	// probeTries is how often the order is asked about in a row.
	probeTries = 2
)

// A keyset is the keysetReader of a stream's list, newest first.
type keyset struct {
	*keysetReader
	stream *stream
}

func (s *stream) newKeyset() *keyset {
	r := &keysetReader{
		fetch: s.fetchKeyset, asked: s.order.asked(), tries: s.tries(), restarts: maxRestarts, head: headRows, size: s.keptSize(), log: s.log,
	}
	if !s.cursor.Missing.IsZero() {
		r.restarts = 1 // it is known that the list cannot be read on
	}
	return &keyset{r, s}
}

func (k *keyset) next(ctx context.Context) (page, error) {
	p, err := k.keysetReader.next(ctx)
	if p.order == unordered {
		k.stream.list.order = unordered // warned of
	}
	return p, err
}

// finish keeps the page size that the list was read with.
func (k *keyset) finish() {
	if k.lowered {
		k.stream.keepSize(k.size)
	}
}

// keepSize keeps a page size that had to be lowered.
func (s *stream) keepSize(size int) {
	if s.order.size == 0 {
		s.order.size, s.order.sizeEnd = size, time.Now().Add(sizeMemory)
	}
}

// keptSize returns it; 0 = the usual.
func (s *stream) keptSize() int {
	if time.Now().After(s.order.sizeEnd) {
		s.order.size = 0
	}
	return s.order.size
}

// fetchKeyset asks for a page.
func (s *stream) fetchKeyset(ctx context.Context, tries int, q listQuery) (rows []row, next string, err error) {
	err = s.callTries(ctx, tries, maxLimited, func(ctx context.Context) error {
		p, err := s.kind.keyset(ctx, s.platform, q)
		rows, next = s.rows(p.Records), p.Next
		return err
	})
	return rows, next, err
}

// A keysetOrder is what a list is known to be ordered by. The older generation of
// the API knows the creation only, and answers in that order whatever is asked for, or refuses
// any other.
type keysetOrder struct {
	probed   bool
	creation bool // not by modification
	logged   bool // creation, as last logged
	disorder int  // rounds in a row

	size    int // rows that a page may be asked for; 0 = the usual
	sizeEnd time.Time
}

func (o keysetOrder) asked() ringcentral.OrderBy {
	if o.creation {
		return ""
	}
	return ringcentral.NewestModified
}

// changesOnly says that each round sees all changes, so that no sweep is needed.
func (s *stream) changesOnly() bool { return s.kind.keyset != nil && !s.order.creation }

// keysetRound finds out about the order, and makes a round.
func (s *stream) keysetRound(ctx context.Context) error {
	if err := s.probeOrder(ctx); err != nil {
		return err
	}
	err := s.listRound(ctx)
	switch {
	case err == nil:
		s.order.disorder = 0
	case s.order.creation && !s.order.probed:
		s.setOrder(false) // it was not the order
	case s.order.creation:
	case errors.Is(err, ringcentral.ErrFilterIgnored):
		if s.order.disorder++; s.order.disorder >= maxDisorder {
			s.setOrder(true)
			err = s.listRound(ctx)
		}
	case refusesRequest(err):
		s.setOrder(true)
		if s.listRound(ctx) != nil {
			s.setOrder(false) // it was not the order
			return err
		}
		err = nil
	}
	if err == nil {
		s.order.probed = s.order.probed || s.order.creation
		s.logOrder()
	}
	return err
}

// probeOrder asks for the rows the other way round: an API that does not heed the
// order gives the newest, and shows itself. With the newest first it could not be
// told as long as no old row changes, and then it would be too late. An API that was
// found not to heed it is asked again with each sweep.
//
// One that refuses the order, or does not answer, is polled by creation: if that fails as well,
// the order was not the reason.
func (s *stream) probeOrder(ctx context.Context) error {
	_, due := s.sweeps.due(s.now(), s.cursor)
	if s.order.probed && (!s.order.creation || !due || s.sweep != nil) {
		return nil
	}
	var rows []row
	err := s.callTries(ctx, probeTries, maxLimited, func(ctx context.Context) error {
		p, err := s.kind.keyset(ctx, s.platform, listQuery{order: ringcentral.OldestModified, rows: orderProbeRows})
		rows = nil
		for _, raw := range p.Records {
			rows = append(rows, readRow(raw, s.now(), s.memory.seed, modified))
		}
		return err
	})
	switch {
	case errors.Is(err, ringcentral.ErrFilterIgnored), err == nil && len(rows) > 0 && latest(rows).IsZero():
		s.order.probed = true
		s.setOrder(true)
	case isPageFault(err, false):
		if !s.order.creation { // else it is known
			s.order.probed = false
			s.setOrder(true)
		}
	case err != nil:
		return err
	default:
		// Rows of one time tell nothing; so few are read whole by each round.
		s.order.probed = orderOf(rows) == oldestFirst
		s.setOrder(false)
	}
	return nil
}

func latest(rows []row) time.Time {
	var newest time.Time
	for _, r := range rows {
		newest = later(newest, r.at)
	}
	return newest
}

// setOrder says what the list is ordered by from now on.
func (s *stream) setOrder(creation bool) {
	if creation == s.order.creation {
		return
	}
	s.order.creation, s.order.disorder = creation, 0
	s.kind.at, s.kind.late = modified, false
	if creation {
		s.kind.at, s.kind.late = created, true
	}
	s.sweep = nil
}

// logOrder reports an order that has been found to work.
func (s *stream) logOrder() {
	if s.order.creation == s.order.logged {
		return
	}
	s.order.logged = s.order.creation
	metric := s.metrics.fallback.WithLabelValues(s.kind.stream)
	if s.order.creation {
		metric.Set(1)
		s.log.Warn("the API does not list by modification: it is polled by creation, changes of old rows are found by sweeps")
		return
	}
	metric.Set(0)
	s.log.Info("the API lists by modification")
}
