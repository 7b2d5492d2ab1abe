package main_test

import (
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// heldUntil returns until when the bridge holds a budget, as its metrics say; zero
// if it never did.
func (r *running) heldUntil(t *testing.T, api, group string) time.Time {
	t.Helper()
	_, page, _ := call(t, http.MethodGet, "http://"+r.private+"/metrics", "")
	found := regexp.MustCompile(`hold_until_timestamp_seconds\{api="` + api + `",group="` + group + `"\} (\S+)`).FindStringSubmatch(page)
	if found == nil || found[1] == "0" {
		return time.Time{}
	}
	seconds, err := strconv.ParseFloat(found[1], 64)
	require.NoError(t, err)
	return time.UnixMilli(int64(seconds * 1000))
}

// Both APIs count by account: what one process is told holds for all of them, also
// for those that start later, as each call inside a window begins it anew.
func TestAPenaltyWindowIsKeptByAllProcesses(t *testing.T) {
	w := newWorld(t)
	account := w.withAccount(t, sandbox.Config{})
	other := startBridge(t, w.env, "--only", "consume")
	other.waitReady(t)
	for _, route := range []string{"GET /1.0/contents", "GET /restapi/v1.0/account/{account}/extension/{extension}/message-sync"} {
		_, err := account.AddFault(sandbox.Fault{Route: route, Status: 429, RetryAfter: "600", Times: 1})
		require.NoError(t, err)
	}
	told := startBridge(t, w.env)
	told.waitReady(t)
	for api, group := range map[string]string{"engage": "all", "platform": "route:unnamed"} {
		for _, r := range []*running{told, other, startBridge(t, w.env, "--only", "consume")} {
			require.Eventually(t, func() bool { return !r.heldUntil(t, api, group).IsZero() }, 20*time.Second, 20*time.Millisecond, "%s: %s", api, &r.err)
			require.WithinDuration(t, time.Now().Add(10*time.Minute), r.heldUntil(t, api, group), time.Minute)
		}
	}
	made := len(account.Calls())
	backfill := start(t, w.env, "backfill", "--since", "2h", "--only", "engage/contents")
	require.Eventually(t, func() bool {
		return regexp.MustCompile("rate limited, as another process was told").MatchString(backfill.err.String())
	}, 20*time.Second, 20*time.Millisecond, "%s", &backfill.err)
	require.Equal(t, 130, backfill.end(), "%s", &backfill.err)
	for _, c := range account.Calls()[made:] {
		require.NotContains(t, c.Path, "/1.0/contents")
	}
}

// Two that start together, and one that comes later, never allow themselves more than
// the limit between them.
func TestSharesOfReplicasThatStartAreNeverMoreThanTheLimit(t *testing.T) {
	w := newWorld(t)
	w.withAccount(t, sandbox.Config{})
	w.env["ENGAGE_RATE"] = "400"
	replicas := []*running{startBridge(t, w.env), startBridge(t, w.env)}
	most := 0.0
	sum := func() (sum float64) {
		for _, r := range replicas {
			_, page, _ := call(t, http.MethodGet, "http://"+r.private+"/metrics", "")
			if found := regexp.MustCompile(`budget_calls_per_minute\{api="engage",group="all"\} (\S+)`).FindStringSubmatch(page); found != nil {
				budget, err := strconv.ParseFloat(found[1], 64)
				require.NoError(t, err)
				sum += budget
			}
		}
		most = max(most, sum)
		return sum
	}
	require.Eventually(t, func() bool { return sum() > 395 }, 30*time.Second, 20*time.Millisecond)
	replicas = append(replicas, startBridge(t, w.env))
	replicas[2].waitReady(t)
	require.Eventually(t, func() bool { return sum() > 395 && sum() < 401 }, 30*time.Second, 20*time.Millisecond)
	require.Less(t, most, 1.3*400, "for one look: a replica that was alone until then, and the first call of each other")
}
