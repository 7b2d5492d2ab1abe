package poll_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// A day at speed: half of the hints are lost, and so is the token, ten times.
func TestEveryMessageAndItsFinalStatusIsFound(t *testing.T) {
	for _, code := range []string{"MSG-333", "CMN-101"} {
		t.Run(code, func(t *testing.T) {
			cfg := sandbox.PlatformConfig{SyncTokenError: code, SentAfter: 20 * time.Second, DeliveredAfter: 3 * time.Minute, DeliveryFailures: 0.2}
			platformBubble(t, cfg, func(t *testing.T, b *platformBench) {
				b.begin(t)
				time.Sleep(settle)
				var in, out []string
				for n := range 200 {
					in = append(in, b.text(t, sandbox.MessageImport{From: fmt.Sprintf("+1650555%04d", n%7)}))
					out = append(out, b.text(t, sandbox.MessageImport{Direction: sandbox.DirectionOutbound}))
					if n%2 == 0 {
						b.poller.Hint()
					}
					if n%20 == 10 {
						b.account.ExpireSyncTokens()
					}
					time.Sleep(45 * time.Second)
				}
				time.Sleep(5 * time.Minute)
				require.InDelta(t, 10, b.metric(t, "sync_tokens_lost_total"), 0)
				for _, id := range in {
					require.Equal(t, []seen{{"Received", "Unread", "Alive"}}, b.states(t, id))
				}
				for _, id := range out {
					states := b.states(t, id)
					require.Contains(t, []string{"Delivered", "DeliveryFailed"}, states[len(states)-1].MessageStatus)
				}
			})
		})
	}
}

func TestAMessageIsKeyedByItsConversation(t *testing.T) {
	for name, old := range map[string]bool{"as a text": false, "as digits beyond a float": true} {
		t.Run(name, func(t *testing.T) {
			platformBubble(t, sandbox.PlatformConfig{OldConversations: old}, func(t *testing.T, b *platformBench) {
				b.begin(t)
				time.Sleep(settle)
				id := b.text(t, sandbox.MessageImport{})
				b.poller.Hint()
				time.Sleep(settle)
				got := b.items(id)
				require.Len(t, got, 1)
				require.Equal(t, strconv.FormatInt(b.account.Messages()[0].ConversationID, 10), got[0].Key)
				require.Equal(t, schemas.ApiSms, got[0].Arrival.API)
				require.Equal(t, schemas.OriginPoll, got[0].Arrival.Origin)
			})
		})
	}
}

func TestAHintIsFollowedAtOnce(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *platformBench) {
		b.begin(t)
		time.Sleep(32 * time.Second)
		id := b.text(t, sandbox.MessageImport{})
		b.poller.Hint()
		time.Sleep(2 * time.Second)
		require.Len(t, b.items(id), 1)
	})
}

func TestADeletedMessageKeepsItsConversation(t *testing.T) {
	facts := map[string]func(b *platformBench){
		"that the stream knows":                    func(*platformBench) {},
		"that a restarted stream asks for":         func(*platformBench) {},
		"although the token was lost in between":   func(b *platformBench) { b.account.ExpireSyncTokens() },
		"although the single read fails for hours": func(*platformBench) {},
	}
	for name, between := range facts {
		t.Run(name, func(t *testing.T) {
			platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *platformBench) {
				stop := b.begin(t)
				time.Sleep(settle)
				id := b.text(t, sandbox.MessageImport{})
				time.Sleep(time.Minute)
				if name != "that the stream knows" {
					stop()
				}
				key := b.items(id)[0].Key
				number, err := strconv.ParseInt(id, 10, 64)
				require.NoError(t, err)
				deleted := "Deleted"
				_, err = b.account.EditMessage(number, sandbox.MessageEdit{Availability: deleted})
				require.NoError(t, err)
				between(b)
				if name == "although the single read fails for hours" {
					_, err := b.server.AddFault(sandbox.Fault{Route: "GET " + storeRoute + "/{id}", Status: http.StatusInternalServerError})
					require.NoError(t, err)
					key = id
				}
				if name != "that the stream knows" {
					b.begin(t)
				}
				time.Sleep(3 * time.Minute)
				got := b.items(id)
				require.Equal(t, "Deleted", b.states(t, id)[len(got)-1].Availability)
				require.Equal(t, key, got[len(got)-1].Key)
			})
		})
	}
}

const storeRoute = "/restapi/v1.0/account/{account}/extension/{extension}/message-store"

// A process that dies between any two steps leaves a token that claims no more than
// the inbox has.
func TestNoDeathLosesAMessage(t *testing.T) {
	for _, step := range []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12} {
		t.Run(fmt.Sprint("step ", step), func(t *testing.T) {
			platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *platformBench) {
				var steps atomic.Int64
				die := func(ctx context.Context) error {
					if steps.Add(1) == step {
						b.die()
						<-ctx.Done()
						return ctx.Err()
					}
					return nil
				}
				b.source = syncHook{b.source, die}
				b.inbox.hook(func(ctx context.Context, items []ingest.Item) error {
					if items[0].Arrival.Kind == "message" {
						return die(ctx)
					}
					return nil
				})
				stop := b.begin(t)
				var ids []string
				for range 4 {
					time.Sleep(settle)
					ids = append(ids, b.text(t, sandbox.MessageImport{}), b.text(t, sandbox.MessageImport{}))
					b.poller.Hint()
				}
				stop()
				steps.Store(step) // that's enough
				time.Sleep(90 * time.Hour)
				b.account.ExpireSyncTokens()
				b.begin(t)
				time.Sleep(settle)
				for _, id := range ids {
					require.NotEmpty(t, b.items(id))
				}
			})
		})
	}
}

