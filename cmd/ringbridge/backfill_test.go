package main_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	ringbridge "github.com/ringbridge/ringbridge/cmd/ringbridge"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// withAccount adds a simulated account to the world, and the settings that lead to it.
func (w *world) withAccount(t *testing.T, cfg sandbox.Config) *sandbox.Server {
	t.Helper()
	account := sandbox.New(cfg, sandbox.Deps{})
	server := httptest.NewServer(account.Handler())
	t.Cleanup(func() {
		server.Close()
		account.Close()
	})
	maps.Copy(w.env, map[string]string{
		"ENGAGE_BASE_URL": server.URL + "/1.0", "ENGAGE_ACCESS_TOKEN": sandbox.DefaultToken, "ENGAGE_RATE": "0",
		"RINGCENTRAL_SERVER_URL": server.URL, "RINGCENTRAL_CLIENT_ID": sandbox.DefaultClientID,
		"RINGCENTRAL_CLIENT_SECRET": sandbox.DefaultClientSecret, "RINGCENTRAL_JWT": sandbox.DefaultJWT,
	})
	return account
}

// arrivals returns how many records of a kind the inbox has.
func (w *world) arrivals(t *testing.T, filters ...string) int {
	t.Helper()
	args := []string{"tail", "inbox", "--from", "beginning", "--no-follow"}
	for _, filter := range filters {
		args = append(args, "--filter", filter)
	}
	got := w.run(t, args...)
	require.Zero(t, got.code, got.err)
	return len(lines(t, got.out))
}

func TestBackfillPutsHistoryIntoTheInbox(t *testing.T) {
	w := newWorld(t).withTopics(t)
	account := w.withAccount(t, sandbox.Config{Seed: 1})
	quiet := false
	for _, at := range []time.Duration{-72 * time.Hour, -30 * time.Hour, -20 * time.Hour} {
		_, err := account.Import(sandbox.Import{CreatedAt: time.Now().Add(at), Count: 200, Author: "Ann", Webhook: &quiet})
		require.NoError(t, err)
	}
	_, err := account.Platform().ImportMessages(sandbox.MessageImport{CreatedAt: time.Now().Add(-25 * time.Hour), Count: 3, Instant: &quiet, Hint: &quiet})
	require.NoError(t, err)
	_, err = account.Platform().ImportContents(sandbox.SocialImport{CreatedAt: time.Now().Add(-25 * time.Hour), Count: 4, Author: "Bob", Notify: &quiet})
	require.NoError(t, err)

	got := w.run(t, "backfill", "--since", "48h")
	require.Zero(t, got.code, got.err)
	for _, line := range []string{
		"done    engage/contents: 400 rows written", "done    engage/identities: ",
		"done    social/contents: 4 rows written", "done    sms/messages: 3 rows written",
	} {
		require.Contains(t, got.out, line)
	}
	require.Equal(t, 404, w.arrivals(t, "kind=content", "origin=BACKFILL", "account=default"))
	require.Equal(t, 3, w.arrivals(t, "kind=message", "api=SMS"))

	// A second start adds nothing but what may share a second with its place.
	got = w.run(t, "backfill", "--since", "48h", "--only", "engage/contents")
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, "done    engage/contents: 0 rows written")
	got = w.run(t, "backfill", "--since", "48h", "--only", "engage/contents", "--restart")
	require.Contains(t, got.out, "done    engage/contents: 400 rows written")
	require.NotContains(t, got.out+got.err, sandbox.DefaultToken)
}

// One stream that cannot be read in full neither hides it nor holds up the others.
func TestBackfillSaysWhatIsMissing(t *testing.T) {
	w := newWorld(t).withTopics(t)
	account := w.withAccount(t, sandbox.Config{Seed: 1})
	quiet := false
	_, err := account.Platform().ImportContents(sandbox.SocialImport{CreatedAt: time.Now().Add(-25 * time.Hour), Count: 1200, Author: "Bob", Notify: &quiet})
	require.NoError(t, err)
	_, err = account.Platform().ImportMessages(sandbox.MessageImport{CreatedAt: time.Now().Add(-25 * time.Hour), Count: 3, Instant: &quiet, Hint: &quiet})
	require.NoError(t, err)
	_, err = account.AddFault(sandbox.Fault{Quirk: "page_token_refused", Value: json.RawMessage(`"400 CMN-101"`)})
	require.NoError(t, err)

	got := w.run(t, "backfill", "--since", "48h", "--only", "social/contents,sms/messages")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "INCOMPLETE social/contents: 1000 rows written; rows after ")
	require.Contains(t, got.out, "run the same command again later")
	require.Contains(t, got.out, "done    sms/messages: 3 rows written")
	account.ClearFaults()
	got = w.run(t, "backfill", "--since", "48h", "--only", "social/contents")
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, "done    social/contents: 1200 rows written")
}

