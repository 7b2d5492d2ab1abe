package poll_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// poison makes every page fail that has one of the rows in it, counted from the newest.
func poison(status int, rows ...int) func(list string, offset, limit int) error {
	return func(list string, offset, limit int) error {
		for _, row := range rows {
			if list == "contents" && offset <= row && row < offset+limit {
				return answer(status, 0)
			}
		}
		return nil
	}
}

// A page that the API does not give holds up neither the newest rows nor those around it, and
// comes in once it can be read.
func TestAnUnreadablePageHoldsUpNothing(t *testing.T) {
	window := func(_ string, offset, limit int) error {
		if offset+limit > 200 {
			return answer(http.StatusBadRequest, 0)
		}
		return nil
	}
	for fact, c := range map[string]struct {
		refuse func(list string, offset, limit int) error
		lost   []int // rows that cannot be read, from the newest
	}{
		"a row of a deep page, 500":      {poison(500, 200), []int{200}},
		"a row of a deep page, 400":      {poison(400, 200), []int{200}},
		"a row of a deep page, 403":      {poison(403, 200), []int{200}},
		"a deep row without an answer":   {poison(0, 200), []int{200}},
		"a body that can't be read":      {poison(200, 200), []int{200}},
		"the newest row":                 {poison(500, 0), []int{0}},
		"a row of the first page":        {poison(502, 7), []int{7}},
		"several rows":                   {poison(500, 3, 4, 160, 199, 250), []int{3, 4, 160, 199, 250}},
		"an offset beyond the window":    {window, nil},
		"a limit that the API refuses":   {func(_ string, _, limit int) error { return tooLarge(limit, 40) }, nil},
		"a limit that the API can't do":  {func(_ string, _, limit int) error { return tooSlow(limit, 40) }, nil},
		"the only limit that works is 1": {func(_ string, _, limit int) error { return tooLarge(limit, 1) }, nil},
	} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.cfg.SweepInterval, b.cfg.Interval = time.Minute, 10*time.Second
				stop := b.begin(t)
				time.Sleep(settle)
				stop() // from here on the rows are the bridge's
				time.Sleep(34 * time.Hour)
				ids := b.source.stream(400, time.Now(), 5*time.Minute)
				slices.Reverse(ids)
				b.source.refuse = c.refuse
				b.begin(t)
				time.Sleep(3 * time.Minute)
				got := b.inbox.ids("content")
				readable := 400
				if fact == "an offset beyond the window" {
					readable = 200
				}
				for n, id := range ids[:readable] {
					if slices.Contains(c.lost, n) {
						require.NotContains(t, got, id)
					} else {
						require.Contains(t, got, id, n)
					}
				}
				incomplete := 0.0
				if len(c.lost) > 0 || readable < 400 {
					incomplete = 1
				}
				require.InDelta(t, incomplete, b.metric(t, "incomplete", "engage/contents"), 0)
				if len(c.lost) > 0 {
					require.GreaterOrEqual(t, b.metric(t, "rows_unreadable_total", "engage/contents", "refused"), 1.0)
				}
				b.source.change(func() { b.source.refuse = nil })
				time.Sleep(2 * time.Hour)
				require.Subset(t, b.inbox.ids("content"), ids, "what could not be read is not forgotten")
				require.InDelta(t, 0, b.metric(t, "incomplete", "engage/contents"), 0)
			})
		})
	}
}

func tooLarge(limit, most int) error {
	if limit > most {
		return answer(http.StatusUnprocessableEntity, 0)
	}
	return nil
}

func tooSlow(limit, most int) error {
	if limit > most {
		return answer(http.StatusGatewayTimeout, 0)
	}
	return nil
}

// The newest come in at the pace of the rounds, whatever lies below.
func TestTheNewestComeInBesideAPoisonedSweep(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.stream(400, time.Now(), 5*time.Minute)
		b.cfg.Interval, b.cfg.SweepInterval = time.Second, 4*time.Second
		b.source.refuse = poison(500, 200)
		b.begin(t)
		time.Sleep(30 * time.Second)
		for range 20 {
			id := b.source.arrive(1, time.Now())[0]
			time.Sleep(5 * time.Second)
			require.Contains(t, b.inbox.ids("content"), id)
		}
		require.Greater(t, b.metric(t, "rounds_total", "engage/contents", "ok"), 50.0)
	})
}

