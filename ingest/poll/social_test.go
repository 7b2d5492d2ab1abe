package poll_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// content imports contents without any notification and returns their ids.
func (b *platformBench) content(t *testing.T, in sandbox.SocialImport) []string {
	t.Helper()
	quiet := false
	in.Notify = &quiet
	got, err := b.account.ImportContents(in)
	require.NoError(t, err)
	var ids []string
	for _, c := range got {
		ids = append(ids, c.ID)
	}
	return ids
}

func (b *platformBench) edit(t *testing.T, id, body string) {
	t.Helper()
	_, err := b.account.EditContent(id, sandbox.SocialEdit{Body: &body})
	require.NoError(t, err)
}

// bodies returns how often the inbox has each content with a text in it.
func (b *platformBench) bodies(id, text string) (n int) {
	for _, item := range b.items(id) {
		if strings.Contains(string(item.Arrival.Body), text) {
			n++
		}
	}
	return n
}

func TestSocialRowsReachTheInbox(t *testing.T) {
	for name, cfg := range map[string]sandbox.PlatformConfig{
		"as named today": {RetryAfter: sandbox.RetryAfterOff},
		"as named before 2024, lists lag behind, tokens live a minute, the budget is meagre": {
			OldNames: true, CapitalFormats: true, IndexLag: 5 * time.Minute, TokenLife: time.Minute,
			Limits: map[sandbox.RateGroup]int{sandbox.GroupLight: 12},
		},
	} {
		t.Run(name, func(t *testing.T) {
			platformBubble(t, cfg, func(t *testing.T, b *platformBench) {
				b.begin(t)
				time.Sleep(settle)
				ids := b.content(t, sandbox.SocialImport{Count: 120})
				ids = append(ids, b.content(t, sandbox.SocialImport{Count: 70, CreatedAt: time.Now().Add(-2000 * time.Hour)})...)
				for range 20 {
					ids = append(ids, b.content(t, sandbox.SocialImport{ThreadID: "a thread"})...)
					time.Sleep(20 * time.Second)
				}
				time.Sleep(6 * time.Minute)
				b.edit(t, ids[3], "edited")
				time.Sleep(10 * time.Minute)
				require.Subset(t, b.inbox.ids("content"), ids)
				require.Equal(t, 1, b.bodies(ids[3], "edited"))
				require.NotEmpty(t, b.inbox.ids("identity"))
				last := b.items(ids[len(ids)-1])[0]
				require.Equal(t, "a thread", last.Key)
				require.Equal(t, schemas.ApiSocial, last.Arrival.API)
				require.InDelta(t, 0, b.metric(t, "sweeps_total", "social/contents", "schedule"), 0)
			})
		})
	}
}

func TestOnlyChangedSocialRowsAreWrittenAgain(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *platformBench) {
		b.begin(t)
		time.Sleep(settle)
		b.content(t, sandbox.SocialImport{Count: 120})
		time.Sleep(10 * time.Minute)
		require.Len(t, b.inbox.ids("content"), 120)
		people := b.inbox.ids("identity")
		require.Len(t, people, 120)
		b.account.PutIdentity(sandbox.SocialIdentity{ID: people[7], DisplayName: "Ann B."})
		time.Sleep(time.Minute)
		require.Equal(t, people[7], b.inbox.ids("identity")[120])
		require.Len(t, b.inbox.ids("identity"), 121)
	})
}

