package publish_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// A fakeAPI answers from memory; while hanging it answers nothing.
type fakeAPI struct {
	mu      sync.Mutex
	hanging bool
	down    bool
	broke   bool              // no budget
	takes   time.Duration     // to answer
	answers map[string]string // by id; absent = 404
	slow    map[string]bool   // ids that it does not answer
	asked   map[string]int    // identities, by id
	read    map[string]int    // contents, by id
}

func newFakeAPI(answers map[string]string) *fakeAPI {
	return &fakeAPI{answers: answers, slow: map[string]bool{}, asked: map[string]int{}, read: map[string]int{}}
}

func (f *fakeAPI) enrich(d *publish.Deps) { d.API = f }

func (f *fakeAPI) Content(ctx context.Context, id string) (json.RawMessage, error) {
	return f.answer(ctx, id, f.read)
}

func (f *fakeAPI) Identity(ctx context.Context, id string) (json.RawMessage, error) {
	return f.answer(ctx, id, f.asked)
}

func (f *fakeAPI) answer(ctx context.Context, id string, calls map[string]int) (json.RawMessage, error) {
	f.mu.Lock()
	calls[id]++
	answer, known := f.answers[id]
	hanging, down, broke, takes := f.hanging || f.slow[id], f.down, f.broke, f.takes
	f.mu.Unlock()
	time.Sleep(takes)
	switch {
	case hanging:
		<-ctx.Done()
		return nil, &ringcentral.Error{Op: "get", Err: context.Cause(ctx)}
	case down:
		return nil, &ringcentral.Error{Op: "get", Status: 503}
	case broke:
		return nil, &ringcentral.Error{Op: "get", Outcome: ringcentral.NotSent, Err: ringcentral.ErrNoBudget}
	case !known:
		return nil, &ringcentral.Error{Op: "get", Status: 404, Outcome: ringcentral.Refused}
	}
	return json.RawMessage(answer), nil
}

func (f *fakeAPI) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// calls counts the identities that were asked for.
func (f *fakeAPI) calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, asked := range f.asked {
		n += asked
	}
	return n
}

// all counts all calls.
func (f *fakeAPI) all() int {
	n := f.calls()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, read := range f.read {
		n += read
	}
	return n
}

const ada = `{"id":"ada","display_name":"Ada","updated_at":"2026-01-01T00:00:00Z"}`

// by returns a content by an author.
func by(author, content string, metadata ...string) schemas.Arrival {
	more := strings.Join(append([]string{""}, metadata...), ",")
	return webhook(fmt.Sprintf(`{"type":"content.imported","id":"e-%s","issued_at":"2026-03-01T11:59:59.5Z","resource":{"type":"a/b","id":%q,"metadata":{"thread_id":"t-%s","author_id":%q%s}}}`,
		content, content, content, author, more))
}

// event returns the event of a content.
func (b *bench) event(content string) *schemas.ContentEvent {
	b.Helper()
	for _, event := range b.contents() {
		if event.Content.ID == content {
			return event
		}
	}
	require.FailNow(b, "no event", content)
	return nil
}

// identities returns the names on the topic identities.
func (b *bench) identities() (names []string) {
	b.Helper()
	for _, r := range b.committed(b.names.Identities) {
		var identity schemas.Identity
		require.NoError(b, b.codec.Decode(b.Context(), r.Value, &identity))
		require.Equal(b, identity.ID, string(r.Key))
		names = append(names, *identity.DisplayName)
	}
	return names
}

