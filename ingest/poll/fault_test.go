package poll_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

func answer(status int, after time.Duration) error {
	return &ringcentral.Error{Op: "list_contents", Status: status, RetryAfter: after}
}

func TestEveryAnswerIsJudged(t *testing.T) {
	results := map[int]poll.Result{401: "unauthorized", 403: "forbidden", 408: "unavailable", 429: "rate_limited", 0: "unavailable"}
	for status := 300; status < 600; status++ {
		want, known := results[status]
		switch {
		case known:
		case status >= 400 && status < 500:
			want = "refused"
		default:
			want = "unavailable"
		}
		require.Equal(t, want, poll.Judge(fmt.Errorf("x: %w", answer(status, 0))), status)
	}
	require.Equal(t, poll.Result("ok"), poll.Judge(nil))
	require.Equal(t, poll.Result("rate_limited"), poll.Judge(&ringcentral.Error{Err: ringcentral.ErrNoBudget}))
	require.Equal(t, poll.Result("unavailable"), poll.Judge(errors.New("anything")))
}

func TestBackoffDoublesUpToAMinute(t *testing.T) {
	for n, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		want := time.Duration(seconds) * time.Second
		require.Equal(t, want/2, poll.Backoff(n+1, 0))
		require.InDelta(t, want, poll.Backoff(n+1, 0.9999999), float64(time.Millisecond))
	}
	require.LessOrEqual(t, poll.Backoff(100_000, 1), time.Minute)
}

func TestTheWaitIsAtLeastWhatIsAsked(t *testing.T) {
	const interval = 30 * time.Second
	require.Equal(t, 90*time.Second, poll.Wait(answer(429, 90*time.Second), 1, interval, 0))
	require.Equal(t, interval, poll.Wait(answer(429, 0), 1, interval, 0))
	require.Equal(t, time.Minute, poll.Wait(answer(429, 0), 20, interval, 1))
	require.Equal(t, 5*time.Second, poll.Wait(answer(503, 5*time.Second), 1, interval, 0))
	require.Equal(t, time.Second/2, poll.Wait(answer(503, 0), 1, interval, 0))
	for _, status := range []int{400, 401, 403, 404} {
		require.Equal(t, time.Minute, poll.Wait(answer(status, 0), 1, interval, 0))
	}
}

func TestAnIdTellsWhenItsRowWasImported(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	id := func(at time.Time) string { return fmt.Sprintf("%08X0123456789abcdef", at.Unix()) }
	for fact, c := range map[string]struct {
		id   string
		want time.Time
	}{
		"an id":                    {id(now.Add(-time.Hour)), now.Add(-time.Hour)},
		"half an hour ahead":       {id(now.Add(time.Hour / 2)), now.Add(time.Hour / 2)},
		"two hours ahead":          {id(now.Add(2 * time.Hour)), time.Time{}},
		"before the API":           {id(now.AddDate(-17, 0, 0)), time.Time{}},
		"too short":                {id(now)[:23], time.Time{}},
		"too long":                 {id(now) + "0", time.Time{}},
		"not hexadecimal":          {id(now)[:23] + "g", time.Time{}},
		"a number":                 {"123456789012345678901234", time.Time{}},
		"nothing":                  {"", time.Time{}},
		"the largest there can be": {strings.Repeat("f", 24), time.Time{}},
	} {
		t.Run(fact, func(t *testing.T) { require.True(t, c.want.Equal(poll.ImportTime(c.id, now))) })
	}
}

func TestTimesAreReadInEveryFormSeen(t *testing.T) {
	want := time.Date(2020, 11, 25, 19, 40, 9, 0, time.UTC)
	for _, text := range []string{
		"2020-11-25T19:40:09Z", "2020-11-25T19:40:09.000Z", "2020-11-25T20:40:09+01:00", "2020-11-25T19:40:09.000+0000",
		"2020-11-25 19:40:09 UTC", "2020-11-25T19:40:09", "1606333209", "1606333209000",
	} {
		require.True(t, want.Equal(poll.ReadTime(text, want)), text)
	}
	for _, text := range []string{"", "yesterday", "2020-11-25", "0000-00-00T00:00:00Z", "2020-11-27T19:40:09Z"} {
		require.True(t, poll.ReadTime(text, want).IsZero(), text)
	}
}

// refuse makes calls for the lists fail until heal is called.
func refuse(b *bench, err error, lists ...string) (heal func()) {
	b.source.hook(func(_ context.Context, list string, _ int) error {
		if slices.Contains(lists, list) {
			return err
		}
		return nil
	})
	return func() { b.source.hook(nil) }
}

