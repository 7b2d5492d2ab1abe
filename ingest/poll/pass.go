package poll

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

const (
	// passTimeout bounds one pass over the list: 15,000 pages at the API's
	// documented rate. What takes longer hangs.
	passTimeout = 30 * time.Minute
	// callTimeout bounds one page.
	callTimeout = 30 * time.Second
	// fetchTries is how often a page is asked for, failures in a row. A sweep of
	// thousands of pages would never end if one failure began it anew.
	fetchTries = 5
	// maxLimited is how many answers of 429 in a row end a pass. What it has read is written, and
	// the next begins with the newest.
	maxLimited = 3
	// writeRows is how many rows are given to the inbox at once.
	writeRows = 500
	// lateSlack is how far the API's clock may be behind ours when it is told
	// whether a late row came since the last sweep.
	lateSlack = time.Minute
)

var errPassTimeout = fmt.Errorf("a pass took more than %s", passTimeout)

// A pager reads a list page by page, from the newest row on.
type pager interface {
	// next returns the next page, of which rows may have been read before. It fails with
	// errUnread where the list cannot be read on while the API answers otherwise; any other
	// error leaves the pager where it was.
	next(ctx context.Context) (page, error)
	more() bool
	// finish is called when all that was wanted has been read.
	finish()
}

// A scan reads the list once, from the newest row down to a bound.
type scan struct {
	pager   pager
	bound   time.Time
	sweep   bool
	number  uint32 // in the memory's count of passes
	harvest *harvest
	done    bool
}

func (s *stream) newScan(bound time.Time, sweep bool) *scan {
	s.memory.pass++
	sc := &scan{bound: bound, sweep: sweep, number: s.memory.pass, harvest: newHarvest(s.maxHarvest)}
	if s.kind.keyset != nil {
		sc.pager = s.newKeyset()
	} else {
		sc.pager = &walk{list: s.list, certain: sweep}
	}
	return sc
}

// read goes on with a scan until it is done, or has no time left; until zero is no limit. Where
// the list cannot be read on, the scan is done, and its harvest says what may be missing.
func (s *stream) read(ctx context.Context, sc *scan, until time.Time) error {
	h := sc.harvest
	before := h.read
	defer func() { s.metrics.read.WithLabelValues(s.kind.stream).Add(float64(h.read - before)) }()
	for !sc.done && (until.IsZero() || h.read == before || time.Now().Before(until)) {
		p, err := sc.pager.next(ctx)
		switch {
		case h.pages > 0 && (errors.Is(err, errUnread) || errors.Is(err, errPassTimeout)):
			s.faulty(err)
			h.missing, sc.done = earliest(h.missing, sc.bound), true
			return nil
		case err != nil:
			return err
		}
		s.take(sc, p)
	}
	return nil
}

// take puts the rows of a page where they belong.
func (s *stream) take(sc *scan, p page) {
	h := sc.harvest
	if p.start == 0 {
		h.head = take(p)
	}
	h.pages++
	for _, r := range p.rows {
		switch {
		case r.hole:
			h.hole()
			s.metrics.unreadable.WithLabelValues(s.kind.stream, unreadableRefused).Inc()
		case r.empty:
			s.metrics.unreadable.WithLabelValues(s.kind.stream, unreadableNull).Inc()
		default:
			h.closeHole(r.at)
			s.sift(h, r, sc.bound, sc.sweep)
		}
	}
	if sc.done = p.reaches(sc.bound) || !sc.pager.more(); !sc.done {
		return
	}
	sc.pager.finish()
	if h.open {
		h.missing, h.open = earliest(h.missing, sc.bound), false
	}
}

// sift puts a row where it belongs: to what is to be written, or aside.
func (s *stream) sift(h *harvest, r row, bound time.Time, sweep bool) {
	h.read++
	h.newest = later(h.newest, r.at)
	met, same := s.memory.look(r)
	unknown := !met && !h.has(r)
	if unknown && s.cursor.Census.fresh(r, bound, s.warm) {
		h.fresh++
	}
	switch {
	case same:
	case !s.kind.wants(r, s.cursor.Since):
		s.memory.keep(r, time.Now())
	default:
		if unknown && sweep && s.isLate(r) {
			h.late++
		}
		h.add(r)
	}
}

// isLate reports whether a row that was not met before came since the last sweep,
// and with a date that no round reads back to.
func (s *stream) isLate(r row) bool {
	deep := !r.at.IsZero() && r.at.Before(s.cursor.bound(s.cfg.Overlap))
	if r.imported.IsZero() {
		return deep && s.swept // an owner that has swept before has met the old ones
	}
	return deep && !r.imported.Before(s.cursor.Swept.Add(-lateSlack))
}

