package poll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	// headRows is how many rows the first page is asked for: on most days a round
	// needs no other.
	headRows = 100
	// keysetRows is how many each page after it is asked for: the most that the API
	// gives, as each page costs a call of fifty a minute.
	keysetRows = ringcentral.MaxSocialPage
	// orderProbeRows is how many rows must tell that the order is heeded.
	orderProbeRows = 100
	// maxDisorder is how many rounds in a row may find rows out of order before the
	// order is given up: a row that changes while its page is made is out of order, too.
	maxDisorder = 3
)

// A listQuery asks for a page by keyset.
type listQuery struct {
	order ringcentral.OrderBy // empty = as the API likes, and unchecked
	token string
	rows  int
}

// A keyset reads a list of the platform page by page, newest first. A page begins
// behind the last row of the page before, so rows that come and go shift nothing. A
// row that changes meanwhile moves to the top, where the next round meets it.
type keyset struct {
	stream *stream
	token  string
	pos    int
	last   time.Time // of the rows read
	done   bool
}

func (k *keyset) more() bool { return !k.done }

func (k *keyset) next(ctx context.Context) (page, error) {
	size := keysetRows
	if k.token == "" {
		size = headRows
	}
	rows, next, err := k.stream.fetchKeyset(ctx, listQuery{order: k.stream.order.asked(), token: k.token, rows: size})
	if err != nil {
		return page{}, err
	}
	p := page{rows: rows, start: k.pos, order: orderOf(rows)}
	if p.order == unordered {
		k.stream.list.order = unordered // warned of
	}
	if err := k.follows(rows); err != nil {
		return page{}, err
	}
	k.pos, k.token, k.done = k.pos+len(rows), next, next == ""
	return p, nil
}

// follows holds a page against the one before; the API's client does so within it.
func (k *keyset) follows(rows []row) error {
	for _, r := range rows {
		if r.at.IsZero() {
			continue
		}
		if k.stream.order.asked() != "" && !k.last.IsZero() && r.at.After(k.last) {
			return fmt.Errorf("poll: %w: from page to page", ringcentral.ErrFilterIgnored)
		}
		k.last = r.at
	}
	return nil
}

// fetchKeyset asks for a page.
func (s *stream) fetchKeyset(ctx context.Context, q listQuery) (rows []row, next string, err error) {
	err = s.call(ctx, func(ctx context.Context) error {
		p, err := s.kind.keyset(ctx, s.platform, q)
		rows, next = s.rows(p.Records), p.Next
		return err
	})
	return rows, next, err
}

// A keysetOrder is what a list is known to be ordered by. The older generation of
// the API knows the creation only, and answers in that order whatever is asked for.
type keysetOrder struct {
	probed   bool
	creation bool // not by modification
	disorder int  // rounds in a row
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
	case errors.Is(err, ringcentral.ErrFilterIgnored) && !s.order.creation:
		if s.order.disorder++; s.order.disorder >= maxDisorder {
			s.setOrder(true)
			return s.listRound(ctx)
		}
	}
	return err
}

// probeOrder asks for the rows the other way round: an API that does not heed the
// order gives the newest, and shows itself. With the newest first it could not be
// told as long as no old row changes, and then it would be too late. An API that was
// found not to heed it is asked again with each sweep.
func (s *stream) probeOrder(ctx context.Context) error {
	_, due := s.sweeps.due(time.Now(), s.cursor)
	if s.order.probed && (!s.order.creation || !due) {
		return nil
	}
	probe := s.kind
	probe.at = modified
	var rows []row
	err := s.call(ctx, func(ctx context.Context) error {
		p, err := s.kind.keyset(ctx, s.platform, listQuery{order: ringcentral.OldestModified, rows: orderProbeRows})
		rows = nil
		for _, raw := range p.Records {
			rows = append(rows, readRow(raw, time.Now(), s.memory.seed, modified))
		}
		return err
	})
	switch {
	case errors.Is(err, ringcentral.ErrFilterIgnored), err == nil && len(rows) > 0 && latest(rows).IsZero():
		s.order.probed = true
		s.setOrder(true)
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
	metric := s.metrics.fallback.WithLabelValues(s.kind.stream)
	if creation == s.order.creation {
		return
	}
	s.order.creation, s.order.disorder = creation, 0
	s.kind.at, s.kind.late = modified, false
	metric.Set(0)
	if creation {
		s.kind.at, s.kind.late = created, true
		metric.Set(1)
		s.log.Warn("the API does not list by modification: it is polled by creation, changes of old rows are found by sweeps")
		return
	}
	s.log.Info("the API lists by modification")
}
