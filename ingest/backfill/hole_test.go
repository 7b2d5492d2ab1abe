package backfill_test

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest/backfill"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const (
	social   = "social/contents"
	messages = "sms/messages"
)

// imported puts contents of Social Messaging, two a minute from begin on, into the account.
func (b *bench) imported(count int) (ids []string) {
	quiet := false
	for n := range count {
		made, err := b.account.Platform().ImportContents(sandbox.SocialImport{
			CreatedAt: b.begin.Add(time.Duration(n) * 30 * time.Second), ThreadID: "t", Author: "Ann", Notify: &quiet,
		})
		require.NoError(b, err)
		ids = append(ids, made[0].ID)
	}
	return ids
}

// texted puts text messages, one a minute from begin on, into the account.
func (b *bench) texted(count int) {
	quiet := false
	for n := range count {
		_, err := b.account.Platform().ImportMessages(sandbox.MessageImport{
			CreatedAt: b.begin.Add(time.Duration(n) * time.Minute), Type: "SMS", Count: 1, Instant: &quiet, Hint: &quiet,
		})
		require.NoError(b, err)
	}
}

// platformOnly returns the surroundings of a backfill of the account's platform.
func (b *bench) platformOnly(platform backfill.Platform) backfill.Deps {
	deps := b.deps()
	deps.Engage, deps.Platform, deps.Social = nil, platform, true
	return deps
}

func (b *bench) quirk(name, value, parameter string) {
	f := sandbox.Fault{Quirk: name}
	if value != "" {
		f.Value = json.RawMessage(value)
	}
	if parameter != "" {
		f.Match = map[string]string{"orderBy": parameter}
	}
	_, err := b.account.AddFault(f)
	require.NoError(b, err)
}

func TestHistoryOfSocialMessagingIsReadAsFarAsItCanBe(t *testing.T) {
	const count = 3500
	for fact, c := range map[string]struct {
		quirk, value, orderBy string
		want                  int // of the newest rows
	}{
		"the order is refused, EDI-028": {"refused", `"400 EDI-028"`, "-creationTime", count},
		"the order is refused, EDI-036": {"refused", `"422 EDI-036"`, "-creationTime", count},
		"the order is refused, EDI-038": {"refused", `"400 EDI-038"`, "-creationTime", count},
		"the order is refused, CMN-101": {"refused", `"400 CMN-101"`, "-creationTime", count},
		"the page size is refused":      {"page_size_refused", `300`, "", count},
		"the pages are clamped":         {"page_clamped", `200`, "", count},
		"every token is refused":        {"page_token_refused", `"400 CMN-101"`, "", 1000},
		"every token has expired":       {"page_token_refused", `"410"`, "", 1000},
		"the token repeats":             {"page_token_repeats", "", "", 1000},
		"the tokens go in a circle":     {"page_token_cycles", "", "", 3000},
	} {
		t.Run(fact, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				ids := b.imported(count)
				b.quirk(c.quirk, c.value, c.orderBy)
				work := backfill.New(b.platformOnly(b.platform()))
				err := work.Run(t.Context(), social, backfill.Span{From: b.begin}, false)
				got := b.arrived("content")
				slices.Sort(got)
				got = slices.Compact(got)
				if c.want == count {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, backfill.ErrIncomplete)
					require.True(t, b.reports[len(b.reports)-1].Incomplete)
					require.Positive(t, b.reports[len(b.reports)-1].Missing)
				}
				require.Subset(t, got, ids[count-c.want:])
				b.account.ClearFaults()
				require.NoError(t, work.Run(t.Context(), social, backfill.Span{From: b.begin}, false))
				require.Subset(t, b.arrived("content"), ids, "the next run reads the rest")
			})
		})
	}
}

// oddPlatform answers lists with an error where refuse gives one.
type oddPlatform struct {
	backfill.Platform

	messages func(q ringcentral.MessagesQuery) error
}

func (p *oddPlatform) Messages(ctx context.Context, q ringcentral.MessagesQuery) (ringcentral.MessagePage, error) {
	if err := p.messages(q); err != nil {
		return ringcentral.MessagePage{}, err
	}
	return p.Platform.Messages(ctx, q)
}

func answer(status int) error { return &ringcentral.Error{Op: "list", Status: status} }

// Tokens are good for ten minutes: the list takes longer, as each page is slow.
func TestTokensThatExpireOnTheWayUpAreNotedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ids := b.imported(4500)
		issued := map[string]time.Time{}
		p := &expiring{Platform: b.platform(), issued: issued, life: 10 * time.Minute, slow: 3 * time.Minute}
		require.NoError(t, backfill.New(b.platformOnly(p)).Run(t.Context(), social, backfill.Span{From: b.begin}, false))
		require.Subset(t, b.arrived("content"), ids)
		require.Positive(t, p.expired)
	})
}