// While pages are read, rows of all pages change and new ones come.
func TestRowsThatMoveWhilePagesAreReadAreFound(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{Limits: map[sandbox.RateGroup]int{sandbox.GroupLight: -1}}, func(t *testing.T, b *platformBench) {
		stop := b.begin(t)
		time.Sleep(settle)
		stop()
		ids := b.content(t, sandbox.SocialImport{Count: 100})
		for range 9 {
			time.Sleep(time.Minute)
			ids = append(ids, b.content(t, sandbox.SocialImport{Count: 20})...)
		}
		calls := 0
		b.source = contentsHook{b.source, func(q *ringcentral.SocialQuery) error {
			q.PerPage = min(q.PerPage, 15)
			if calls++; calls < 60 {
				b.edit(t, ids[calls*4], fmt.Sprint("edited in call ", calls, "."))
				ids = append(ids, b.content(t, sandbox.SocialImport{})...)
				time.Sleep(time.Second)
			}
			return nil
		}}
		b.begin(t)
		time.Sleep(10 * time.Minute)
		require.Subset(t, b.inbox.ids("content"), ids)
		for call := 1; call < 60; call++ {
			found := 0
			for _, item := range b.inbox.all() {
				if strings.Contains(string(item.Arrival.Body), fmt.Sprint("edited in call ", call, ".")) {
					found++
				}
			}
			require.Positive(t, found, call)
		}
	})
}

// contentsHook is a platform of which each list of contents first does something.
type contentsHook struct {
	pollPlatform

	before func(q *ringcentral.SocialQuery) error
}

func (h contentsHook) Contents(ctx context.Context, q ringcentral.SocialQuery) (ringcentral.SocialPage, error) {
	if err := h.before(&q); err != nil {
		return ringcentral.SocialPage{}, err
	}
	return h.pollPlatform.Contents(ctx, q)
}

// The older generation knows no other order than that of creation, and says nothing.
func TestAnOrderThatIsIgnoredIsNoticed(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *platformBench) {
		old := []string{}
		stop := b.begin(t)
		time.Sleep(settle)
		for range 30 {
			old = append(old, b.content(t, sandbox.SocialImport{})...)
			time.Sleep(2 * time.Minute)
		}
		stop()
		b.source = byCreation{b.source}
		b.begin(t)
		time.Sleep(3 * time.Minute)
		require.InDelta(t, 1, b.metric(t, "unordered", "social/contents"), 0)
		b.edit(t, old[2], "edited")
		late := b.content(t, sandbox.SocialImport{CreatedAt: time.Now().Add(-50 * time.Hour)})
		recent := b.content(t, sandbox.SocialImport{Count: 3})
		time.Sleep(time.Minute)
		require.Subset(t, b.inbox.ids("content"), recent)
		time.Sleep(time.Hour)
		require.Subset(t, b.inbox.ids("content"), append(late, old...))
		require.Equal(t, 1, b.bodies(old[2], "edited"))
	})
}

// byCreation is a platform that answers by creation, newest first, whatever order is
// asked for, and whose client checks that as the real one does.
type byCreation struct{ pollPlatform }

func (b byCreation) Contents(ctx context.Context, q ringcentral.SocialQuery) (ringcentral.SocialPage, error) {
	asked := q.OrderBy
	q.OrderBy = ringcentral.NewestCreated
	p, err := b.pollPlatform.Contents(ctx, q)
	if asked == ringcentral.OldestModified && len(p.Records) > 1 {
		return ringcentral.SocialPage{}, &ringcentral.Error{Op: "list_contents", Status: http.StatusOK, Err: ringcentral.ErrFilterIgnored}
	}
	return p, err
}

func TestA403HaltsTheStreamAlone(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *platformBench) {
		_, err := b.server.AddFault(sandbox.Fault{Route: "GET /cx/social-messaging/v1/contents", Status: http.StatusForbidden})
		require.NoError(t, err)
		b.begin(t)
		time.Sleep(settle)
		id := b.text(t, sandbox.MessageImport{})
		b.account.PutIdentity(sandbox.SocialIdentity{DisplayName: "Ann"})
		time.Sleep(time.Minute)
		require.InDelta(t, 1, b.metric(t, "halted", "social/contents"), 0)
		require.InDelta(t, 0, b.metric(t, "halted", "social/identities"), 0)
		require.Len(t, b.items(id), 1)
		require.Len(t, b.inbox.ids("identity"), 1)
		require.Equal(t, "map[]", b.health.all())
	})
}
