package letters

import (
	"context"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// ShelfDeps is what a Shelf works with.
type ShelfDeps struct {
	Options []kgo.Opt // how to reach the brokers; the shelf has a client of its own
	Topics  kafka.Names
	Codec   *schemas.Codec
	Logger  *slog.Logger // nil = nothing is logged
}

// A Line is what the shelf keeps of a letter. Office.Show has the rest.
type Line struct {
	Position     Position
	At           time.Time // when it was given up
	Reason       deadletter.Reason
	Conversation string // the letter's key, any bytes; cut at maxKept
	CommandID    string // "" where it has none, or it can't be read; cut at maxKept
	Attempts     int
	Rounds       int    // how often it was sent back before
	HTTPStatus   int    // of the last call; 0 = there was none
	Message      string // what went wrong, on one line, short
	State        State
}

// A Shelf keeps one line of every letter in memory, so that a page of a hundred
// thousand opens at once. It follows the topics of letters, and what becomes of
// letters, whoever does it. It is safe for concurrent use.
type Shelf struct{ deps ShelfDeps }

// NewShelf returns an empty shelf. It reaches for no broker before Run.
func NewShelf(deps ShelfDeps) *Shelf { return &Shelf{deps: deps} }

// Run fills the shelf, gently, and keeps it right until ctx ends. Outages are
// waited out.
func (s *Shelf) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Page returns the chosen letters, newest first: those after the line at a
// position, or with nil from the newest on, limit of them at most. matching is
// how many are chosen in all, byReason what they were given up for; the
// choice's limit is not heeded. complete is false while the shelf is being filled, when
// letters may be missing, or be waiting that have succeeded meanwhile.
func (s *Shelf) Page(choice Choice, after *Position, limit int) (lines []Line, matching int, byReason Histogram, complete bool) {
	return nil, 0, Histogram{}, false
}
