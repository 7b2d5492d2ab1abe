package poll_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// fakeRow is a content or an identity.
type fakeRow struct {
	id, thread string
	at         time.Time // created_at of a content, updated_at of an identity
	text       string
}

// fakeSource is an account of the API: two lists that change while they are read.
type fakeSource struct {
	mu         sync.Mutex
	contents   []fakeRow
	identities []fakeRow
	ids        int

	ascending  bool                                                // of identities
	unsortable int                                                 // status with which their order is refused; 0 = it is not
	skew       time.Duration                                       // of the API's clock, as ids tell it
	noCount    bool                                                // the envelope does not tell
	count      func(total, offset, rows int) int                   // what it says instead; nil = the total
	clamp      int                                                 // rows that a page has at most; 0 = 150
	refuse     func(list string, offset, limit int) error          // pages that it does not give; nil = none
	clock      func() time.Time                                    // the API's; nil = it has none
	calls      []string                                            // what was asked for, and when
	before     func(ctx context.Context, list string, n int) error // each call, counted by list
	counts     map[string]int
}

// newID returns an id that was made at t.
func (f *fakeSource) newID(t time.Time) string {
	f.ids++
	return fmt.Sprintf("%08x%016x", t.Unix(), f.ids)
}

// hook sets what happens before each call; nil = nothing.
func (f *fakeSource) hook(before func(ctx context.Context, list string, n int) error) {
	f.change(func() { f.before = before })
}

// change alters the account while it may be in use.
func (f *fakeSource) change(what func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what()
}

// all returns the contents.
func (f *fakeSource) all() []fakeRow {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.contents)
}

// arrive adds n contents of one date, imported now, and returns their ids.
func (f *fakeSource) arrive(n int, at time.Time) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ids []string
	for range n {
		id := f.newID(time.Now().Add(f.skew))
		f.contents = append(f.contents, fakeRow{id: id, thread: fmt.Sprint("t", f.ids%7), at: at.UTC().Truncate(time.Second)})
		ids = append(ids, id)
	}
	return ids
}

// stream adds n contents, the newest at the given time, a step between two.
func (f *fakeSource) stream(n int, newest time.Time, step time.Duration) []string {
	var ids []string
	for i := range n {
		ids = append(ids, f.arrive(1, newest.Add(-time.Duration(n-1-i)*step))...)
	}
	return ids
}

// remove deletes the newest n contents.
func (f *fakeSource) remove(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sort(f.contents)
	f.contents = f.contents[n:]
}

func (f *fakeSource) sort(rows []fakeRow) {
	slices.SortStableFunc(rows, func(a, b fakeRow) int { return b.at.Compare(a.at) })
}

func (f *fakeSource) Contents(ctx context.Context, q ringcentral.ContentsQuery) (ringcentral.Page, error) {
	if q.Order == ringcentral.OrderAsc || q.Q != "" {
		return ringcentral.Page{}, fmt.Errorf("order %q", q.Order)
	}
	return f.page(ctx, "contents", &f.contents, q.Offset, q.Limit, false)
}

func (f *fakeSource) Identities(ctx context.Context, q ringcentral.IdentitiesQuery) (ringcentral.Page, error) {
	if q.Sort != "" && f.unsortable != 0 {
		return ringcentral.Page{}, &ringcentral.Error{Op: "list_identities", Status: f.unsortable, Outcome: ringcentral.Refused}
	}
	return f.page(ctx, "identities", &f.identities, q.Offset, q.Limit, f.ascending)
}

func (f *fakeSource) page(ctx context.Context, list string, rows *[]fakeRow, offset, limit int, ascending bool) (ringcentral.Page, error) {
	f.mu.Lock()
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	f.counts[list]++
	n, before := f.counts[list], f.before
	f.calls = append(f.calls, fmt.Sprintf("%s %s", time.Now().Format(time.TimeOnly), list))
	f.mu.Unlock()
	if before != nil {
		if err := before(ctx, list, n); err != nil {
			return ringcentral.Page{}, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		if err := f.refuse(list, offset, limit); err != nil {
			return ringcentral.Page{}, err
		}
	}
	if f.clamp > 0 {
		limit = min(limit, f.clamp)
	}
	f.sort(*rows)
	sorted := slices.Clone(*rows)
	if ascending {
		slices.Reverse(sorted)
	}
	p := ringcentral.Page{Count: len(sorted), Offset: offset, Limit: limit, Records: []json.RawMessage{}}
	if f.noCount {
		p.Count = 0
	}
	for _, r := range sorted[min(offset, len(sorted)):min(offset+min(limit, 150), len(sorted))] {
		p.Records = append(p.Records, r.json())
	}
	if f.count != nil {
		p.Count = f.count(len(sorted), offset, len(p.Records))
	}
	return p, nil
}

// Now implements the clock of an API.
func (f *fakeSource) Now(context.Context) (time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.clock == nil {
		return time.Time{}, errors.New("no clock")
	}
	return f.clock(), nil
}

func (f *fakeSource) called(list string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[list]
}

func (r fakeRow) json() json.RawMessage {
	if r.id == "null" {
		return json.RawMessage("null")
	}
	at := r.at.UTC().Format(time.RFC3339)
	return json.RawMessage(fmt.Sprintf(`{"id":%q,"thread_id":%q,"created_at":%q,"updated_at":%q,"body":%q}`, r.id, r.thread, at, at, r.text))
}

// fakeInbox keeps items in memory.
type fakeInbox struct {
	mu     sync.Mutex
	items  []ingest.Item
	before func(ctx context.Context, items []ingest.Item) error
}

func (f *fakeInbox) Accept(ctx context.Context, items ...ingest.Item) error {
	f.mu.Lock()
	before := f.before
	f.mu.Unlock()
	if before != nil {
		if err := before(ctx, items); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items = append(f.items, items...)
	return nil
}

// hook sets what happens before items are taken in; nil = nothing.
func (f *fakeInbox) hook(before func(ctx context.Context, items []ingest.Item) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = before
}

// all returns the items.
func (f *fakeInbox) all() []ingest.Item {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.items)
}

// ids returns the ids taken in, in order, of one kind.
func (f *fakeInbox) ids(kind string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ids []string
	for _, item := range f.items {
		if item.Arrival.Kind == kind && item.Arrival.ResourceID != nil {
			ids = append(ids, *item.Arrival.ResourceID)
		}
	}
	return ids
}

// fakeHealth is a board.
type fakeHealth struct {
	mu      sync.Mutex
	reasons map[string]string
}

func (f *fakeHealth) Set(component, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reasons == nil {
		f.reasons = map[string]string{}
	}
	f.reasons[component] = reason
}

func (f *fakeHealth) Clear(component string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.reasons, component)
}

func (f *fakeHealth) all() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprint(f.reasons)
}
