package backfill_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/backfill"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// platform returns a client of the account's platform.
func (b *bench) platform() *ringcentral.Platform {
	p := ringcentral.NewPlatform(ringcentral.PlatformConfig{
		ServerURL: "http://sandbox", ClientID: sandbox.DefaultClientID, ClientSecret: sandbox.DefaultClientSecret, JWT: sandbox.DefaultJWT,
		ContentsPath: ringcentral.SocialMessaging,
	}, ringcentral.Deps{HTTP: &http.Client{Transport: sandbox.Transport{Handler: b.account.Handler()}}})
	b.Cleanup(p.Close)
	return p
}

func TestHistoryOfSocialMessagingIsReadFromItsOldEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		quiet := false
		put := func(at time.Time) string {
			made, err := b.account.Platform().ImportContents(sandbox.SocialImport{CreatedAt: at, ThreadID: "t", Author: "Ann", Notify: &quiet})
			require.NoError(t, err)
			return made[0].ID
		}
		var want []string
		for n := range 2500 {
			at := b.begin.Add(time.Duration(n-300) * time.Minute)
			if id := put(at); !at.Before(b.begin) {
				want = append(want, id)
			}
		}
		deps := b.deps()
		deps.Platform, deps.Social = b.platform(), true
		stop, written := errors.New("stop"), 0
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		deps.Inbox = inboxFunc(func(ctx context.Context, items ...ingest.Item) error {
			if written += len(items); written > 1000 {
				cancel(stop)
				return stop
			}
			return b.inbox.Accept(ctx, items...)
		})
		span := backfill.Span{From: b.begin}
		require.ErrorIs(t, backfill.New(deps).Run(ctx, "social/contents", span, false), stop)
		deps.Inbox = inboxFunc(func(ctx context.Context, items ...ingest.Item) error {
			if put(b.begin.Add(30 * time.Hour)); written > 0 { // rows come in at the new end, and among the old
				for n := range 120 {
					put(time.Now().Add(time.Duration(n) * time.Second))
				}
			}
			written = 0
			return b.inbox.Accept(ctx, items...)
		})
		require.NoError(t, backfill.New(deps).Run(t.Context(), "social/contents", span, false))
		deps.Inbox = b.inbox
		var got []string
		met := map[string]bool{}
		for _, id := range b.arrived("content") {
			if !met[id] {
				got = append(got, id)
			}
			met[id] = true
		}
		require.Subset(t, got, want)
		inOrder := got[:0:0]
		for _, id := range got {
			if len(inOrder) < len(want) && id == want[len(inOrder)] {
				inOrder = append(inOrder, id)
			}
		}
		require.Equal(t, want, inOrder, "oldest first")
		require.NoError(t, backfill.New(deps).Run(t.Context(), "social/identities", backfill.Span{From: b.begin.Add(-time.Hour * 99)}, false))
		require.Len(t, b.arrived("identity"), 1)
		require.Zero(t, b.account.Platform().Offenders())
	})
}

func TestHistoryOfTheMessageStoreIsReadInWindows(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		quiet := false
		put := func(at time.Time, kind string, count int) (ids []string) {
			made, err := b.account.Platform().ImportMessages(sandbox.MessageImport{CreatedAt: at, Type: kind, Count: count, Instant: &quiet, Hint: &quiet})
			require.NoError(t, err)
			for _, m := range made {
				ids = append(ids, fmt.Sprint(m.ID))
			}
			return ids
		}
		begin := time.Now().Add(-200 * 24 * time.Hour).Truncate(time.Second)
		put(begin.Add(-time.Second), "SMS", 3)
		put(begin.Add(time.Hour), "Fax", 1)
		want := put(begin, "SMS", 1)
		want = append(want, put(begin.Add(100*24*time.Hour+700*time.Millisecond), "SMS", 1)...)
		for n := range 30 { // a rush: more than a page in a day
			want = append(want, put(begin.Add(150*24*time.Hour+time.Duration(n)*time.Hour), "SMS", 100)...)
		}
		want = append(want, put(time.Now().Add(-2*time.Second), "SMS", 1)...)

		deps := b.deps()
		deps.Platform = b.platform()
		require.Equal(t, []string{identities, contents, "sms/messages"}, backfill.New(deps).Streams())
		require.NoError(t, backfill.New(deps).Run(t.Context(), "sms/messages", backfill.Span{From: begin}, false))
		require.ElementsMatch(t, want, b.arrived("message"))
		for _, a := range b.kafka.Arrivals(t, codec) {
			var m struct {
				Conversation struct{ ID json.Number }
			}
			require.NoError(t, json.Unmarshal(a.Body, &m))
			require.NotEmpty(t, m.Conversation.ID)
		}
		require.Zero(t, b.account.Platform().Offenders())
		require.Less(t, len(b.account.Calls()), 60)
	})
}
