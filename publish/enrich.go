package publish

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// An API reads what a webhook leaves out. Both methods block until the answer,
// or return soon after ctx ends; an answer other than the resource is a
// *ringcentral.Error. Safe for concurrent use.
type API interface {
	Content(ctx context.Context, id string) (json.RawMessage, error)
	Identity(ctx context.Context, id string) (json.RawMessage, error)
}

// A question is what can be asked of an API.
type question struct {
	what string // enrichAuthor or enrichContent
	resourceKey
}

// A completion is what a GET of a content answered.
type completion struct {
	body []byte
	at   time.Time // when the request began: the answer is at least as new
}

// An enricher fetches what contents lack: the author, and of a webhook's content
// the fields that the webhook leaves out. Records wait for its calls for the
// bound at most (see arrived); what is answered later follows (see wish).
// Safe for concurrent use.
type enricher struct {
	bound   time.Duration // how long an event waits; 0 = not at all
	wake    func()        // called when a call is over or there is something for the inbox
	log     *slog.Logger
	metrics *metrics
	wait    sync.WaitGroup // for calls under way

	mu       sync.Mutex
	sources  map[schemas.Api]*source // not changed
	authors  *authors
	underWay map[question]*call // those that records wait for
	outgoing []*follower        // for the inbox, in the order in which they were made
}

// A call asks the API one question for records that are held. Its fields are the
// enricher's to guard.
type call struct {
	question
	priority priority
	cause    *arrived  // the first record that needs it
	deadline time.Time // when that record goes out
	waiters  int       // records that are held for it

	over       bool
	outcome    string
	completion *completion // of a content that was fetched
}

// lacks returns the content of a unit that can be completed, and the questions
// that would complete it, the author's first. The caller holds mu.
func (e *enricher) lacks(u *unit) (needs []question) {
	f, ok := u.finding.(*contentFinding)
	if !ok || e.sources[u.arrival.API] == nil {
		return nil
	}
	if key, ok := authorKeyOf(u); ok && e.authors.get(key) == nil {
		needs = append(needs, question{enrichAuthor, key})
	}
	if u.arrival.Origin == schemas.OriginWebhook {
		needs = append(needs, question{enrichContent, resourceKey{u.arrival.Account, u.arrival.API, f.content.ID}})
	}
	return needs
}

// authorKeyOf returns the key of a content's author; false where it names none.
func authorKeyOf(u *unit) (resourceKey, bool) {
	f, ok := u.finding.(*contentFinding)
	if !ok || f.content.AuthorID == nil {
		return resourceKey{}, false
	}
	return resourceKey{account: u.arrival.Account, api: u.arrival.API, id: *f.content.AuthorID}, true
}

// incomplete reports whether it is worth asking for something that the unit's
// content lacks.
func (e *enricher) incomplete(u *unit) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.lacks(u)) > 0
}

// ask starts the calls for what the content of a record lacks, and returns those
// that the record is to wait for. Records that need the same answer share a
// call. While the API rests there are none.
func (e *enricher) ask(ctx context.Context, u *unit, a *arrived) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.sources[u.arrival.API]
	for _, q := range e.lacks(u) {
		c := e.underWay[q]
		switch {
		case c != nil:
		case !s.breaker.allow():
			e.metrics.enriched(q.what, outcomeSkipped)
			continue
		default:
			c = &call{question: q, priority: priorityOf(q.what, u.arrival.Origin), cause: a, deadline: a.due}
			e.underWay[q] = c
			e.start(ctx, s, c)
		}
		c.waiters++
		a.calls = append(a.calls, c)
	}
}

// waits reports whether a record has a reason to wait for its calls: one of them
// is under way, and the API answers.
func (e *enricher) waits(a *arrived) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range a.calls {
		if !c.over && !e.sources[c.api].breaker.open() {
			return true
		}
	}
	return false
}

// leave notes that a record waits for its calls no more. A call for which none
// waits is not made, unless it has begun.
func (e *enricher) leave(a *arrived) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range a.calls {
		c.waiters--
	}
	a.calls = nil
}

// fill gives a unit what is known for its content by now: an author that could
// not be asked for again is better than none.
func (e *enricher) fill(u *unit) {
	key, ok := authorKeyOf(u)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sources[u.arrival.API] == nil {
		return
	}
	if ok {
		if known := e.authors.last(key); known != nil {
			u.author = known.identity
		}
	}
	for _, c := range u.arrived.calls {
		if c.what == enrichContent && c.over {
			u.completion = c.completion
		}
	}
}

// wishes returns what is to follow the content event of a unit that has been
// filled and weighed: what it lacks and the API may have.
func (e *enricher) wishes(u *unit) (wishes []question) {
	event := u.content()
	if event == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sources[u.arrival.API] == nil {
		return nil
	}
	out := event.value.(*schemas.ContentEvent)
	if id := out.Content.AuthorID; id != nil {
		key := resourceKey{u.arrival.Account, u.arrival.API, *id}
		known := e.authors.get(key)
		switch {
		case out.Author == nil && (known == nil || !known.absent):
			wishes = append(wishes, question{enrichAuthor, key})
		case known != nil && out.Author != nil && !asked(u.arrived, enrichAuthor):
			e.metrics.enriched(enrichAuthor, outcomeCached)
		}
	}
	if u.arrival.Origin == schemas.OriginWebhook && u.completion == nil && !settled(u.arrived) {
		wishes = append(wishes, question{enrichContent, resourceKey{u.arrival.Account, u.arrival.API, event.subject}})
	}
	return wishes
}

// asked reports whether a record had a call of that kind.
func asked(a *arrived, what string) bool {
	for _, c := range a.calls {
		if c.what == what {
			return true
		}
	}
	return false
}

// settled reports whether the API has answered that the record's content cannot
// be had.
func settled(a *arrived) bool {
	for _, c := range a.calls {
		if c.what == enrichContent && (c.outcome == outcomeAbsent || c.outcome == outcomeUnreadable) {
			return true
		}
	}
	return false
}

// warm makes identities known that the bridge has published before.
func (e *enricher) warm(identities map[string]*schemas.Identity) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, identity := range identities {
		e.authors.warm(identity)
	}
}
