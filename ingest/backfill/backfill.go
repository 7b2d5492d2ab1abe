package backfill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/failpoint"
)

const (
	// writeRows is how many rows are given to the inbox at once.
	writeRows = 500
	// maxFailures is how many failures in a row end a backfill: some eight minutes of
	// an outage, after which a person should know. The place is kept.
	maxFailures = 12
)

// ErrIncomplete is returned when all of a span is in the inbox but for rows that the API does not
// give. The next run begins before the first of them.
var ErrIncomplete = errors.New("some rows can't be read")

// An Inbox keeps what was read; see ingest.Inbox for its errors.
type Inbox interface {
	Accept(ctx context.Context, items ...ingest.Item) error
}

// Keeper keeps places. Save returns nil only for what is safe.
type Keeper interface {
	Load(ctx context.Context, stream string) (*Place, error)
	Save(ctx context.Context, stream string, place Place) error
}

// Deps are what a Backfill uses of its surroundings.
type Deps struct {
	Engage poll.Source // nil = none
	// Platform is read where it is not nil; Social says that it has contents.
	Platform Platform
	Social   bool
	Inbox    Inbox
	Places   Keeper
	Report   func(Progress)   // nil = nobody looks; called by the goroutine of Run
	Logger   *slog.Logger     // nil = silence
	Jitter   func() float64   // in [0, 1); nil = random
	Now      func() time.Time // nil = time.Now
}

// A Backfill reads streams one after the other.
type Backfill struct{ deps Deps }