// An unreadable part outlives a restart, and is tried again with a growing pause.
func TestAnUnreadablePartIsOnRecord(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		stop := b.begin(t)
		time.Sleep(settle)
		stop()
		time.Sleep(30 * time.Hour)
		ids := b.source.stream(300, time.Now(), 5*time.Minute)
		b.source.refuse = poison(500, 200)
		b.cfg.SweepInterval = 1000 * time.Hour
		stop = b.begin(t)
		time.Sleep(2 * time.Hour)
		require.InDelta(t, 6, b.metric(t, "sweeps_total", "engage/contents", "missing"), 1)
		stop()
		b.source.refuse = nil
		require.NotSubset(t, b.inbox.ids("content"), ids)
		b.begin(t)
		time.Sleep(time.Minute)
		require.Subset(t, b.inbox.ids("content"), ids)
	})
}

// Neither the length of a page nor what the API says of the list's is its end.
func TestAListIsReadToItsEnd(t *testing.T) {
	for fact, c := range map[string]struct {
		clamp int
		count func(total, offset, rows int) int
	}{
		"no count":                           {0, func(int, int, int) int { return 0 }},
		"short pages, no count":              {30, func(int, int, int) int { return 0 }},
		"short pages, the count of the page": {30, func(_, _, rows int) int { return rows }},
		"short pages, a running count":       {30, func(_, offset, rows int) int { return offset + rows }},
		"a count that is too small":          {0, func(int, int, int) int { return 100 }},
		"a count that is too large":          {0, func(int, int, int) int { return 100_000 }},
		"pages of one row":                   {1, func(int, int, int) int { return 0 }},
		"pages of two rows, a count of one":  {2, func(int, int, int) int { return 1 }},
	} {
		for order, ascending := range map[string]bool{"newest first": false, "oldest first": true} {
			t.Run(fact+", "+order, func(t *testing.T) {
				bubble(t, func(t *testing.T, b *bench) {
					b.source.clamp, b.source.count, b.source.ascending = c.clamp, c.count, ascending
					ids := b.source.stream(320, time.Now(), 2*time.Second)
					for n, id := range ids {
						b.source.identities = append(b.source.identities, fakeRow{id: "i" + id, at: time.Now().Add(-2 * time.Second * time.Duration(320-n))})
					}
					b.begin(t)
					time.Sleep(settle + 2*time.Minute)
					require.ElementsMatch(t, ids, b.inbox.ids("content"))
					require.Len(t, b.inbox.ids("identity"), 320)
					require.InDelta(t, 0, b.metric(t, "incomplete", "engage/contents"), 0)
				})
			})
		}
	}
}

func TestARowOfNullCostsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		ids := b.source.stream(160, time.Now(), time.Second)
		for n := range 8 {
			b.source.contents = append(b.source.contents, fakeRow{id: "null", at: time.Now().Add(-time.Duration(n) * 20 * time.Second)})
		}
		b.begin(t)
		time.Sleep(time.Minute)
		require.ElementsMatch(t, ids, b.inbox.ids("content"))
		require.Len(t, b.inbox.all(), 160)
		require.Positive(t, b.metric(t, "rows_unreadable_total", "engage/contents", "null"))
	})
}

// A host whose clock is ahead begins where the API's time says.
func TestAClockAheadHidesNoFirstContents(t *testing.T) {
	for fact, answers := range map[string]time.Duration{"the API answers": 0, "the API answers later": 20 * time.Minute} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				const ahead = 3 * time.Hour
				b.source.skew, b.source.noCount = -ahead, true
				begin := time.Now()
				b.source.clock = func() time.Time { return time.Now().Add(-ahead) }
				if answers > 0 {
					b.source.clock = nil
					b.source.hook(func(context.Context, string, int) error { return answer(0, 0) })
				}
				ids := b.source.arrive(5, time.Now().Add(-ahead))
				b.begin(t)
				time.Sleep(answers)
				b.source.change(func() { b.source.clock = func() time.Time { return time.Now().Add(-ahead) } })
				b.source.hook(nil)
				time.Sleep(2 * time.Minute)
				require.Subset(t, b.inbox.ids("content"), ids)
				ids = append(ids, b.source.arrive(5, time.Now().Add(-ahead))...)
				b.source.arrive(1, time.Now()) // dated by the host
				time.Sleep(40 * time.Minute)
				ids = append(ids, b.source.stream(300, time.Now().Add(-ahead), time.Millisecond)...)
				time.Sleep(2 * time.Minute)
				require.Subset(t, b.inbox.ids("content"), ids)
				_, known := b.known(t)
				require.False(t, known.After(time.Now().Add(-ahead)), "known %s, begun %s", known, begin)
			})
		})
	}
}

