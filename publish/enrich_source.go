package publish

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// enrichCalls is how many calls for held records an API has under way at once:
// enough to fill the bound, few enough not to look like an attack.
const enrichCalls = 16

// A source is an API with what is known of its health: one that is dead does not
// keep contents of the other from being completed. The enricher guards it.
type source struct {
	api      API
	breaker  breaker
	answered time.Time // when it answered last

	queue   []func() // calls that wait for a worker
	workers int
	wishes  map[priority]*wishList // not changed
}

// A priority is that of a call to the API.
type priority = ringcentral.Priority

// priorityOf returns the priority of a call: history must not use up what live
// events need.
func priorityOf(what string, origin schemas.Origin) priority {
	switch {
	case origin == schemas.OriginBackfill:
		return ringcentral.Backfill
	case what == enrichAuthor:
		return ringcentral.Enrich
	default:
		return ringcentral.Complete
	}
}

// sourcesOf returns the APIs that are there.
func sourcesOf(apis map[schemas.Api]API) map[schemas.Api]*source {
	sources := map[schemas.Api]*source{}
	for name, api := range apis {
		if api != nil {
			sources[name] = &source{api: api, wishes: newWishLists()}
		}
	}
	return sources
}

// start makes a call as soon as a worker of its source is free. The caller holds
// mu.
func (e *enricher) start(ctx context.Context, s *source, c *call) {
	s.queue = append(s.queue, func() { e.make(ctx, s, c) })
	if s.workers < enrichCalls {
		s.workers++
		e.wait.Go(func() { e.work(s) })
	}
}

// work makes calls until none is left.
func (e *enricher) work(s *source) {
	for {
		e.mu.Lock()
		if len(s.queue) == 0 {
			s.workers--
			e.mu.Unlock()
			return
		}
		next := s.queue[0]
		s.queue = s.queue[1:]
		e.mu.Unlock()
		next()
	}
}

// make makes one call for held records. It never waits for the rate limit.
func (e *enricher) make(ctx context.Context, s *source, c *call) {
	ctx = trace.ContextWithSpan(ringcentral.WithoutWaiting(ctx), trace.SpanFromContext(c.cause.record.Context))
	within, cancel := context.WithDeadline(ctx, c.deadline)
	defer cancel()
	e.mu.Lock()
	needed := c.waiters > 0 && within.Err() == nil
	e.mu.Unlock()
	got := answer{outcome: outcomeLate}
	if needed {
		got = fetch(within, s.api, c.question, c.priority)
	}
	e.mu.Lock()
	delete(e.underWay, c.question)
	c.over, c.outcome = true, got.outcome
	e.metrics.enriched(c.what, got.outcome)
	switch {
	case !needed, ctx.Err() != nil: // it says nothing of the API
		s.breaker.none()
	default:
		e.judge(s, c.question, got)
		if got.outcome == outcomeFetched && c.what == enrichContent {
			c.completion = &completion{body: got.body, at: got.began}
		}
		e.learn(c.question, c.priority, traceOf(c.cause.record), got)
	}
	e.mu.Unlock()
	e.wake()
}

// An answer is how a call ended.
type answer struct {
	outcome  string
	err      error
	began    time.Time // the answer is at least as new; one that comes late may be no newer
	body     json.RawMessage
	identity *schemas.Identity // of an author
}

// fetch asks an API a question.
func fetch(ctx context.Context, api API, q question, p priority) answer {
	ctx = ringcentral.WithPriority(ctx, p)
	got := answer{began: time.Now()}
	if q.what == enrichAuthor {
		if got.body, got.err = api.Identity(ctx, q.id); got.err == nil {
			var identity schemas.Identity
			identity, got.err = readIdentity(got.body, q.api, q.account)
			got.identity, got.err = &identity, cmp.Or(got.err, q.check(identity.ID))
		}
	} else if got.body, got.err = api.Content(ctx, q.id); got.err == nil {
		var content *contentFinding
		if content, got.err = parseContentBody(got.body, q.api, got.began); got.err == nil {
			got.err = q.check(content.content.ID)
		}
	}
	got.outcome = outcomeOf(got.err)
	return got
}

// check refuses the answer about another resource than was asked for: it would show one customer's
// words as another's.
func (q question) check(id string) error {
	if id != q.id {
		return &ParseError{Field: "id", Want: "the resource that was asked for"}
	}
	return nil
}

// judge weighs what the end of a call shows of its API. The caller holds mu.
func (e *enricher) judge(s *source, q question, got answer) {
	switch got.outcome {
	case outcomeFetched, outcomeAbsent:
		s.answered = time.Now()
		s.breaker.success()
		return
	case outcomeNoBudget: // costs no time, and says nothing of the API
		s.breaker.none()
		return
	}
	s.breaker.failure()
	if got.outcome == outcomeLate && s.answered.Before(got.began) {
		s.breaker.trip() // it answered nothing meanwhile
	}
	e.log.Debug("enrichment failed", "what", q.what, "resource_id", q.id, "outcome", got.outcome, "error", got.err)
}

// learn keeps the answer about an author, and what follows from an answer for the
// inbox. The caller holds mu.
func (e *enricher) learn(q question, p priority, trace string, got answer) {
	if q.what != enrichAuthor || got.outcome == outcomeNoBudget {
		return
	}
	known := &author{key: q.resourceKey}
	if got.outcome == outcomeFetched {
		known.identity = got.identity
	}
	e.authors.put(known, got.outcome)
	if got.outcome != outcomeFetched {
		return
	}
	// Its own partition decides whether the identity is news: an author who writes
	// in two conversations at once has one owner.
	if state := fingerprint(string(got.body)); state != known.published {
		known.published = state
		e.follow(&follower{
			arrival: rowOf(q, p, kindIdentity, q.id, got), key: []byte(q.id), trace: trace,
		})
	}
	for _, list := range e.sources[q.api].wishes {
		if w := list.take(q); w != nil {
			e.grant(w, got)
		}
	}
}

// outcomeOf returns how a call ended, by its error.
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