func TestARefusedTokenHaltsTheDirectionUntilItWorksAgain(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.begin(t)
		time.Sleep(settle)
		heal := refuse(b, answer(http.StatusUnauthorized, 0), "contents", "identities")
		time.Sleep(time.Minute)
		require.Contains(t, b.health.all(), "ENGAGE_ACCESS_TOKEN")
		require.InDelta(t, 1, b.metric(t, "unauthorized"), 0)
		calls := b.source.called("contents") + b.source.called("identities")
		time.Sleep(20 * time.Minute)
		require.InDelta(t, 20, b.source.called("contents")+b.source.called("identities")-calls, 1, "one a minute")
		ids := b.source.arrive(10, time.Now().Add(-20*time.Minute))
		heal()
		time.Sleep(2 * time.Minute)
		require.Equal(t, "map[]", b.health.all())
		require.InDelta(t, 0, b.metric(t, "unauthorized"), 0)
		require.ElementsMatch(t, ids, b.inbox.ids("content"))
	})
}

func TestAForbiddenStreamHaltsAlone(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		heal := refuse(b, answer(http.StatusForbidden, 0), "identities")
		b.begin(t)
		time.Sleep(10*time.Minute + settle)
		require.Equal(t, "map[]", b.health.all(), "the other stream works")
		require.InDelta(t, 11, b.source.called("identities"), 1, "one a minute")
		require.Greater(t, b.source.called("contents"), 20)
		require.InDelta(t, 1, b.metric(t, "halted", "engage/identities"), 0)
		require.InDelta(t, 0, b.metric(t, "halted", "engage/contents"), 0)
		heal()
		time.Sleep(2 * time.Minute)
		require.InDelta(t, 0, b.metric(t, "halted", "engage/identities"), 0)
	})
}

func TestAWrongAddressIsToldToTheOperator(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		heal := refuse(b, answer(http.StatusNotFound, 0), "contents", "identities")
		b.begin(t)
		time.Sleep(5 * time.Minute)
		require.Contains(t, b.health.all(), "ENGAGE_BASE_URL")
		require.LessOrEqual(t, b.source.called("contents"), 6)
		heal()
		time.Sleep(2 * time.Minute)
		require.Equal(t, "map[]", b.health.all())
	})
}

func TestRateLimitsAreObeyedAndCostNothing(t *testing.T) {
	for fact, c := range map[string]struct {
		after time.Duration
		most  int // calls in ten minutes
	}{
		"with Retry-After":    {4 * time.Minute, 4},
		"without Retry-After": {0, 21},
	} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				ids := b.source.stream(400, time.Now(), time.Second)
				heal := refuse(b, answer(http.StatusTooManyRequests, c.after), "contents")
				b.begin(t)
				time.Sleep(10 * time.Minute)
				require.LessOrEqual(t, b.source.called("contents"), c.most)
				heal()
				time.Sleep(5 * time.Minute)
				require.Equal(t, ids, b.inbox.ids("content"))
			})
		})
	}
}

func TestFailuresOfTheAPIAreWaitedOut(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		ids := b.source.stream(2000, time.Now(), 400*time.Millisecond)
		b.source.hook(func(_ context.Context, _ string, n int) error {
			if n%3 == 0 { // every third call
				return answer(http.StatusInternalServerError, 0)
			}
			return nil
		})
		b.begin(t)
		time.Sleep(2 * time.Minute)
		require.Equal(t, ids, b.inbox.ids("content"), "one failed page does not begin a pass anew")
		heal := refuse(b, answer(http.StatusBadGateway, 0), "contents", "identities")
		before := b.source.called("contents")
		time.Sleep(time.Hour)
		require.LessOrEqual(t, b.source.called("contents")-before, 500)
		require.Equal(t, "map[]", b.health.all(), "an outage of the API passes by itself")
		ids = append(ids, b.source.stream(1000, time.Now(), 3*time.Second)...)
		heal()
		time.Sleep(2 * time.Minute)
		require.Equal(t, ids, b.inbox.ids("content"))
	})
}