// syncHook is a platform of which each sync first does something.
type syncHook struct {
	pollPlatform

	before func(ctx context.Context) error
}

func (h syncHook) SyncMessages(ctx context.Context, q ringcentral.SyncQuery) (ringcentral.SyncAnswer, error) {
	if err := h.before(ctx); err != nil {
		return ringcentral.SyncAnswer{}, err
	}
	return h.pollPlatform.SyncMessages(ctx, q)
}

func TestAFullSyncIsTakenInParts(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *platformBench) {
		b.part = 20_000 // bytes: some thirty messages
		stop := b.begin(t)
		time.Sleep(settle)
		stop()
		var ids []string
		for range 300 {
			ids = append(ids, b.text(t, sandbox.MessageImport{}))
			time.Sleep(10 * time.Second)
		}
		b.source = fewRecords{b.source}
		b.account.ExpireSyncTokens()
		b.begin(t)
		time.Sleep(10 * time.Minute)
		require.Equal(t, ids, b.inbox.ids("message"), "the oldest first, and each once")
	})
}

// fewRecords is a platform whose full syncs give fifty messages at most.
type fewRecords struct{ pollPlatform }

func (f fewRecords) SyncMessages(ctx context.Context, q ringcentral.SyncQuery) (ringcentral.SyncAnswer, error) {
	if q.Token == "" {
		q.RecordCount = min(q.RecordCount, 50)
	}
	return f.pollPlatform.SyncMessages(ctx, q)
}

func TestASweepFindsAStatusThatNoSyncHasShown(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{SentAfter: time.Second, DeliveredAfter: 3 * time.Hour}, func(t *testing.T, b *platformBench) {
		b.source = onlyNew{b.source}
		b.begin(t)
		time.Sleep(settle)
		id := b.text(t, sandbox.MessageImport{Direction: sandbox.DirectionOutbound})
		time.Sleep(4*time.Hour + 10*time.Minute)
		states := b.states(t, id)
		require.Equal(t, "Delivered", states[len(states)-1].MessageStatus)
	})
}

// onlyNew is a platform whose incremental syncs show nothing.
type onlyNew struct{ pollPlatform }

func (o onlyNew) SyncMessages(ctx context.Context, q ringcentral.SyncQuery) (ringcentral.SyncAnswer, error) {
	answer, err := o.pollPlatform.SyncMessages(ctx, q)
	if q.Token != "" {
		answer.Records = answer.Records[:0]
	}
	return answer, err
}

func TestChangesThatCantBeReadAreReadAgainInFull(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *platformBench) {
		b.source = tooMuch{b.source}
		b.begin(t)
		time.Sleep(settle)
		id := b.text(t, sandbox.MessageImport{})
		time.Sleep(2 * time.Minute)
		require.Len(t, b.items(id), 1)
	})
}

// tooMuch is a platform whose incremental answers are too large.
type tooMuch struct{ pollPlatform }

func (o tooMuch) SyncMessages(ctx context.Context, q ringcentral.SyncQuery) (ringcentral.SyncAnswer, error) {
	if q.Token != "" {
		return ringcentral.SyncAnswer{}, &ringcentral.Error{Op: "sync_messages", Status: http.StatusOK, Err: errors.New("too large")}
	}
	return o.pollPlatform.SyncMessages(ctx, q)
}

func TestAMessageOfAnotherTypeComesInToo(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *platformBench) {
		b.source = allTypes{b.source}
		b.begin(t)
		time.Sleep(settle)
		fax := b.text(t, sandbox.MessageImport{Type: "Fax"})
		id := b.text(t, sandbox.MessageImport{})
		time.Sleep(time.Minute)
		require.Len(t, b.items(id), 1)
		require.Len(t, b.items(fax), 1)
	})
}

// allTypes is a platform that ignores the filter of types.
type allTypes struct{ pollPlatform }

func (a allTypes) SyncMessages(ctx context.Context, q ringcentral.SyncQuery) (ringcentral.SyncAnswer, error) {
	q.Types = nil
	return a.pollPlatform.SyncMessages(ctx, q)
}

func TestARevokedCredentialHaltsThePlatformAndHeals(t *testing.T) {
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *platformBench) {
		b.begin(t)
		time.Sleep(settle)
		b.account.RevokeCredentials()
		time.Sleep(2 * time.Minute)
		require.Contains(t, b.health.all(), "RINGCENTRAL_JWT")
		require.InDelta(t, 1, b.metric(t, "unauthorized", "platform"), 0)
		require.InDelta(t, 0, b.metric(t, "unauthorized", "engage"), 0)
		id := b.text(t, sandbox.MessageImport{})
		b.account.RestoreCredentials()
		time.Sleep(3 * time.Minute)
		require.Equal(t, "map[]", b.health.all())
		require.Len(t, b.items(id), 1)
	})
}
