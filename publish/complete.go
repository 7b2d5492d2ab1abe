package publish

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sleep"
	"github.com/ringbridge/ringbridge/schemas"
)

// What an event went out without is a wish: the API is asked when the rate limit
// has room, however long that takes, and the answer goes to the inbox as a row.
// From there it is published like any other row. Wishes are kept in memory: one
// that is lost with the process is repaired by the next row of its content.

const (
	// completeCalls is how many calls for wishes of one priority an API has under
	// way or waiting for the rate limit.
	completeCalls = 4
	// wishesKept bounds the contents that wait for an answer, by API and priority.
	wishesKept = 10_000
	// outgoingKept bounds the answers that wait for a transaction.
	outgoingKept = 10_000
	// followersAtOnce bounds the answers that one transaction writes.
	followersAtOnce = 500
	// completeTimeout bounds one exchange, and completeWait one wait for the rate
	// limit, after which the wish goes to the end of the queue.
	completeTimeout = 30 * time.Second
	completeWait    = 10 * time.Minute
	// completeTries is how often a wish fails, while the API answers others, before
	// it is dropped.
	completeTries = 5
	// completePause lies between a call that failed and the next.
	completePause = time.Second
)

// A wish is a question whose answer is to follow events that went out without it.
type wish struct {
	question
	priority priority
	contents []wisher
	failed   int // calls, while the API answered others
}

// A wisher is a content that went out without the answer.
type wisher struct {
	id    string
	key   []byte // of its inbox record
	trace string
}

// A wishList holds the wishes of one priority, the oldest first.
type wishList struct {
	wishes   map[question]*wish
	order    []*wish // those that no call is under way for; some may be gone from wishes
	contents int     // in all wishes
	added    chan struct{}
}

func newWishLists() map[priority]*wishList {
	lists := map[priority]*wishList{}
	for _, p := range []priority{ringcentral.Enrich, ringcentral.Complete, ringcentral.Backfill} {
		lists[p] = &wishList{wishes: map[question]*wish{}, added: make(chan struct{}, completeCalls)}
	}
	return lists
}

// add notes that a content wishes for an answer; false where that was known.
func (l *wishList) add(q question, p priority, of wisher) bool {
	w := l.wishes[q]
	if w == nil {
		w = &wish{question: q, priority: p}
		l.wishes[q] = w
		l.put(w)
	}
	for _, other := range w.contents {
		if other.id == of.id {
			return false
		}
	}
	w.contents = append(w.contents, of)
	l.contents++
	return true
}

// put adds a wish to the end of the queue.
func (l *wishList) put(w *wish) {
	l.order = append(l.order, w)
	select {
	case l.added <- struct{}{}:
	default: // enough are woken
	}
}

// next takes the oldest wish that is still there; nil = there is none.
func (l *wishList) next() *wish {
	for len(l.order) > 0 {
		w := l.order[0]
		l.order = l.order[1:]
		if l.wishes[w.question] == w {
			return w
		}
	}
	return nil
}

// take removes a wish and returns it; nil = there is none.
func (l *wishList) take(q question) *wish {
	w := l.wishes[q]
	if w != nil {
		delete(l.wishes, q)
		l.contents -= len(w.contents)
	}
	return w
}

// fetchedHeader marks what was fetched by this stage: it may come into the inbox behind a row that
// was read later.
const fetchedHeader = "ringbridge.fetched"

// A follower is an arrival made of an answer, for the inbox.
type follower struct {
	arrival schemas.Arrival
	key     []byte
	trace   string
}

// rowOf returns an answer as an arrival.
func rowOf(q question, p priority, kind, resource string, got answer) schemas.Arrival {
	origin := schemas.OriginPoll
	if p == ringcentral.Backfill {
		origin = schemas.OriginBackfill
	}
	return schemas.Arrival{
		ArrivalID: uuid.NewString(), Origin: origin, API: q.api, Account: q.account, Kind: kind, ResourceID: &resource,
		ReceivedAt: got.began.UTC(), ContentType: "application/json", Body: got.body,
	}
}

// record returns the arrival as a record of the inbox.
func (f *follower) record(topic string, codec Codec) (*kgo.Record, error) {
	value, err := codec.Encode(&f.arrival)
	if err != nil {
		return nil, err
	}
	return &kgo.Record{Topic: topic, Key: f.key, Value: value, Headers: []kgo.RecordHeader{
		{Key: traceHeader, Value: []byte(f.trace)}, {Key: fetchedHeader, Value: []byte("true")},
	}}, nil
}

// follow puts an arrival to those that the next transactions write; false where
// they are too many. The caller holds mu.
func (e *enricher) follow(f *follower) bool {
	if len(e.outgoing) >= outgoingKept {
		return false
	}
	e.outgoing = append(e.outgoing, f)
	return true
}

