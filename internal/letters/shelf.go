package letters

import (
	"log/slog"
	"slices"
	"sync"
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

// maxKept is how many bytes of a conversation and of a command's id a line keeps.
// They are anybody's to write, and a page has no room for more.
const maxKept = 256

// maxLines is how many letters of a source the shelf holds, the newest: some
// 60 MB. Who has more of them has to choose by other means than a page.
const maxLines = 250_000

// A Shelf keeps one line of every letter in memory, so that a page of a hundred
// thousand opens at once. It follows the topics of letters, and what becomes of
// letters, whoever does it. It is safe for concurrent use.
//
// It decides nothing: what is planned and done goes by the Office, which asks
// the brokers.
type Shelf struct {
	deps ShelfDeps
	log  *slog.Logger

	mu      sync.Mutex
	replies stack
	inbox   stack
}

// NewShelf returns an empty shelf. It reaches for no broker before Run.
func NewShelf(deps ShelfDeps) *Shelf {
	s := &Shelf{deps: deps, log: deps.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

func (s *Shelf) stack(source Source) *stack {
	if source == Inbox {
		return &s.inbox
	}
	return &s.replies
}

// Page returns the chosen letters, newest first: those after the line at a
// position, or with nil from the newest on, limit of them at most. matching is
// how many are chosen in all, and byReason what those were given up for; the
// choice's limit is not heeded. complete is false while the shelf is being
// filled, when letters may be missing, or be waiting that have succeeded
// meanwhile; and where there are more letters than it holds.
func (s *Shelf) Page(choice Choice, after *Position, limit int) (lines []Line, matching int, byReason Histogram, complete bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	byReason = Histogram{}
	stack := s.stack(choice.Source)
	begun := after == nil
	var letter Letter
	for _, l := range slices.Backward(stack.sorted()) {
		l.tell(&letter, choice.maxRounds())
		if choice.includes(&letter) && choice.means(letter.State) {
			matching++
			byReason[letter.Info.Reason]++
			if begun && len(lines) < limit {
				lines = append(lines, l.line(&letter))
			}
		}
		begun = begun || letter.Position == *after
	}
	return lines, matching, byReason, stack.filled && !stack.cut
}
