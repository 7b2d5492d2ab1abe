package backfill_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/backfill"
	"github.com/ringbridge/ringbridge/ingest/ingesttest"
	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	contents   = "engage/contents"
	identities = "engage/identities"
)

// bench is an account with a history, and a broker.
type bench struct {
	*testing.T
	kafka   *ingesttest.Kafka
	account *sandbox.Server
	engage  *ringcentral.Engage
	inbox   *ingest.Inbox
	places  *backfill.Places
	reports []backfill.Progress
	begin   time.Time
	inside  []string // ids of the contents that are not older than begin, oldest first
}

// inBubble runs a test on fake time, at a date that ids of the sandbox can tell.
func inBubble(t *testing.T, test func(*testing.T, *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(26 * 365 * 24 * time.Hour)
		b := &bench{T: t, kafka: ingesttest.Start(t), begin: time.Now().Add(-48 * time.Hour).Truncate(time.Second)}
		b.account = sandbox.New(sandbox.Config{Seed: 1}, sandbox.Deps{})
		t.Cleanup(b.account.Close)
		b.engage = ringcentral.NewEngage(
			ringcentral.EngageConfig{BaseURL: "http://sandbox/1.0", AccessToken: sandbox.DefaultToken, Rate: 500},
			ringcentral.Deps{HTTP: &http.Client{Transport: sandbox.Transport{Handler: b.account.Handler()}}},
		)
		t.Cleanup(b.engage.Close)
		b.inbox = b.kafka.Inbox(t, codec)
		client, err := kgo.NewClient(b.kafka.Options...)
		require.NoError(t, err)
		t.Cleanup(client.Close)
		b.places = backfill.NewPlaces(client, b.kafka.Options, b.kafka.Names)
		b.history()
		test(t, b)
	})
}

// history imports 700 contents of three days, of which begin leaves out the first.
func (b *bench) history() {
	quiet := false
	for n := range 700 {
		at := b.begin.Add(-24 * time.Hour).Add(time.Duration(n) * 6 * time.Minute)
		made, err := b.account.Import(sandbox.Import{CreatedAt: at, ThreadID: fmt.Sprint("t", n%9), Webhook: &quiet})
		require.NoError(b, err)
		if !at.Before(b.begin) {
			b.inside = append(b.inside, made[0].ID)
		}
	}
}

func (b *bench) deps() backfill.Deps {
	return backfill.Deps{
		Engage: b.engage, Inbox: b.inbox, Places: b.places,
		Report: func(p backfill.Progress) { b.reports = append(b.reports, p) },
	}
}

func (b *bench) run(ctx context.Context, stream string) error {
	return backfill.New(b.deps()).Run(ctx, stream, backfill.Span{From: b.begin}, false)
}

// arrived returns the ids of a kind in the inbox, by conversation and in order.
func (b *bench) arrived(kind string) (ids []string) {
	for _, a := range b.kafka.Arrivals(b.T, codec) {
		if a.Kind == kind {
			require.Equal(b, schemas.OriginBackfill, a.Origin)
			ids = append(ids, *a.ResourceID)
		}
	}
	return ids
}

func TestHistoryIsInTheInboxOnceAndInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.engage.Share(0.5)
		require.NoError(t, b.run(t.Context(), contents))
		got := b.arrived("content")
		require.ElementsMatch(t, b.inside, got, "each once, and none that is older")
		position := map[string]int{}
		for n, id := range b.inside {
			position[id] = n
		}
		last := map[string]int{}
		for _, r := range b.kafka.Records(t, b.kafka.Names.Inbox) {
			var a schemas.Arrival
			require.NoError(t, codec.Decode(t.Context(), r.Value, &a))
			n := position[*a.ResourceID]
			require.GreaterOrEqual(t, n, last[string(r.Key)], "a conversation is written oldest first")
			last[string(r.Key)] = n
		}
		end := b.reports[len(b.reports)-1]
		require.True(t, end.End)
		require.Equal(t, len(b.inside), end.Rows)
		require.InDelta(t, len(b.inside), end.Total, 5)

		require.NoError(t, b.run(t.Context(), identities))
		require.Len(t, b.arrived("identity"), 9)
		require.NoError(t, b.run(t.Context(), contents))
		require.Less(t, len(b.arrived("content")), len(b.inside)+3, "what is in the inbox is not read again")
		require.Equal(t, []string{identities, contents}, backfill.New(b.deps()).Streams())
	})
}

func TestABackfillThatWasStoppedGoesOn(t *testing.T) {
	stop := errors.New("stop")
	for pages := range 4 {
		t.Run(fmt.Sprint("after ", pages, " pages"), func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				ctx, cancel := context.WithCancelCause(t.Context())
				deps := b.deps()
				written := 0
				deps.Inbox = inboxFunc(func(ctx context.Context, items ...ingest.Item) error {
					if written++; written > pages {
						cancel(stop)
						return context.Cause(ctx)
					}
					return b.inbox.Accept(ctx, items...)
				})
				err := backfill.New(deps).Run(ctx, contents, backfill.Span{From: b.begin}, false)
				require.ErrorIs(t, err, stop)
				before := len(b.arrived("content"))
				// Asked an hour later with a bound that goes by the time.
				time.Sleep(time.Hour)
				err = backfill.New(b.deps()).Run(t.Context(), contents, backfill.Span{From: b.begin.Add(time.Minute)}, false)
				require.NoError(t, err)
				got := b.arrived("content")
				require.Subset(t, got, b.inside[1:])
				require.LessOrEqual(t, len(got), len(b.inside)+2, "it did not begin anew after %d", before)
			})
		})
	}
}

type inboxFunc func(ctx context.Context, items ...ingest.Item) error

