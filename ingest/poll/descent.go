package poll

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// A Pages source gives pages of a list of Social Messaging by token. It makes as many tries as it
// is asked for at least, and returns ErrPageAlone where they fail while the API gives other rows.
type Pages interface {
	Page(ctx context.Context, tries int, order ringcentral.OrderBy, token string, perPage int) (ringcentral.SocialPage, error)
}

// A Descent reads a list of Social Messaging by creation, from a page down, for backfill. It shares
// what rounds know of page tokens and sizes, but never begins again by itself. It is used by one
// goroutine.
type Descent struct {
	stream string
	reader *keysetReader
}

// A Floor is one page of a Descent.
type Floor struct {
	Token    string // of the page; empty = the first
	Next     string // of the page below; empty = none
	Rows     []HistoryRow
	Unsorted bool // they are not newest first
}

// descentTries is how often a page is asked for before it is asked for with fewer rows.
const descentTries = 6

// NewDescent returns a Descent of one of SocialStreams from the page of a token on, empty for the
// first one. perPage bounds the rows of a page, 0 = no bound.
func NewDescent(stream string, pages Pages, order ringcentral.OrderBy, token string, perPage int) *Descent {
	seed := maphash.MakeSeed()
	fetch := func(ctx context.Context, tries int, q listQuery) ([]row, string, error) {
		p, err := pages.Page(ctx, tries, q.order, q.token, q.rows)
		return createdRows(p.Records, seed), p.Next, err
	}
	return &Descent{stream, &keysetReader{
		fetch: fetch, asked: order, tries: descentTries, head: keysetRows, token: token, size: perPage, log: slog.New(slog.DiscardHandler),
	}}
}

// More reports whether there may be another page.
func (d *Descent) More() bool { return d.reader.more() }

// PerPage returns the rows that a page may be asked for; 0 = the usual number.
func (d *Descent) PerPage() int { return d.reader.size }

// Next reads the next page. IsUnread reports whether an error says that the list cannot be read on.
func (d *Descent) Next(ctx context.Context) (Floor, error) {
	token := d.reader.token
	p, err := d.reader.next(ctx)
	if err != nil {
		return Floor{}, fmt.Errorf("poll: read %s: %w", d.stream, err)
	}
	return Floor{
		Token: token, Next: d.reader.token, Rows: platformHistory(d.stream, p.rows), Unsorted: p.order == unordered || p.order == oldestFirst,
	}, nil
}

// IsUnread reports whether an error says that a list cannot be read on, though the API answers.
func IsUnread(err error) bool { return errors.Is(err, errUnread) }