// pages is a platform that gives lists of contents by tokens of its own.
type pages struct {
	pollPlatform

	mu     sync.Mutex
	rows   []fakeRow // newest first
	answer func(q ringcentral.SocialQuery, call int) (page ringcentral.SocialPage, answered bool, err error)
	calls  int
}

func (p *pages) Contents(_ context.Context, q ringcentral.SocialQuery) (ringcentral.SocialPage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.answer != nil {
		if page, answered, err := p.answer(q, p.calls); answered || err != nil {
			return page, err
		}
	}
	return p.page(q), nil
}

// heal lets all pages come as they are.
func (p *pages) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = nil
}

// called returns how many lists were asked for.
func (p *pages) called() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// page answers by offset tokens, 50 rows at most.
func (p *pages) page(q ringcentral.SocialQuery) (page ringcentral.SocialPage) {
	rows, from := slices.Clone(p.rows), 0
	if q.OrderBy == ringcentral.OldestModified || q.OrderBy == ringcentral.OldestCreated {
		slices.Reverse(rows)
	}
	_, _ = fmt.Sscanf(q.PageToken, "T%d", &from)
	size := min(q.PerPage, 50)
	if size == 0 {
		size = 50
	}
	to := min(from+size, len(rows))
	for _, r := range rows[min(from, to):to] {
		at := r.at.UTC().Format(time.RFC3339)
		page.Records = append(page.Records, []byte(fmt.Sprintf(`{"id":%q,"threadId":"t","creationTime":%q,"lastModifiedTime":%q}`, r.id, at, at)))
	}
	if to < len(rows) {
		page.Next = fmt.Sprint("T", to)
	}
	return page
}

// pagesBubble runs a poller on 160 social contents of the last minutes.
func pagesBubble(t *testing.T, test func(t *testing.T, b *platformBench, p *pages, ids []string)) {
	t.Helper()
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *platformBench) {
		p := &pages{pollPlatform: b.source}
		var ids []string
		for n := range 160 {
			p.rows = append(p.rows, fakeRow{id: fmt.Sprintf("s%03d", n), at: time.Now().Add(-time.Duration(n) * time.Second)})
			ids = append(ids, p.rows[n].id)
		}
		b.source = p
		test(t, b, p, ids)
	})
}

func refusal(status int, cause error) error {
	return &ringcentral.Error{Op: "list_contents", Status: status, Err: cause}
}

func TestPageTokensAreNotTrusted(t *testing.T) {
	type answers = func(p *pages) func(q ringcentral.SocialQuery, call int) (ringcentral.SocialPage, bool, error)
	leadTo := func(at, next string) answers {
		return func(p *pages) func(q ringcentral.SocialQuery, call int) (ringcentral.SocialPage, bool, error) {
			return func(q ringcentral.SocialQuery, _ int) (ringcentral.SocialPage, bool, error) {
				page := p.page(q)
				if q.PageToken == at {
					page.Next = next
				}
				return page, true, nil
			}
		}
	}
	expire := func(status, times int) answers {
		return func(*pages) func(q ringcentral.SocialQuery, call int) (ringcentral.SocialPage, bool, error) {
			return func(q ringcentral.SocialQuery, _ int) (ringcentral.SocialPage, bool, error) {
				if q.PageToken == "T50" && times > 0 {
					times--
					return ringcentral.SocialPage{}, true, refusal(status, nil)
				}
				return ringcentral.SocialPage{}, false, nil
			}
		}
	}
	for fact, c := range map[string]struct {
		answer     answers
		rows       int
		incomplete float64
	}{
		"one leads back":             {leadTo("T100", "T50"), 150, 1},
		"one leads to itself":        {leadTo("T50", "T50"), 100, 1},
		"one leads to the beginning": {leadTo("T100", "T0"), 150, 1},
		"expired once, 400":          {expire(400, 1), 160, 0},
		"expired once, 404":          {expire(404, 1), 160, 0},
		"expired once, 410":          {expire(410, 1), 160, 0},
		"expired twice, 422":         {expire(422, 2), 160, 0},
		"refused for ever":           {expire(400, 1<<30), 50, 1},
	} {
		t.Run(fact, func(t *testing.T) {
			pagesBubble(t, func(t *testing.T, b *platformBench, p *pages, ids []string) {
				p.answer = c.answer(p)
				b.begin(t)
				time.Sleep(20 * time.Second)
				require.ElementsMatch(t, ids[:c.rows], b.inbox.ids("content"))
				require.InDelta(t, c.incomplete, b.metric(t, "incomplete", "social/contents"), 0)
				require.Less(t, p.called(), 30)
				p.heal()
				time.Sleep(2 * time.Hour)
				require.ElementsMatch(t, ids, b.inbox.ids("content"))
				require.InDelta(t, 0, b.metric(t, "incomplete", "social/contents"), 0)
			})
		})
	}
}