func (f inboxFunc) Accept(ctx context.Context, items ...ingest.Item) error { return f(ctx, items...) }

func TestNothingIsMissedUnderFaultsAndWhileTheListChanges(t *testing.T) {
	for seed := range uint64(2) {
		inBubble(t, func(t *testing.T, b *bench) {
			random := rand.New(rand.NewPCG(seed, 9))
			for _, fault := range []sandbox.Fault{
				{Route: "GET /1.0/contents", Rate: 0.2, Status: http.StatusInternalServerError},
				{Route: "GET /1.0/contents", Rate: 0.2, Status: http.StatusTooManyRequests, RetryAfter: "2"},
				{Route: "GET /1.0/contents", Rate: 0.1, Reset: "after"},
			} {
				_, err := b.account.AddFault(fault)
				require.NoError(t, err)
			}
			deps := b.deps()
			quiet := false
			deps.Inbox = inboxFunc(func(ctx context.Context, items ...ingest.Item) error {
				for range random.IntN(50) { // rows come in at the new end, and among the old ones
					_, err := b.account.Import(sandbox.Import{CreatedAt: b.begin.Add(time.Duration(random.IntN(50)) * time.Hour), Webhook: &quiet})
					require.NoError(t, err)
				}
				if random.IntN(3) == 0 {
					return errors.New("the broker is away")
				}
				return b.inbox.Accept(ctx, items...)
			})
			require.NoError(t, backfill.New(deps).Run(t.Context(), contents, backfill.Span{From: b.begin}, false))
			require.Subset(t, b.arrived("content"), b.inside)
		})
	}
}

func TestWhatNoWaitingHealsEndsABackfillAtOnce(t *testing.T) {
	for fact, fault := range map[string]sandbox.Fault{
		"the token is refused":   {Route: "GET /1.0/contents", Status: http.StatusUnauthorized},
		"the list is forbidden":  {Route: "GET /1.0/contents", Status: http.StatusForbidden},
		"the address is unknown": {Route: "GET /1.0/contents", Status: http.StatusNotFound},
	} {
		t.Run(fact, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				_, err := b.account.AddFault(fault)
				require.NoError(t, err)
				begun := time.Now()
				err = b.run(t.Context(), contents)
				var failure *ringcentral.Error
				require.ErrorAs(t, err, &failure)
				require.Equal(t, fault.Status, failure.Status)
				require.Less(t, time.Since(begun), time.Second)
				require.NotContains(t, err.Error(), sandbox.DefaultToken)
			})
		})
	}
}

func TestAnOutageIsWaitedOutForMinutesAndThenTold(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		_, err := b.account.AddFault(sandbox.Fault{Route: "GET /1.0/contents", Status: http.StatusBadGateway})
		require.NoError(t, err)
		begun := time.Now()
		require.Error(t, b.run(t.Context(), contents))
		require.Greater(t, time.Since(begun), 3*time.Minute)
		require.Less(t, time.Since(begun), 15*time.Minute)
		require.Equal(t, "waits for the API", b.reports[1].Waiting)
	})
}

func TestARowThatTheInboxCannotHoldIsLeftOut(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		deps := b.deps()
		deps.Inbox = inboxFunc(func(ctx context.Context, items ...ingest.Item) error {
			for _, item := range items {
				if *item.Arrival.ResourceID == b.inside[7] {
					return fmt.Errorf("%w", ingest.ErrTooLarge)
				}
			}
			return b.inbox.Accept(ctx, items...)
		})
		require.NoError(t, backfill.New(deps).Run(t.Context(), contents, backfill.Span{From: b.begin}, false))
		require.ElementsMatch(t, append(append([]string{}, b.inside[:7]...), b.inside[8:]...), b.arrived("content"))
		require.Equal(t, 1, b.reports[len(b.reports)-1].LeftOut)
	})
}

func TestTheEndOfTheSpanIsKept(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		span := backfill.Span{From: b.begin, Until: b.begin.Add(24 * time.Hour)}
		require.NoError(t, backfill.New(b.deps()).Run(t.Context(), contents, span, false))
		require.ElementsMatch(t, b.inside[:240], b.arrived("content"))
		// More of it later: on from where the first part ended.
		require.NoError(t, b.run(t.Context(), contents))
		require.ElementsMatch(t, b.inside, b.arrived("content"))
		require.NoError(t, backfill.New(b.deps()).Run(t.Context(), contents, span, true))
		require.Len(t, b.arrived("content"), len(b.inside)+240, "forgotten, and read again")
	})
}

// poisonedEngage is a source that does not give pages which have one row in them.
type poisonedEngage struct {
	poll.Source

	row    int // counted from the newest
	healed bool
}

func (p *poisonedEngage) Contents(ctx context.Context, q ringcentral.ContentsQuery) (ringcentral.Page, error) {
	if !p.healed && q.Offset <= p.row && p.row < q.Offset+q.Limit {
		return ringcentral.Page{}, &ringcentral.Error{Op: "list_contents", Status: http.StatusInternalServerError}
	}
	return p.Source.Contents(ctx, q)
}

func TestARowThatTheAPIDoesNotGiveIsReadByTheNextRun(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		source := &poisonedEngage{Source: b.engage, row: 200}
		deps := b.deps()
		deps.Engage = source
		run := func() error {
			return backfill.New(deps).Run(t.Context(), contents, backfill.Span{From: b.begin}, false)
		}
		require.ErrorIs(t, run(), backfill.ErrIncomplete)
		lost := b.inside[len(b.inside)-1-source.row]
		require.NotContains(t, b.arrived("content"), lost)
		require.Len(t, b.arrived("content"), len(b.inside)-1)
		source.healed = true
		require.NoError(t, run())
		require.Contains(t, b.arrived("content"), lost)
	})
}