// expiring is a platform whose page tokens are good for some time, and whose pages take some.
type expiring struct {
	backfill.Platform

	issued     map[string]time.Time
	life, slow time.Duration
	expired    int
}

func (p *expiring) Contents(ctx context.Context, q ringcentral.SocialQuery) (ringcentral.SocialPage, error) {
	if q.PageToken != "" && time.Since(p.issued[q.PageToken]) > p.life {
		p.expired++
		return ringcentral.SocialPage{}, answer(http.StatusBadRequest)
	}
	page, err := p.Platform.Contents(ctx, q)
	time.Sleep(p.slow)
	p.issued[page.Next] = time.Now()
	return page, err
}

// poisoned is a platform that does not give pages which have one row in them.
type poisoned struct {
	backfill.Platform

	row, status int            // counted from the newest; 0 = healed
	above       map[string]int // rows before the page of a token
}

func (p *poisoned) Contents(ctx context.Context, q ringcentral.SocialQuery) (ringcentral.SocialPage, error) {
	first := p.above[q.PageToken]
	if p.row > 0 && first <= p.row && first+cmp.Or(q.PerPage, 100) > p.row {
		return ringcentral.SocialPage{}, answer(p.status)
	}
	page, err := p.Platform.Contents(ctx, q)
	p.above[page.Next] = first + len(page.Records)
	p.above[""] = 0
	return page, err
}

func TestARowOfSocialMessagingThatIsNotGivenCostsWhatIsBelow(t *testing.T) {
	for fact, status := range map[string]int{"500": 500, "422": 422} {
		for place, row := range map[string]int{"a deep page": 1700, "the newest page": 300} {
			t.Run(fact+", "+place, func(t *testing.T) {
				inBubble(t, func(t *testing.T, b *bench) {
					ids := b.imported(2500)
					p := &poisoned{Platform: b.platform(), row: row, status: status, above: map[string]int{}}
					work := backfill.New(b.platformOnly(p))
					require.ErrorIs(t, work.Run(t.Context(), social, backfill.Span{From: b.begin}, false), backfill.ErrIncomplete)
					require.Subset(t, b.arrived("content"), ids[2500-row:])
					require.Less(t, len(b.account.Calls()), 150)
					p.row = 0
					require.NoError(t, work.Run(t.Context(), social, backfill.Span{From: b.begin}, false))
					require.Subset(t, b.arrived("content"), ids)
				})
			})
		}
	}
}

func TestHistoryOfTheMessageStoreIsReadAsFarAsItCanBe(t *testing.T) {
	const count = 300
	none := func(*bench, ringcentral.MessagesQuery) error { return nil }
	for fact, c := range map[string]struct {
		quirk, value string
		refuse       func(*bench, ringcentral.MessagesQuery) error
		lost         int
	}{
		"the page size is refused": {"page_size_refused", `100`, none, 0},
		"any page size is refused": {"", "", func(_ *bench, q ringcentral.MessagesQuery) error {
			if q.PerPage > 0 {
				return answer(http.StatusBadRequest)
			}
			return nil
		}, 0},
		"each page is said to be the next": {"next_page_loops", "", none, 0},
		"a message can't be read": {"", "", func(b *bench, q ringcentral.MessagesQuery) error {
			if at := b.begin.Add(100 * time.Minute); !q.From.IsZero() && !q.From.After(at) && q.To.After(at) {
				return answer(http.StatusInternalServerError)
			}
			return nil
		}, 1},
	} {
		t.Run(fact, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.texted(count)
				if c.quirk != "" {
					b.quirk(c.quirk, c.value, "")
				}
				p := &oddPlatform{Platform: b.platform(), messages: func(q ringcentral.MessagesQuery) error { return c.refuse(b, q) }}
				work := backfill.New(b.platformOnly(p))
				err := work.Run(t.Context(), messages, backfill.Span{From: b.begin}, false)
				got := b.arrived("message")
				require.Len(t, got, count-c.lost)
				require.Less(t, len(b.account.Calls()), 150)
				if c.lost == 0 {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, backfill.ErrIncomplete)
				p.messages = func(ringcentral.MessagesQuery) error { return nil }
				require.NoError(t, work.Run(t.Context(), messages, backfill.Span{From: b.begin}, false))
				require.Greater(t, len(b.arrived("message")), count)
			})
		})
	}
}

func TestARowOfTheNewestPageThatIsNotGivenDoesNotEndTheRun(t *testing.T) {
	for fact, row := range map[string]int{"the newest": 0, "another": 7} {
		t.Run(fact, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				deps := b.deps()
				deps.Engage = &poisonedEngage{Source: b.engage, row: row}
				err := backfill.New(deps).Run(t.Context(), contents, backfill.Span{From: b.begin}, false)
				require.ErrorIs(t, err, backfill.ErrIncomplete)
				require.Len(t, b.arrived("content"), len(b.inside)-1)
			})
		})
	}
}