func TestWhatSocialMessagingRefusesIsDoneWithout(t *testing.T) {
	byModification := func(q ringcentral.SocialQuery) bool {
		return q.OrderBy == ringcentral.OldestModified || q.OrderBy == ringcentral.NewestModified
	}
	for fact, c := range map[string]struct {
		refuse    func(q ringcentral.SocialQuery) error
		rows      int
		unordered float64
	}{
		"an order, named": {func(q ringcentral.SocialQuery) error {
			return when(byModification(q), refusal(400, ringcentral.ErrOrderRefused))
		}, 160, 1},
		"an order, not named": {func(q ringcentral.SocialQuery) error { return when(byModification(q), refusal(422, nil)) }, 160, 1},
		"an order, 500":       {func(q ringcentral.SocialQuery) error { return when(byModification(q), refusal(500, nil)) }, 160, 1},
		"one way of an order": {func(q ringcentral.SocialQuery) error {
			return when(q.OrderBy == ringcentral.NewestModified, refusal(400, ringcentral.ErrOrderRefused))
		}, 160, 1},
		"a page size":    {func(q ringcentral.SocialQuery) error { return when(q.PerPage > 30, refusal(400, nil)) }, 160, 1},
		"any page size":  {func(q ringcentral.SocialQuery) error { return when(q.PerPage > 0, refusal(422, nil)) }, 160, 1},
		"a row, deep":    {func(q ringcentral.SocialQuery) error { return poisoned(q, 120, 500) }, 120, 0},
		"a row, shallow": {func(q ringcentral.SocialQuery) error { return poisoned(q, 5, 500) }, 5, 0},
	} {
		t.Run(fact, func(t *testing.T) {
			pagesBubble(t, func(t *testing.T, b *platformBench, p *pages, ids []string) {
				p.answer = func(q ringcentral.SocialQuery, _ int) (ringcentral.SocialPage, bool, error) {
					return ringcentral.SocialPage{}, false, c.refuse(q)
				}
				b.begin(t)
				time.Sleep(time.Minute)
				require.ElementsMatch(t, ids[:c.rows], b.inbox.ids("content"))
				require.InDelta(t, c.unordered, b.metric(t, "unordered", "social/contents"), 0)
				require.InDelta(t, 0, b.metric(t, "halted", "social/contents"), 0)
				p.heal()
				time.Sleep(3 * time.Hour)
				require.ElementsMatch(t, ids, b.inbox.ids("content"))
				require.InDelta(t, 0, b.metric(t, "unordered", "social/contents"), 0, "it is asked again with each sweep")
			})
		})
	}
}

func when(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}

func poisoned(q ringcentral.SocialQuery, row, status int) error {
	from := 0
	_, _ = fmt.Sscanf(q.PageToken, "T%d", &from)
	size := min(q.PerPage, 50)
	if size == 0 {
		size = 50
	}
	newest := q.OrderBy == "" || q.OrderBy == ringcentral.NewestModified
	return when(newest && from <= row && row < from+size, refusal(status, nil))
}