func TestWhatTheWebhookLeavesOutIsAdded(t *testing.T) {
	onBench(t, func(b *bench) {
		api := newFakeAPI(map[string]string{
			"ada": ada,
			"c1":  `{"id":"c1","thread_id":"t-c1","author_id":"ada","body":"later words","status":"replied","created_at":"2026-01-02T00:00:00Z","updated_at":"2026-01-03T00:00:00Z","attachments":[{"id":"a1","filename":"f.pdf"}]}`,
		})
		defer b.start(api.enrich)()
		b.arrive(by("ada", "c1", `"body":"words"`, `"status":"new"`, `"has_attachment":true`))
		b.settle()
		event := b.event("c1")
		require.Equal(b, "Ada", *event.Author.DisplayName)
		require.Equal(b, "acme", event.Author.Account)
		require.Equal(b, "f.pdf", *event.Content.Attachments[0].Filename)
		require.Equal(b, "2026-01-02", event.Content.CreatedAt.Format(time.DateOnly))
		require.Equal(b, "later words", event.Content.Body, "the answer is newer than the webhook")
		require.Equal(b, "replied", *event.Content.Status)
		require.Equal(b, []string{"Ada"}, b.identities())
		b.arrive(row("content", api.answers["c1"]), by("ada", "c1", `"body":"words"`, `"status":"new"`, `"has_attachment":true`))
		b.settle()
		once(b, 1)
	})
}

// TestFilesThatComeLateFollow: whatever became of the GET, a row that shows the file makes one update.
func TestFilesThatComeLateFollow(t *testing.T) {
	const before = `{"id":"c1","thread_id":"t-c1","body":"hello","status":"new","attachments":[],"created_at":"2026-03-01T11:59:59Z","updated_at":"2026-03-01T11:59:59Z"}`
	after := strings.NewReplacer(`[]`, `[{"id":"f1","filename":"photo.png","size":5}]`, `"updated_at":"2026-03-01T11:59:59Z"`, `"updated_at":"2026-03-01T12:00:05Z"`).Replace(before)
	for fact, set := range map[string]func(*fakeAPI){
		"the API fails":                     func(f *fakeAPI) { f.down = true },
		"the API does not know the content": func(*fakeAPI) {},
		"the answer comes late":             func(f *fakeAPI) { f.answers["c1"], f.takes = before, 3500*time.Millisecond },
		"the file is not yet linked":        func(f *fakeAPI) { f.answers["c1"] = before },
		"there is no budget":                func(f *fakeAPI) { f.broke = true },
	} {
		t.Run(fact, func(t *testing.T) {
			onBench(t, func(b *bench) {
				api := newFakeAPI(map[string]string{})
				set(api)
				defer b.start(api.enrich)()
				b.arrive(webhook(`{"type":"content.imported","id":"e1","issued_at":"2026-03-01T11:59:59.5Z","resource":{"type":"a/b","id":"c1","metadata":{"thread_id":"t-c1","body":"hello","status":"new","has_attachment":true}}}`))
				b.settle()
				time.Sleep(5 * time.Second)
				b.arrive(row("content", after))
				b.settle()
				events := b.contents()
				require.Equal(b, "content.imported", events[0].EventType)
				require.Empty(b, events[0].Content.Attachments)
				newest := events[len(events)-1]
				require.Equal(b, "content.updated", newest.EventType)
				require.Equal(b, "photo.png", *newest.Content.Attachments[0].Filename)
				once(b, len(events))
				require.LessOrEqual(b, len(events), 3, "one for a late answer, one for the row")
			})
		})
	}
}

// TestAnAnswerAboutAnotherResourceIsNone: it would show one customer's words as another's.
func TestAnAnswerAboutAnotherResourceIsNone(t *testing.T) {
	onBench(t, func(b *bench) {
		api := newFakeAPI(map[string]string{
			"ada": `{"id":"stranger","display_name":"Stranger"}`,
			"c1":  `{"id":"victim","thread_id":"t-c1","author_id":"ada","body":"private"}`,
		})
		defer b.start(api.enrich)()
		b.arrive(by("ada", "c1", `"body":"words"`))
		b.settle()
		require.Equal(b, "words", b.event("c1").Content.Body)
		require.Nil(b, b.event("c1").Author)
		require.Empty(b, b.identities())
		once(b, 1)
	})
}

