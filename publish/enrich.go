package publish

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// An API reads what a webhook leaves out. Both methods block until the answer,
// or return soon after ctx ends; an answer other than the resource is a
// *ringcentral.Error. Safe for concurrent use.
type API interface {
	Content(ctx context.Context, id string) (json.RawMessage, error)
	Identity(ctx context.Context, id string) (json.RawMessage, error)
}

const (
	// enrichCalls is how many calls are under way at once: enough to fill the
	// bound of a batch, few enough not to look like an attack.
	enrichCalls = 16
	// authorFor is how long an author is taken from memory. A changed name is
	// seen on the topic identities at once, beside a content after this time.
	authorFor = 10 * time.Minute
	// failureFor is how long an author that could not be fetched is not asked
	// for again.
	failureFor = 30 * time.Second
	// authorsKept bounds the memory: about a kilobyte each.
	authorsKept = 20_000
)

// An enricher adds authors and attachments to contents. A batch costs at most
// the bound, and a dead API one bound, not one each batch. It is used by one
// goroutine; only its calls are concurrent.
type enricher struct {
	api     API // nil = off
	bound   time.Duration
	authors *authors
	breaker breaker
	log     *slog.Logger
	metrics *metrics
}

// A met identity is one that was fetched for its contents and is not yet in the
// inbox, where its own partition decides whether it is news.
type met struct {
	author *author
	cause  *unit
}

// enrich completes the units' contents as far as the API answers in time, and
// returns the identities met.
func (e *enricher) enrich(ctx context.Context, units []*unit) []met {
	var contents []*unit
	for _, u := range units {
		if u.event != nil && u.event.content != nil {
			contents = append(contents, u)
		}
	}
	if e.api == nil || len(contents) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.bound)
	defer cancel()
	calls := e.calls(contents)
	if len(calls) > 0 && !e.breaker.open() {
		e.run(ctx, calls)
	} else {
		e.metrics.enrichSkipped(calls)
	}
	return e.attach(contents)
}

// A call is one question to the API.
type call struct {
	what   string // enrichAuthor or enrichAttachments
	author *author
	unit   *unit

	err error
}

// calls returns what has to be asked: each author once, and each content whose
// webhook tells of files.
func (e *enricher) calls(contents []*unit) []*call {
	var calls []*call
	asked := map[authorKey]bool{}
	for _, u := range contents {
		c := &u.event.content.content
		if c.AuthorID != nil {
			key := authorKeyOf(u)
			switch a := e.authors.get(key); {
			case asked[key]:
			case a != nil:
				e.metrics.enriched(enrichAuthor, outcomeCached)
			default:
				asked[key] = true
				calls = append(calls, &call{what: enrichAuthor, unit: u, author: &author{key: key}})
			}
		}
		if u.event.content.hasAttachment && len(c.Attachments) == 0 {
			calls = append(calls, &call{what: enrichAttachments, unit: u})
		}
	}
	return calls
}

// run makes the calls and weighs how they ended.
func (e *enricher) run(ctx context.Context, calls []*call) {
	var group errgroup.Group
	group.SetLimit(enrichCalls)
	for _, c := range calls {
		group.Go(func() error {
			c.err = e.make(ctx, c)
			return nil
		})
	}
	_ = group.Wait() // the errors are in the calls
	answered, late := false, false
	for _, c := range calls {
		outcome := outcomeOf(c.err)
		e.metrics.enriched(c.what, outcome)
		late = late || outcome == outcomeLate
		switch outcome {
		case outcomeFetched, outcomeAbsent:
			answered = true
			e.breaker.success()
		case outcomeNoBudget:
			continue // costs no time, and says nothing of the API or the author
		default:
			e.breaker.failure()
			e.log.Debug("enrichment failed", "what", c.what, "content_id", c.unit.event.subject, "outcome", outcome, "error", c.err)
		}
		if c.what == enrichAuthor {
			e.authors.put(c.author, outcome)
		}
	}
	if late && !answered {
		e.breaker.trip() // it answered nothing for a whole bound
	}
}

// make asks one question. What it changes, no other call touches.
func (e *enricher) make(ctx context.Context, c *call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a := &c.unit.arrival
	priority := ringcentral.Enrich
	if a.Origin == schemas.OriginBackfill {
		priority = ringcentral.Backfill // history must not use up what live events need
	}
	ctx = ringcentral.WithPriority(ctx, priority)
	if c.what == enrichAuthor {
		body, err := e.api.Identity(ctx, c.author.key.id)
		if err != nil {
			return err
		}
		identity, err := readIdentity(body, a.API, a.Account)
		if err != nil {
			return err
		}
		c.author.identity, c.author.body = &identity, body
		return nil
	}
	body, err := e.api.Content(ctx, c.unit.event.subject)
	if err != nil {
		return err
	}
	o := readObject(body)
	files, created, updated := o.files("attachments"), o.instant("created_at"), o.instant("updated_at")
	if err := o.fault(); err != nil {
		return err
	}
	// What the event says itself stays: the API tells a later state.
	content := &c.unit.event.value.(*schemas.ContentEvent).Content
	content.Attachments = files
	if content.CreatedAt == nil {
		content.CreatedAt = created
	}
	if content.UpdatedAt == nil {
		content.UpdatedAt = updated
	}
	return nil
}

// attach gives the contents the authors that are known by now; one that could
// not be asked for again is better than none.
func (e *enricher) attach(contents []*unit) []met {
	var out []met
	listed := map[*author]bool{}
	for _, u := range contents {
		c := u.event.value.(*schemas.ContentEvent)
		if c.Content.AuthorID == nil {
			continue
		}
		a := e.authors.last(authorKeyOf(u))
		if a == nil || a.identity == nil {
			continue
		}
		c.Author = a.identity
		if a.body != nil && !listed[a] {
			listed[a] = true
			out = append(out, met{author: a, cause: u})
		}
	}
	return out
}

func outcomeOf(err error) string {
	var answered *ringcentral.Error
	var unreadable *ParseError
	switch {
	case err == nil:
		return outcomeFetched
	case errors.As(err, &answered) && answered.Status == http.StatusNotFound:
		return outcomeAbsent
	case errors.Is(err, ringcentral.ErrNoBudget):
		return outcomeNoBudget
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return outcomeLate
	case errors.As(err, &unreadable):
		return outcomeUnreadable
	}
	return outcomeFailed
}