func TestABackfillThatIsInterruptedSaysHowToGoOn(t *testing.T) {
	w := newWorld(t).withTopics(t)
	account := w.withAccount(t, sandbox.Config{Seed: 1})
	quiet := false
	_, err := account.Import(sandbox.Import{CreatedAt: time.Now().Add(-time.Hour), Count: 5, Webhook: &quiet})
	require.NoError(t, err)
	_, err = account.AddFault(sandbox.Fault{Route: "GET /1.0/contents", Hang: true})
	require.NoError(t, err)

	p := start(t, w.env, "backfill", "--since", "2h", "--only", "engage/contents", "--rate-share", "0.25")
	require.Eventually(t, func() bool { return account.CallCounts() != nil && len(account.Calls()) > 0 }, 20*time.Second, 20*time.Millisecond, "%s", &p.err)
	room, err := ringbridge.RoomBeside(t.Context(), kadm.NewClient(w.client), "ringcentral.")
	require.NoError(t, err)
	require.InDelta(t, 0.75, room, 0.001, "the bridge leaves it its share")
	twin := w.run(t, "backfill", "--since", "2h", "--only", "engage/contents")
	require.Equal(t, 1, twin.code)
	require.Contains(t, twin.err, "another backfill is running")

	require.Equal(t, 130, p.end(), "%s", &p.err)
	require.Contains(t, p.out.String(), "stopped engage/contents: what it wrote is safe; the same command goes on from there")
	room, err = ringbridge.RoomBeside(t.Context(), kadm.NewClient(w.client), "ringcentral.")
	require.NoError(t, err)
	require.InDelta(t, 1, room, 0.001, "and has it back")
}

func TestBackfillRefusesAWrongCommandLine(t *testing.T) {
	w := newWorld(t).withTopics(t)
	w.withAccount(t, sandbox.Config{})
	for args, want := range map[string]string{
		"backfill":                               "--since: want",
		"backfill --since yesterday":             "--since: want",
		"backfill --since 2h --until 3h":         "its beginning first",
		"backfill --since 2h --rate-share 1":     "--rate-share: want",
		"backfill --since 2h --only engage/tags": "want engage/identities, social/identities, engage/contents, social/contents, sms/messages",
	} {
		got := w.run(t, strings.Fields(args)...)
		require.Equal(t, 2, got.code, args)
		require.Contains(t, got.err, want)
	}
	delete(w.env, "ENGAGE_BASE_URL")
	for _, name := range []string{"RINGCENTRAL_CLIENT_ID", "RINGCENTRAL_CLIENT_SECRET", "RINGCENTRAL_JWT"} {
		delete(w.env, name)
	}
	require.Contains(t, w.run(t, "backfill", "--since", "2h").err, "no API is configured")
}

func TestProgressIsABarOnATerminalAndLinesElsewhere(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for terminal, want := range map[bool]string{
		true: "\rx [------------------------]   0 %, 0 rows" +
			"\rx [######------------------]  25 %, 500 rows, 25/s, 1m0s left, at noon" +
			"\r" + strings.Repeat(" ", len("x [######------------------]  25 %, 500 rows, 25/s, 1m0s left, at noon")) + "\rdone\n",
		false: "x   0 %, 0 rows\nx  25 %, 500 rows, 25/s, 1m0s left, at noon\ndone\n",
	} {
		var out strings.Builder
		p := ringbridge.Progress(&out, terminal, func() time.Time { return now })
		p.Show("x", 0, 0, "")
		now = now.Add(100 * time.Millisecond)
		p.Show("x", 0.9, 1, "too soon")
		now = now.Add(20*time.Second - 100*time.Millisecond)
		p.Show("x", 0.25, 500, "at noon")
		p.End("done")
		require.Equal(t, want, out.String())
	}
}

// Both together keep the limit: what the backfill may use, the bridge leaves.
func TestTheBridgeMakesRoomForABackfill(t *testing.T) {
	w := newWorld(t).withTopics(t)
	account := w.withAccount(t, sandbox.Config{})
	w.env["ENGAGE_RATE"] = "400"
	r := startBridge(t, w.env)
	r.waitReady(t)
	budget := func(want string) func() bool {
		return func() bool {
			_, page, _ := call(t, http.MethodGet, "http://"+r.private+"/metrics", "")
			return strings.Contains(page, `ringbridge_api_budget_calls_per_minute{api="engage",group="all"} `+want+"\n")
		}
	}
	require.Eventually(t, budget("400"), 20*time.Second, 50*time.Millisecond)
	_, err := account.AddFault(sandbox.Fault{Route: "GET /1.0/contents", Hang: true})
	require.NoError(t, err)
	p := start(t, w.env, "backfill", "--since", "2h", "--only", "engage/contents", "--rate-share", "0.25")
	require.Eventually(t, budget("300"), 20*time.Second, 50*time.Millisecond, "%s", &p.err)
	require.Equal(t, 130, p.end(), "%s", &p.err)
	require.Eventually(t, budget("400"), 20*time.Second, 50*time.Millisecond)
	require.Zero(t, r.end(), "%s", &r.err)
}
