package publish

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

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
	sources map[schemas.Api]*source
	bound   time.Duration
	authors *authors
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
		if u.content() != nil && e.sources[u.arrival.API] != nil {
			contents = append(contents, u)
		}
	}
	if len(contents) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.bound)
	defer cancel()
	e.run(ctx, e.calls(contents))
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
		c := &u.content().content.content
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
		if u.content().content.hasAttachment && len(c.Attachments) == 0 {
			calls = append(calls, &call{what: enrichAttachments, unit: u})
		}
	}
	return calls
}

// make asks one question. What it changes, no other call touches.
func (e *enricher) make(ctx context.Context, api API, c *call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a := &c.unit.arrival
	priority := ringcentral.Enrich
	if a.Origin == schemas.OriginBackfill {
		priority = ringcentral.Backfill // history must not use up what live events need
	}
	ctx = trace.ContextWithSpan(ringcentral.WithPriority(ctx, priority), trace.SpanFromContext(c.unit.record.Context))
	if c.what == enrichAuthor {
		body, err := api.Identity(ctx, c.author.key.id)
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
	body, err := api.Content(ctx, c.unit.content().subject)
	if err != nil {
		return err
	}
	o := readObject(body, a.API)
	files, created, updated := o.files("attachments"), o.instant("created_at"), o.instant("updated_at")
	if err := o.fault(); err != nil {
		return err
	}
	// What the event says itself stays: the API tells a later state.
	content := &c.unit.content().value.(*schemas.ContentEvent).Content
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
		c := u.content().value.(*schemas.ContentEvent)
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
