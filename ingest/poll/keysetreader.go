package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// A keysetReader reads a list of the platform page by page, newest first. A page begins
// behind the last row of the page before, so rows that come and go shift nothing. A
// row that changes meanwhile moves to the top, where the next round meets it.
//
// Tokens are not trusted: one that is refused, repeats or leads to what was read before makes it
// begin again from the first page, and then end with errUnread. A page that the API does not give
// is asked for with fewer rows, down to one.
//
// It is used by one goroutine.
type keysetReader struct {
	fetch    func(ctx context.Context, tries int, q listQuery) (rows []row, next string, err error)
	asked    ringcentral.OrderBy // what pages are ordered by; empty = unchecked
	tries    int                 // of the first call for a page; those with fewer rows are made once
	restarts int                 // from the first page that are left
	head     int                 // rows that the first page is asked for
	log      *slog.Logger

	token string
	pos   int
	last  time.Time // of the rows read
	done  bool

	size    int                 // rows that a page may be asked for; 0 = the usual
	lowered bool                // size was, by this reader
	tokens  map[string]struct{} // that were followed
	met     map[string]struct{} // rows of the pages since the beginning
	empty   int                 // pages in a row
	lost    error               // what is wrong with the token
}

func (k *keysetReader) more() bool { return !k.done }

func (k *keysetReader) next(ctx context.Context) (page, error) {
	for {
		if k.lost != nil && !k.restart() {
			return page{}, unread(k.lost)
		}
		rows, next, err := k.read(ctx)
		if err != nil && k.refusesToken(err) {
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
		k.advance(rows, next)
		return p, nil
	}
}

// advance goes on to the next page, and finds out whether its token can be followed.
func (k *keysetReader) advance(rows []row, next string) {
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

// restart goes back to the first page, as long as that may help.
func (k *keysetReader) restart() bool {
	if k.restarts == 0 {
		return false
	}
	k.log.Debug("the list is read again from its first page", "error", k.lost)
	k.restarts--
	k.token, k.pos, k.last, k.done, k.empty, k.lost = "", 0, time.Time{}, false, 0, nil
	k.tokens, k.met = nil, nil
	return true
}

// refusesToken reports whether an error may be that of the token, so that the first page leads on.
func (k *keysetReader) refusesToken(err error) bool {
	return k.token != "" && k.restarts > 0 && refusesRequest(err)
}

// read asks for the page, with fewer rows where the API does not give it.
func (k *keysetReader) read(ctx context.Context) (rows []row, next string, err error) {
	size := keysetRows
	if k.token == "" {
		size = k.head
	}
	if k.size > 0 {
		size = min(size, k.size)
	}
	for tries := k.tries; ; tries = 1 {
		rows, next, err = k.fetch(ctx, tries, listQuery{order: k.asked, token: k.token, rows: size})
		switch {
		case err == nil:
			return rows, next, nil
		case !isPageFault(err, k.token == ""), errors.Is(err, ringcentral.ErrOrderRefused), size == 0:
			return nil, "", err
		case k.refusesToken(err):
			return nil, "", err // the token more likely than the size
		}
		if size > 1 {
			size = max(size/sizeStep, 1)
		} else {
			size = 0 // at last no size at all is asked for
		}
		k.size, k.lowered = size, true
	}
}

// judge returns errUnread where a page cannot be read while the API gives the first one.
func (k *keysetReader) judge(ctx context.Context, err error) error {
	if k.token == "" || !isPageFault(err, false) {
		return err
	}
	if errors.Is(err, ErrPageAlone) {
		return unread(err)
	}
	if _, _, first := k.fetch(ctx, 1, listQuery{order: k.asked, rows: 1}); first != nil {
		return err
	}
	return unread(err)
}

// follows holds a page against the one before; the API's client does so within it.
func (k *keysetReader) follows(rows []row) error {
	for _, r := range rows {
		if r.at.IsZero() {
			continue
		}
		if k.asked != "" && !k.last.IsZero() && r.at.After(k.last) {
			return fmt.Errorf("poll: %w: from page to page", ringcentral.ErrFilterIgnored)
		}
		k.last = r.at
	}
	return nil
}
