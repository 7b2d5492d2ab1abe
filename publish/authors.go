package publish

import (
	"container/list"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

const (
	// authorFor is how long an author is taken from the cache. A changed name is
	// seen on the topic identities at once, beside a content after this time.
	authorFor = 10 * time.Minute
	// failureFor is how long an author that could not be fetched is not asked
	// for again.
	failureFor = 30 * time.Second
	// authorsKept bounds the cache: about a kilobyte each.
	authorsKept = 20_000
)

// A resourceKey identifies a content or an identity of an account's API.
type resourceKey struct {
	account string
	api     schemas.Api
	id      string
}

// An author is what is known of a content's author.
type author struct {
	key       resourceKey
	identity  *schemas.Identity // nil = there is none, or it could not be fetched
	absent    bool              // the API knows no such identity
	published uint64            // fingerprint of the body that went to the inbox; 0 = none did
	until     time.Time         // when it must be asked for again
}

// authors is a cache of identities; the least recently used is the first to be
// forgotten. Not safe for concurrent use.
type authors struct {
	limit int
	byKey map[resourceKey]*list.Element
	order *list.List // of *author, most recently used first
}

func newAuthors(limit int) *authors {
	return &authors{limit: limit, byKey: map[resourceKey]*list.Element{}, order: list.New()}
}

// get returns what is known; nil when that is nothing or too old.
func (a *authors) get(key resourceKey) *author {
	known := a.last(key)
	if known == nil || time.Now().After(known.until) {
		return nil
	}
	return known
}

// last returns what was known last, however old; nil when that is nothing.
func (a *authors) last(key resourceKey) *author {
	element := a.byKey[key]
	if element == nil {
		return nil
	}
	a.order.MoveToFront(element)
	return element.Value.(*author)
}

// put keeps an answer, for as long as its outcome deserves. A failure does not
// replace what was known.
func (a *authors) put(answer *author, outcome string) {
	answer.until = time.Now().Add(failureFor)
	answered := outcome == outcomeFetched || outcome == outcomeAbsent
	if answered {
		answer.until = time.Now().Add(authorFor)
		answer.absent = outcome == outcomeAbsent
	}
	if element := a.byKey[answer.key]; element != nil {
		old := element.Value.(*author)
		answer.published = old.published
		if !answered {
			answer.identity, answer.absent = old.identity, old.absent
		}
		a.order.Remove(element)
	}
	a.byKey[answer.key] = a.order.PushFront(answer)
	for a.order.Len() > a.limit {
		oldest := a.order.Back()
		delete(a.byKey, oldest.Value.(*author).key)
		a.order.Remove(oldest)
	}
}

// warm keeps an identity that the bridge has published before, unless something
// is known of it already or the cache is full.
func (a *authors) warm(identity *schemas.Identity) {
	key := resourceKey{account: identity.Account, api: identity.API, id: identity.ID}
	if a.byKey[key] == nil && a.order.Len() < a.limit {
		a.byKey[key] = a.order.PushBack(&author{key: key, identity: identity, until: time.Now().Add(authorFor)})
	}
}
