package backfill

import (
	"context"
	"time"

	"github.com/ringbridge/ringbridge/ingest"
)

// A history reads one stream, oldest first. It is used by one goroutine, and makes
// no second try of a call: its source does.
type history interface {
	// seek goes to the beginning of the span and returns how many rows lie in it; 0 =
	// that is not known.
	seek(ctx context.Context, span Span) (rows int, err error)
	// next returns the next step. Rows outside of the span are not in it.
	next(ctx context.Context) (step, error)
}

// A step is what a history has read at once.
type step struct {
	items   []ingest.Item // in the order they are to be written
	done    int           // rows of the span behind the step, where seek told how many there are
	reached time.Time     // all rows of the span before it are in this step or earlier ones; zero = that cannot be told yet
	missing int           // rows that the API does not give
	cause   error         // why
	end     bool
}

// includes reports whether a row of this time belongs to the span. One without a
// readable time does: what becomes of it is decided behind the inbox.
func (s Span) includes(at time.Time) bool {
	return at.IsZero() || !at.Before(s.From) && at.Before(s.Until)
}
