package publish

import (
	"container/list"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// An authorKey identifies an identity of an account's API.
type authorKey struct {
	account string
	api     schemas.Api
	id      string
}

func authorKeyOf(u *unit) authorKey {
	return authorKey{account: u.arrival.Account, api: u.arrival.API, id: deref(u.content().content.content.AuthorID)}
}

// An author is what is known of a content's author.
type author struct {
	key      authorKey
	identity *schemas.Identity // nil = there is none, or it could not be fetched
	body     []byte            // as fetched, until it is in the inbox; nil after that
	told     uint64            // fingerprint of the body that is in the inbox; 0 = none is
	until    time.Time         // when it must be asked for again
}

// tell marks the identity as being in the inbox.
func (a *author) tell() { a.told, a.body = fingerprint(string(a.body)), nil }

// authors remembers identities for a while, the least recently used first to be
// forgotten. Not safe for concurrent use.
type authors struct {
	limit int
	byKey map[authorKey]*list.Element
	order *list.List // of *author, most recently used first
}

func newAuthors(limit int) *authors {
	return &authors{limit: limit, byKey: map[authorKey]*list.Element{}, order: list.New()}
}

// get returns what is known; nil when that is nothing or too old.
func (a *authors) get(key authorKey) *author {
	known := a.last(key)
	if known == nil || time.Now().After(known.until) {
		return nil
	}
	return known
}

// last returns what was known last, however old; nil when that is nothing.
func (a *authors) last(key authorKey) *author {
	element := a.byKey[key]
	if element == nil {
		return nil
	}
	a.order.MoveToFront(element)
	return element.Value.(*author)
}

// put remembers an answer, for as long as its outcome deserves. A failure does
// not replace what was known.
func (a *authors) put(answer *author, outcome string) {
	answer.until = time.Now().Add(failureFor)
	answered := outcome == outcomeFetched || outcome == outcomeAbsent
	if answered {
		answer.until = time.Now().Add(authorFor)
	}
	if old := a.byKey[answer.key]; old != nil {
		answer.inherit(old.Value.(*author), answered)
		a.order.Remove(old)
	}
	a.byKey[answer.key] = a.order.PushFront(answer)
	for a.order.Len() > a.limit {
		oldest := a.order.Back()
		delete(a.byKey, oldest.Value.(*author).key)
		a.order.Remove(oldest)
	}
}

// inherit takes over what still holds of an older answer.
func (a *author) inherit(old *author, answered bool) {
	a.told = old.told
	switch {
	case !answered:
		a.identity, a.body = old.identity, old.body
	case a.body != nil && fingerprint(string(a.body)) == old.told:
		a.body = nil // the inbox holds it
	}
}