func TestAnAuthorIsAskedForOnce(t *testing.T) {
	onBench(t, func(b *bench) {
		api := newFakeAPI(map[string]string{"ada": ada})
		defer b.start(api.enrich)()
		for i := range 40 {
			b.arrive(by("ada", fmt.Sprint("c", i)), by("nobody", fmt.Sprint("d", i)))
		}
		b.settle()
		require.Equal(b, 2, api.calls())
		require.Equal(b, "Ada", *b.event("c39").Author.DisplayName)
		require.Nil(b, b.event("d39").Author, "there is no such identity")
		require.Equal(b, []string{"Ada"}, b.identities())

		time.Sleep(11 * time.Minute)
		b.arrive(by("ada", "later"))
		b.settle()
		require.Equal(b, 3, api.calls(), "asked again after a while")
		require.Equal(b, []string{"Ada"}, b.identities(), "an unchanged identity is no news")

		time.Sleep(11 * time.Minute)
		api.set(func() {
			api.answers["ada"] = `{"id":"ada","display_name":"Countess","updated_at":"2026-02-01T00:00:00Z"}`
		})
		b.arrive(by("ada", "latest"))
		b.settle()
		require.Equal(b, "Countess", *b.event("latest").Author.DisplayName)
		require.Equal(b, []string{"Ada", "Countess"}, b.identities())
	})
}

func TestARepetitionIsNotEnriched(t *testing.T) {
	onBench(t, func(b *bench) {
		api := newFakeAPI(nil)
		defer b.start(api.enrich)()
		b.arrive(by("nobody", "c1", `"has_attachment":true`))
		b.settle()
		asked := api.calls()
		b.arrive(by("nobody", "c1", `"has_attachment":true`))
		b.settle()
		require.Equal(b, asked, api.calls())
	})
}

func TestAStaleIdentityDoesNotReplaceANewerOne(t *testing.T) {
	onBench(t, func(b *bench) {
		api := newFakeAPI(map[string]string{"ada": ada})
		defer b.start(api.enrich)()
		b.arrive(row("identity", `{"id":"ada","display_name":"Countess","updated_at":"2026-02-01T00:00:00Z"}`))
		b.settle()
		b.arrive(by("ada", "c1"))
		b.settle()
		require.Equal(b, []string{"Countess"}, b.identities())
	})
}

func TestAnIdentityMetInAFailedTransactionIsNotLost(t *testing.T) {
	onBench(t, func(b *bench) {
		api := newFakeAPI(map[string]string{"ada": ada})
		refused := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.UnknownServerError})
		defer b.start(api.enrich)()
		b.arrive(by("ada", "c1"))
		b.settle()
		require.Equal(b, 1, refused.Hits())
		require.Equal(b, []string{"Ada"}, b.identities())
		require.Equal(b, 1, api.calls())
	})
}

func TestADeadAPICostsOneBound(t *testing.T) {
	for fact, fail := range map[string]func(*fakeAPI) *bool{
		"it hangs":   func(f *fakeAPI) *bool { return &f.hanging },
		"it refuses": func(f *fakeAPI) *bool { return &f.down },
	} {
		t.Run(fact, func(t *testing.T) {
			onBench(t, func(b *bench) {
				api := newFakeAPI(map[string]string{"ada": ada})
				broken := fail(api)
				*broken = true
				defer b.start(api.enrich)()
				b.arrive(webhook(`{"type":"warm.up","resource":{"id":"1"}}`))
				b.caughtUp()
				took := func(content string) time.Duration {
					begun := time.Now()
					var batch []schemas.Arrival
					for i := range 10 { // ten authors, so that each is asked for
						batch = append(batch, by(fmt.Sprint("author-", content, i), fmt.Sprint(content, i)))
					}
					b.arrive(batch...)
					b.caughtUp()
					return time.Since(begun)
				}
				require.LessOrEqual(b, took("c"), 2200*time.Millisecond, "the bound")
				require.Nil(b, b.event("c0").Author)
				asked := api.calls()
				require.Less(b, took("d"), 200*time.Millisecond, "it is left alone")
				require.Equal(b, asked, api.calls())

				api.set(func() { *broken = false })
				time.Sleep(2 * time.Minute)
				b.arrive(by("ada", "e"))
				b.caughtUp()
				require.Equal(b, "Ada", *b.event("e").Author.DisplayName, "after a rest it is asked again")
			})
		})
	}
}

