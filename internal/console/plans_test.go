package console_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// planned makes a plan and returns its address once it is ready.
func (b *bench) planned(form url.Values) string {
	b.t.Helper()
	answer := b.post("/letters/plans", form)
	require.Equal(b.t, http.StatusSeeOther, answer.code, answer.body)
	b.until(answer.header.Get("Location"), func(body string) bool { return !strings.Contains(body, "Finding out") })
	return answer.header.Get("Location")
}

// until waits for a page to be so.
func (b *bench) until(path string, so func(string) bool) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return so(b.get(path).body) }, waitAtMost, poll)
}

func TestNothingHappensBeforeTheYes(t *testing.T) {
	b, data := set(t), &fakeData{}
	data.connect(b)
	plan := b.planned(url.Values{"do": {"send-back selected"}, "which": {"3/7", "3/8"}})
	body := b.get(plan).body
	for _, fact := range []string{"Send back 3 letters?", "2 forbidden", "1 ambiguous", "1 succeeded", "3/9: succeeded", "may be there", "Yes, send back 3 letters"} {
		require.Contains(t, body, fact)
	}
	nameless := b.post(plan, url.Values{"name": {" \n"}})
	require.Equal(t, http.StatusUnprocessableEntity, nameless.code)
	require.Contains(t, nameless.body, "it goes into the log")
	require.Zero(t, data.sent.Load())
}

func TestAYesThatIsSentManyTimesActsOnce(t *testing.T) {
	for action, times := range map[string]func(*fakeData) int32{
		"send-back": func(f *fakeData) int32 { return f.sent.Load() },
		"discard":   func(f *fakeData) int32 { return f.discarded.Load() },
	} {
		t.Run(action, func(t *testing.T) {
			b, data := set(t), &fakeData{hold: make(chan struct{})}
			data.connect(b)
			plan := b.planned(url.Values{"do": {action + " all"}, "reason": {"forbidden"}, "since": {"6h"}})
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() { b.post(plan, url.Values{"name": {"Ann\n at=night"}}) })
			}
			all.Wait()
			b.until(plan, func(body string) bool { return strings.Contains(body, "1 of 3 letters") })
			require.Contains(t, b.get(plan).body, `http-equiv="refresh"`, "it renews itself without script")
			close(data.hold)
			b.until(plan, func(body string) bool { return strings.Contains(body, "Done: 3 letters") })
			require.NotContains(t, b.get(plan).body, `http-equiv="refresh"`)
			require.Equal(t, http.StatusSeeOther, b.post(plan, url.Values{"name": {"Ann"}}).code)
			require.Equal(t, int32(1), times(data))
			require.Equal(t, "Ann at=night", data.by.Load())
			log := b.log.String()
			require.Contains(t, log, "reason forbidden")
			require.Contains(t, log, `by="Ann at=night"`)
			require.Contains(t, log, "remote=127.0.0.1")
			require.NotContains(t, b.get("/letters/plans/none").body, "Yes")
		})
	}
}

func TestAPlanThatCannotBeMadeSaysWhy(t *testing.T) {
	b, data := set(t), &fakeData{err: errors.New("brokers are away")}
	data.connect(b)
	plan := b.planned(url.Values{"do": {"discard all"}})
	require.Contains(t, b.get(plan).body, "brokers are away")
	require.Contains(t, b.get(plan).body, "Nothing has been done")
	b.post(plan, url.Values{"name": {"Ann"}})
	require.Zero(t, data.discarded.Load())
}

func TestAFormThatMeansNothingDoesNothing(t *testing.T) {
	b, data := set(t), &fakeData{}
	data.connect(b)
	for fact, form := range map[string]url.Values{
		"nothing is selected": {"do": {"discard selected"}},
		"no action":           {"do": {" all"}},
		"no scope":            {"do": {"discard"}},
		"another topic":       {"do": {"discard all"}, "topic": {"contents"}},
		"another reason":      {"do": {"discard all"}, "reason": {"weather"}},
		"another state":       {"do": {"discard all"}, "state": {"lost"}},
		"no time":             {"do": {"discard all"}, "since": {"lunch"}},
		"not a place":         {"do": {"discard selected"}, "which": {"all"}},
	} {
		require.Equal(t, http.StatusBadRequest, b.post("/letters/plans", form).code, fact)
	}
	require.Zero(t, data.plans.Load())
	require.Equal(t, http.StatusServiceUnavailable, set(t).post("/letters/plans", url.Values{"do": {"discard all"}}).code, "before Kafka is reached")
}
