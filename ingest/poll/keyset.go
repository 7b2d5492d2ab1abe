package poll

import (
	"cmp"
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
	// probeTries is how often the order is asked about in a row.
	probeTries = 2
)

// A listQuery asks for a page by keyset.
type listQuery struct {
	order ringcentral.OrderBy // empty = as the API likes, and unchecked
	token string
	rows  int
}

// The faults of page tokens.
var (
	errTokenRepeats = errors.New("a page token leads back to a page that was read before")
	errPageRepeats  = errors.New("a page has only rows that were read before")
	errNoRows       = errors.New("page after page has no rows")
)

const (
	// maxRestarts is how often a scan begins again from the first page, as a token leads nowhere.
	maxRestarts = 2
	// maxEmptyPages is how many pages in a row may be empty.
	maxEmptyPages = 10
	// sizeStep is by what a page size that is refused is divided.
	sizeStep = 4
)

// A keyset reads a list of the platform page by page, newest first. A page begins
// behind the last row of the page before, so rows that come and go shift nothing. A
// row that changes meanwhile moves to the top, where the next round meets it.
//
// Tokens are not trusted: one that is refused, repeats or leads to what was read before makes it
// begin again from the first page, and then end with errUnread. A page that the API does not give
// is asked for with fewer rows, down to one.
type keyset struct {
	stream *stream
	token  string
	pos    int
	last   time.Time // of the rows read
	done   bool

	size     int                 // rows that a page may be asked for; 0 = the usual
	tokens   map[string]struct{} // that were followed
	met      map[string]struct{} // rows of the pages since the beginning
	empty    int                 // pages in a row
	restarts int
	lost     error // what is wrong with the token
}

func (k *keyset) more() bool { return !k.done }

func (k *keyset) next(ctx context.Context) (page, error) {
	for {
		if k.lost != nil && !k.restart() {
			return page{}, unread(k.lost)
		}
		rows, next, err := k.fetch(ctx)
		if err != nil && k.token != "" && refusesRequest(err) && k.restarts < k.maxRestarts() {
			k.lost = err
			continue
		}
		if err != nil {
			return page{}, k.judge(ctx, err)
		}
		if err := k.follows(rows); err != nil {
			return page{}, err
		}
		p := page{rows: rows, start: k.pos, order: orderOf(rows)}
		if p.order == unordered {
			k.stream.list.order = unordered // warned of
		}
		k.advance(rows, next)
		return p, nil
	}
}

// advance goes on to the next page, and finds out whether its token can be followed.
func (k *keyset) advance(rows []row, next string) {
	if k.tokens == nil {
		k.tokens, k.met = map[string]struct{}{}, map[string]struct{}{}
	}
	fresh := false
	for _, r := range rows {
		_, met := k.met[r.ident]
		fresh = fresh || !met
		k.met[r.ident] = struct{}{}
	}
	k.empty++
	if len(rows) > 0 {
		k.empty = 0
	}
	_, followed := k.tokens[next]
	k.tokens[next] = struct{}{}
	k.pos, k.token, k.done = k.pos+len(rows), next, next == ""
	switch {
	case k.done:
	case followed:
		k.lost = errTokenRepeats
	case !fresh && len(rows) > 0:
		k.lost = errPageRepeats
	case k.empty >= maxEmptyPages:
		k.lost = errNoRows
	}
}

// finish keeps the page size that the list was read with.
func (k *keyset) finish() {
	if k.size > 0 {
		k.stream.keepSize(k.size)
	}
}

// restart goes back to the first page, as long as that may help.
func (k *keyset) restart() bool {
	if k.restarts >= k.maxRestarts() {
		return false
	}
	k.stream.log.Debug("the list is read again from its first page", "error", k.lost)
	*k = keyset{stream: k.stream, size: k.size, restarts: k.restarts + 1}
	return true
}

// maxRestarts is less while it is known that the list cannot be read on.
func (k *keyset) maxRestarts() int {
	if !k.stream.cursor.Missing.IsZero() {
		return 1
	}
	return maxRestarts
}

// fetch asks for the page, with fewer rows where the API does not give it.
func (k *keyset) fetch(ctx context.Context) (rows []row, next string, err error) {
	size := keysetRows
	if k.token == "" {
		size = headRows
	}
	if most := cmp.Or(k.size, k.stream.keptSize()); most > 0 {
		size = min(size, most)
	}
	tries := k.stream.tries()
	for ; ; tries = 1 {
		rows, next, err = k.stream.fetchKeyset(ctx, tries, listQuery{order: k.stream.order.asked(), token: k.token, rows: size})
		switch {
		case err == nil:
			return rows, next, nil
		case !isPageFault(err, k.token == ""), errors.Is(err, ringcentral.ErrOrderRefused), size == 0:
			return nil, "", err
		case k.token != "" && refusesRequest(err) && k.restarts < k.maxRestarts():
			return nil, "", err // the token more likely than the size
		}
		if size > 1 {
			size = max(size/sizeStep, 1)
		} else {
			size = 0 // at last no size at all is asked for
		}
		k.size = size
	}
}

// judge returns errUnread where a page cannot be read while the API gives the first one.
func (k *keyset) judge(ctx context.Context, err error) error {
	if k.token == "" || !isPageFault(err, false) {
		return err
	}
	_, _, first := k.stream.fetchKeyset(ctx, 1, listQuery{order: k.stream.order.asked(), rows: 1})
	if first != nil {
		return err
	}
	return unread(err)
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
func (s *stream) fetchKeyset(ctx context.Context, tries int, q listQuery) (rows []row, next string, err error) {
	err = s.callTries(ctx, tries, func(ctx context.Context) error {
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
	err := s.callTries(ctx, probeTries, func(ctx context.Context) error {
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