// New returns a Backfill.
func New(deps Deps) *Backfill {
	if deps.Report == nil {
		deps.Report = func(Progress) {}
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Jitter == nil {
		deps.Jitter = rand.Float64
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Backfill{deps: deps}
}

// Streams lists what can be read with these sources, in the order that suits the
// readers of the topics: who wrote, before what was written.
func (b *Backfill) Streams() []string {
	var streams []string
	if b.deps.Engage != nil {
		streams = append(streams, poll.EngageStreams()...)
	}
	if b.deps.Platform != nil && b.deps.Social {
		streams = append(streams, poll.SocialStreams()...)
	}
	slices.SortFunc(streams, func(a, b string) int {
		return cmp.Or(cmp.Compare(path.Base(b), path.Base(a)), cmp.Compare(a, b)) // identities, contents
	})
	if b.deps.Platform != nil {
		streams = append(streams, poll.MessagesStream)
	}
	return streams
}

// Run reads a stream's rows of the span into the inbox. It goes on where an earlier
// run has stopped; anew makes it forget that. A zero span.Until is now. It returns
// nil when the span is in the inbox, ctx's cause when it was stopped, and another
// error when trying again by itself does not help, or did not: in each case the next
// Run goes on from there.
func (b *Backfill) Run(ctx context.Context, stream string, span Span, anew bool) error {
	var kept *Place
	if !anew {
		var err error
		if kept, err = b.deps.Places.Load(ctx, stream); err != nil {
			return err
		}
	}
	r := &run{deps: b.deps, stream: stream, place: begin(kept, span, b.deps.Now().UTC().Truncate(time.Second))}
	history, err := b.history(stream, r)
	if err != nil {
		return err
	}
	r.progress = Progress{Stream: stream, Span: Span{r.place.From, r.place.Until}, Reached: r.place.Reached, Resumed: r.place.Reached.After(r.place.From)}
	if !r.place.Reached.Before(r.place.Until) {
		return r.finish()
	}
	return r.read(ctx, history)
}

func (b *Backfill) history(stream string, r *run) (history, error) {
	switch {
	case !slices.Contains(b.Streams(), stream):
		return nil, fmt.Errorf("backfill: no stream %q", stream)
	case stream == poll.MessagesStream:
		return &storeHistory{platform: patientPlatform{r, b.deps.Platform}, width: firstWindow, size: storePage}, nil
	case slices.Contains(poll.SocialStreams(), stream):
		return newKeysetHistory(stream, patientPlatform{r, b.deps.Platform}), nil
	}
	tape, err := poll.NewTape(stream, patientEngage{r, b.deps.Engage})
	return &offsetHistory{tape: tape}, err
}

// run is one stream's backfill on its way.
type run struct {
	deps     Deps
	stream   string
	place    Place
	progress Progress
	missing  error // why rows are missing; nil = none are
	alone    bool  // a page was not given while others were
}

// miss notes rows that could not be read. The place stays before them, so that the next run reads
// them again; what comes behind is written all the same.
func (r *run) miss(s step) {
	if r.missing == nil {
		r.deps.Logger.Warn("rows can't be read: the backfill goes on without them", "stream", r.stream, "after", r.place.Reached, "error", s.cause)
	}
	r.missing = s.cause
	r.progress.Missing += s.missing
}

func (r *run) read(ctx context.Context, h history) error {
	r.progress.Waiting = "looks for the beginning"
	r.deps.Report(r.progress)
	r.progress.Waiting = ""
	total, err := h.seek(ctx, Span{r.place.Reached, r.place.Until})
	if err != nil {
		return r.fault(ctx, err)
	}
	r.progress.Total = total
	r.deps.Report(r.progress)
	for {
		s, err := h.next(ctx)
		if err != nil {
			return r.fault(ctx, err)
		}
		if err := r.write(ctx, s.items); err != nil {
			return r.fault(ctx, err)
		}
		failpoint.Hit("backfill/rows-written")
		if s.missing > 0 {
			r.miss(s)
		}
		if s.reached.After(r.place.Reached) && r.missing == nil {
			r.place.Reached = s.reached
		}
		if r.missing == nil && s.end || r.place.Reached.After(r.place.Until) {
			r.place.Reached = r.place.Until
		}
		if err := r.save(ctx); err != nil {
			return r.fault(ctx, err)
		}
		failpoint.Hit("backfill/place-saved")
		r.progress.Done, r.progress.Reached = s.done, r.place.Reached
		if s.end && r.missing != nil {
			r.progress.Incomplete = true
			r.deps.Report(r.progress)
			return fmt.Errorf("backfill: %s: %w: %d or more: %w", r.stream, ErrIncomplete, r.progress.Missing, r.missing)
		}
		if s.end {
			return r.finish()
		}
		r.deps.Report(r.progress)
	}
}

func (r *run) finish() error {
	r.progress.Done, r.progress.End = r.progress.Total, true
	r.deps.Report(r.progress)
	return nil
}

// save moves the place. What was written is safe: stopping must not cost it.
func (r *run) save(ctx context.Context) error {
	r.place.Updated = r.deps.Now().UTC()
	return r.try(ctx, func() error { return r.deps.Places.Save(context.WithoutCancel(ctx), r.stream, r.place) })
}

// write gives items to the inbox. One that its topic cannot hold is left out: it
// would stop the backfill for good.
func (r *run) write(ctx context.Context, items []ingest.Item) error {
	for chunk := range slices.Chunk(items, writeRows) {
		if err := r.accept(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) accept(ctx context.Context, items []ingest.Item) error {
	var unfit error
	err := r.try(ctx, func() error {
		err := r.deps.Inbox.Accept(ctx, items...)
		if errors.Is(err, ingest.ErrTooLarge) || errors.Is(err, ingest.ErrUnfit) {
			unfit, err = err, nil
		}
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("backfill: write to the inbox: %w", err)
	case unfit == nil:
		r.place.Rows += len(items)
		r.progress.Rows += len(items)
		return nil
	case len(items) == 1:
		r.progress.LeftOut++
		r.deps.Logger.Error("row left out: the inbox cannot hold it", "stream", r.stream, "key", items[0].Key, "bytes", len(items[0].Arrival.Body), "error", unfit)
		return nil
	}
	for _, item := range items {
		if err := r.accept(ctx, []ingest.Item{item}); err != nil {
			return err
		}
	}
	return nil
}

// fault tells a stop that was asked for from what failed.
func (r *run) fault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("backfill: %s: %w", r.stream, err)
}