func TestARowThatTheInboxCannotHoldDoesNotStopTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		ids := b.source.arrive(30, time.Now())
		b.inbox.hook(func(_ context.Context, items []ingest.Item) error {
			for _, item := range items {
				if *item.Arrival.ResourceID == ids[11] {
					return fmt.Errorf("x: %w", ingest.ErrTooLarge)
				}
			}
			return nil
		})
		b.begin(t)
		time.Sleep(10 * time.Minute)
		require.ElementsMatch(t, append(ids[:11:11], ids[12:]...), b.inbox.ids("content"))
		require.InDelta(t, 1, b.metric(t, "rows_too_large_total", "engage/contents"), 0)
	})
}

func TestRowsThatCannotBeReadAreTakenOnce(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.contents = []fakeRow{{id: "", at: time.Now()}, {id: "not-an-object-id", at: time.Now().Add(-1000 * time.Hour)}}
		b.begin(t)
		time.Sleep(10 * time.Minute)
		require.Len(t, b.inbox.all(), 2)
		require.Equal(t, []string{"not-an-object-id"}, b.inbox.ids("content"))
	})
}

// More than fits into memory at once comes in parts, in order all the same, and no
// part is claimed before it is there.
func TestALongAbsenceIsCaughtUpInParts(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.noCount, b.cfg.SweepInterval = true, 100*time.Hour // nothing else mends it
		b.source.arrive(1, time.Now())
		stop := b.begin(t)
		time.Sleep(settle)
		stop()
		b.source.remove(1)
		b.inbox.items = nil
		ids := b.source.stream(440, time.Now().Add(8*time.Hour), time.Minute)
		b.part = 279 * len(b.source.all()[0].json())
		time.Sleep(8 * time.Hour)
		b.inbox.hook(func(ctx context.Context, _ []ingest.Item) error {
			if len(b.inbox.all()) > 0 {
				b.die() // with the second part
				<-ctx.Done()
			}
			return ctx.Err()
		})
		b.begin(t)
		time.Sleep(settle)
		first := b.inbox.ids("content")
		require.Equal(t, ids[:len(first)], first)
		require.Greater(t, len(first), 100)
		require.Less(t, len(first), 285)
		b.inbox.hook(nil)
		b.begin(t)
		time.Sleep(settle)
		all := b.inbox.ids("content")[len(first):]
		require.Equal(t, ids[len(ids)-len(all):], all)
		require.GreaterOrEqual(t, len(first)+len(all), len(ids))
	})
}

func TestConfigNamesEveryFault(t *testing.T) {
	err := poll.Config{Interval: 0, Overlap: -1, SweepInterval: 0, Sweep: -2}.Validate()
	for _, variable := range []string{"POLL_INTERVAL", "POLL_OVERLAP", "POLL_SWEEP_INTERVAL", "POLL_SWEEP:"} {
		require.ErrorContains(t, err, variable)
	}
	require.ErrorContains(t, poll.Config{Interval: 1, Overlap: 3, SweepInterval: 1, Sweep: 2}.Validate(), "POLL_OVERLAP")
	require.NoError(t, config().Validate())
}

func TestIdentitiesComeInThoughTheirOrderIsRefused(t *testing.T) {
	for _, status := range []int{400, 422} {
		bubble(t, func(t *testing.T, b *bench) {
			now := time.Now().UTC().Truncate(time.Second)
			b.source.unsortable = status
			b.source.identities = []fakeRow{{id: "i1", at: now.Add(-time.Second)}, {id: "i2", at: now.Add(-2 * time.Second)}}
			b.begin(t)
			time.Sleep(2 * time.Minute)
			require.ElementsMatch(t, []string{"i1", "i2"}, b.inbox.ids("identity"))
			require.Zero(t, b.metric(t, "halted", "engage/identities"))
		})
	}
}

// TestADeepPageThatIsLimitedHoldsUpNothing: a 429 that comes again after its wait may concern one
// page alone.
func TestADeepPageThatIsLimitedHoldsUpNothing(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.stream(250, time.Now(), time.Second)
		b.source.refuse = func(list string, offset, _ int) error {
			if list == "contents" && offset >= 100 {
				return &ringcentral.Error{Op: "list_contents", Status: 429, Outcome: ringcentral.Refused}
			}
			return nil
		}
		b.begin(t)
		time.Sleep(5 * time.Minute)
		require.GreaterOrEqual(t, len(b.inbox.ids("content")), 150)
		id := b.source.arrive(1, time.Now())[0]
		time.Sleep(5 * time.Minute)
		require.Contains(t, b.inbox.ids("content"), id)
		b.source.change(func() { b.source.refuse = nil })
		time.Sleep(10 * time.Minute)
		require.Len(t, b.inbox.ids("content"), 251)
	})
}