// reaches reports whether all rows after this page are older than bound.
func (p page) reaches(bound time.Time) bool {
	readable := slices.DeleteFunc(slices.Clone(p.rows), func(r row) bool { return r.at.IsZero() })
	if len(readable) == 0 {
		return false
	}
	switch p.order {
	case oldestFirst: // the newest are still to come
		return false
	case unordered:
		return !slices.ContainsFunc(readable, func(r row) bool { return !r.at.Before(bound) })
	default:
	}
	return readable[len(readable)-1].at.Before(bound)
}

// write puts a harvest into the inbox, oldest first.
func (s *stream) write(ctx context.Context, h *harvest) error {
	for chunk := range slices.Chunk(h.oldestFirst(), writeRows) {
		if err := s.writeOwned(ctx, chunk); err != nil {
			return fmt.Errorf("poll: %w: %w", errInbox, err)
		}
		failpoint.Hit("poll/rows-written")
		for _, r := range chunk {
			s.memory.keep(*r, time.Now())
			if s.sweep != nil && s.sweep.harvest != h {
				s.sweep.harvest.drop(r) // what it has read is not newer
			}
		}
	}
	return nil
}

var errDisowned = errors.New("another replica may have the stream by now")

// writeOwned gives rows to the inbox while the stream is certainly ours. A process that was frozen while another one read on would put
// older states behind newer ones; and of two within one second nobody can tell later which came first.
func (s *stream) writeOwned(ctx context.Context, rows []*row) error {
	until, err := s.confirm(ctx)
	if err != nil {
		return err
	}
	if ctx.Err() != nil { // lost, and joined again
		return context.Cause(ctx)
	}
	ctx, cancel := context.WithDeadlineCause(ctx, until, errDisowned)
	defer cancel()
	return s.accept(ctx, rows)
}

// accept gives rows to the inbox. One that its topic cannot hold is left out: it
// would stop the stream for good.
func (s *stream) accept(ctx context.Context, rows []*row) error {
	items := make([]ingest.Item, len(rows))
	for i, r := range rows {
		items[i] = s.kind.item(*r)
	}
	err := s.inbox.Accept(ctx, items...)
	switch {
	case err == nil:
		s.metrics.written.WithLabelValues(s.kind.stream).Add(float64(len(rows)))
		return nil
	case !errors.Is(err, ingest.ErrTooLarge):
		return err
	case len(rows) == 1:
		s.metrics.tooLarge.WithLabelValues(s.kind.stream).Inc()
		s.log.Error("row left out: the inbox topic cannot hold it, raise its max.message.bytes", "id", rows[0].id, "bytes", len(rows[0].raw))
		return nil
	}
	for _, r := range rows {
		if err := s.accept(ctx, []*row{r}); err != nil {
			return err
		}
	}
	return nil
}

// fetch asks for a page of Engage. While a part of the list is known not to be readable, it does
// not insist.
func (s *stream) fetch(ctx context.Context, offset, limit int) (rows []row, count int, err error) {
	return s.fetchPage(ctx, s.tries(), offset, limit)
}

// fetchOnce does so with one try.
func (s *stream) fetchOnce(ctx context.Context, offset, limit int) (rows []row, count int, err error) {
	return s.fetchPage(ctx, 1, offset, limit)
}

func (s *stream) tries() int {
	if !s.cursor.Missing.IsZero() {
		return 2
	}
	return fetchTries
}

func (s *stream) fetchPage(ctx context.Context, tries, offset, limit int) (rows []row, count int, err error) {
	err = s.callTries(ctx, tries, maxLimited, func(ctx context.Context) error {
		p, err := s.kind.fetch(ctx, s.source, offset, limit)
		rows, count = s.rows(p.Records), p.Count
		return err
	})
	return rows, count, err
}

// call makes a call until it succeeds, fails too often, or fails for good.
func (s *stream) call(ctx context.Context, do func(context.Context) error) error {
	return s.callTries(ctx, fetchTries, maxLimited, do)
}

// callTries is call with so many tries, and so many answers of 429 in a row. Such an answer is a
// wait, not an attempt; but one that comes again after the wait may concern this page alone.
func (s *stream) callTries(ctx context.Context, tries, limits int, do func(context.Context) error) error {
	limited := 0
	bounded := ringcentral.WithCallTimeout(ringcentral.WithPriority(ctx, ringcentral.Poll), callTimeout)
	for failures := 1; ; failures++ {
		err := do(bounded)
		if err == nil {
			s.gate.open()
			return nil
		}
		switch verdict := judge(err); {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case verdict == resultRateLimited:
			if limited++; limited >= limits {
				return err
			}
			s.trouble.saw(verdict, err)
			failures--
		case verdict != resultUnavailable || failures >= tries:
			return err
		}
		if sleep.For(ctx, wait(err, max(failures, 1), s.cfg.Interval, s.jitter())) != nil {
			return context.Cause(ctx)
		}
	}
}

func (s *stream) rows(records []json.RawMessage) []row {
	rows := make([]row, len(records))
	now := s.now()
	for i, raw := range records {
		rows[i] = readRow(raw, now, s.memory.seed, s.kind.at)
	}
	return rows
}