// followers returns what a transaction is to write to the inbox.
func (e *enricher) followers() []*follower {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.outgoing[:min(len(e.outgoing), followersAtOnce)]
}

// followed notes that the first followers are in the inbox.
func (e *enricher) followed(n int) {
	if n == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.outgoing = e.outgoing[n:]
	if len(e.outgoing) > 0 {
		e.wake()
	}
}

// wish notes what an event that was published lacks.
func (e *enricher) wish(u *unit, q question) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := priorityOf(q.what, u.arrival.Origin)
	list := e.sources[q.api].wishes[p]
	if !list.add(q, p, wisher{id: u.content().subject, key: u.record.Key, trace: traceOf(u.record)}) {
		return
	}
	e.metrics.completed(q.what, completionQueued, 1)
	for list.contents > wishesKept {
		oldest := list.next()
		if oldest == nil {
			break // all are being asked for
		}
		e.drop(list, oldest)
	}
	e.metrics.wishes.Set(float64(e.wished()))
}

func (e *enricher) wished() (contents int) {
	for _, s := range e.sources {
		for _, list := range s.wishes {
			contents += list.contents
		}
	}
	return contents
}

// drop gives a wish up. The caller holds mu.
func (e *enricher) drop(list *wishList, w *wish) {
	list.take(w.question)
	e.metrics.completed(w.what, completionDropped, len(w.contents))
}

// grant puts the answer to a wish on its way to the inbox: the content itself, or
// its author for each content that lacks it. The caller holds mu.
func (e *enricher) grant(w *wish, got answer) {
	kind := kindContent
	if w.what == enrichAuthor {
		kind = kindAuthor
	}
	for _, of := range w.contents {
		result := completionDone
		if !e.follow(&follower{arrival: rowOf(w.question, w.priority, kind, of.id, got), key: of.key, trace: of.trace}) {
			result = completionDropped
		}
		e.metrics.completed(w.what, result, 1)
	}
	e.metrics.wishes.Set(float64(e.wished()))
}

// run asks for what is wished for until ctx is done. The limiter puts the calls
// of the priorities in order.
func (e *enricher) run(ctx context.Context) {
	for _, s := range e.sources {
		for _, list := range s.wishes {
			for range completeCalls {
				e.wait.Go(func() { e.complete(ctx, s, list) })
			}
		}
	}
}

// complete asks for the wishes of a list, one after the other.
func (e *enricher) complete(ctx context.Context, s *source, list *wishList) {
	for ctx.Err() == nil {
		e.mu.Lock()
		w := list.next()
		e.mu.Unlock()
		if w == nil {
			select {
			case <-ctx.Done():
			case <-list.added:
			}
			continue
		}
		if e.permit(ctx, s) && !e.answered(ctx, s, list, w) {
			_ = sleep.For(ctx, completePause)
		}
	}
}

// permit waits until the API may be asked; false when ctx is done first.
func (e *enricher) permit(ctx context.Context, s *source) bool {
	for ctx.Err() == nil {
		e.mu.Lock()
		allowed, left := s.breaker.allow(), time.Until(s.breaker.until)
		e.mu.Unlock()
		if allowed {
			return true
		}
		_ = sleep.For(ctx, max(left, completePause)) // the loop sees that ctx is done
	}
	return false
}

// answered makes the call for a wish, and reports whether the API answered it. A
// wish that is not answered goes to the end of the queue.
func (e *enricher) answered(ctx context.Context, s *source, list *wishList, w *wish) bool {
	within, cancel := context.WithTimeout(ringcentral.WithCallTimeout(ctx, completeTimeout), completeWait)
	defer cancel()
	got := fetch(within, s.api, w.question, w.priority)
	e.mu.Lock()
	defer e.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	e.metrics.enriched(w.what, got.outcome)
	e.judge(s, w.question, got)
	var trace string
	if len(w.contents) > 0 {
		trace = w.contents[0].trace
	}
	e.learn(w.question, w.priority, trace, got) // grants what is wished for an author
	there := list.wishes[w.question] == w
	switch {
	case !there: // granted, or answered by another call meanwhile
	case got.outcome == outcomeFetched:
		e.grant(list.take(w.question), got)
	case got.outcome == outcomeAbsent:
		list.take(w.question)
		e.metrics.completed(w.what, completionAbsent, len(w.contents))
	case got.outcome == outcomeUnreadable, e.exhausted(s, w, got):
		e.drop(list, w)
	default:
		list.put(w)
		return false
	}
	e.metrics.wishes.Set(float64(e.wished()))
	e.wake()
	return true
}

// exhausted counts a failure of a wish while the API answers others, and reports
// whether it was the last.
func (e *enricher) exhausted(s *source, w *wish, got answer) bool {
	if got.outcome != outcomeNoBudget && !s.breaker.open() {
		w.failed++
	}
	return w.failed >= completeTries
}