func TestAnAuthorThatCannotBeAskedForAgainIsBetterThanNone(t *testing.T) {
	onBench(t, func(b *bench) {
		api := newFakeAPI(map[string]string{"ada": ada})
		defer b.start(api.enrich)()
		b.arrive(by("ada", "c1"))
		b.settle()
		time.Sleep(11 * time.Minute)
		api.set(func() { api.down = true })
		b.arrive(by("ada", "c2"))
		b.settle()
		require.Equal(b, "Ada", *b.event("c2").Author.DisplayName)
		require.Equal(b, []string{"Ada"}, b.identities())
	})
}

func TestWithoutBudgetEventsGoAtOnceAndAuthorsAreAskedForSoon(t *testing.T) {
	onBench(t, func(b *bench) {
		api := newFakeAPI(map[string]string{"ada": ada})
		api.broke = true
		defer b.start(api.enrich)()
		for i := range 20 {
			b.arrive(by("ada", fmt.Sprint("c", i)))
		}
		b.settle()
		require.Nil(b, b.event("c19").Author)
		api.set(func() { api.broke = false })
		b.arrive(by("ada", "d"))
		b.settle()
		require.Equal(b, "Ada", *b.event("d").Author.DisplayName)
	})
}

func TestWhileRestingTheRestGrows(t *testing.T) {
	onBench(t, func(b *bench) {
		api := newFakeAPI(nil)
		api.down = true
		defer b.start(api.enrich)()
		var tries []time.Duration
		begun, before := time.Now(), 0
		for i := 0; len(tries) < 6; i++ { // an event each second
			b.arrive(by(fmt.Sprint("a", i), fmt.Sprint("c", i)))
			b.caughtUp()
			if now := api.all(); now > before {
				if before >= 5 {
					tries = append(tries, time.Since(begun).Round(5*time.Second))
				}
				before, begun = now, time.Now()
			}
			time.Sleep(time.Second)
		}
		require.Equal(b, []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute}, tries)
	})
}

func TestEachAPICompletesItsOwnContents(t *testing.T) {
	onBench(t, func(b *bench) {
		engage := newFakeAPI(map[string]string{"ada": ada})
		platform := newFakeAPI(map[string]string{"ada": `{"id":"ada","displayName":"Ada of the platform","lastModifiedTime":"2026-01-01T00:00:00Z"}`})
		defer b.start(engage.enrich, func(d *publish.Deps) { d.Social = platform })()
		b.arrive(by("ada", "c1"), social("content", `{"id":"c2","authorIdentityId":"ada","body":"hi"}`))
		b.settle()
		require.Equal(b, "Ada", *b.event("c1").Author.DisplayName)
		require.Equal(b, "Ada of the platform", *b.event("c2").Author.DisplayName)
		require.Equal(b, schemas.ApiSocial, b.event("c2").Author.API)
		require.ElementsMatch(b, []string{"Ada", "Ada of the platform"}, b.identities())

		platform.set(func() { platform.hanging = true })
		for i := range 40 {
			b.arrive(social("content", fmt.Sprintf(`{"id":"s%d","authorIdentityId":"bob%d","body":"hi"}`, i, i)), by("ada", fmt.Sprint("e", i)))
		}
		b.settle()
		require.Equal(b, "Ada", *b.event("e39").Author.DisplayName)
		require.Nil(b, b.event("s39").Author)
	})
}

func TestWithoutAnAPIOfItsOwnAContentGoesOutAsItCame(t *testing.T) {
	onBench(t, func(b *bench) {
		engage := newFakeAPI(map[string]string{"ada": ada})
		defer b.start(engage.enrich)()
		b.arrive(social("content", `{"id":"c2","authorIdentityId":"ada","body":"hi"}`))
		b.settle()
		require.Nil(b, b.event("c2").Author)
		require.Zero(b, engage.calls(), "the other API knows other ids")
	})
}
