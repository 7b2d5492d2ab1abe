package main_test

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ringbridge/ringbridge/internal/samples"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// notify sends a notification of the platform and returns the answer's status.
func (r *running) notify(t *testing.T, token, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.public+"/webhooks/ringcentral", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Verification-Token", token)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}

// Notifications come to any replica, and one of them runs the stream.
func TestAHintWakesTheOwnerWhicheverReplicaGetsIt(t *testing.T) {
	w := newWorld(t)
	account := w.withAccount(t, sandbox.Config{}).Platform()
	w.env["RINGCENTRAL_WEBHOOK_TOKEN"], w.env["POLL_INTERVAL"] = "hunter2", "1h"
	replicas := []*running{startBridge(t, w.env), startBridge(t, w.env)}
	for _, r := range replicas {
		r.waitReady(t)
	}
	w.dividedAmong(t, len(replicas))
	silent := false
	for n, r := range replicas {
		_, err := account.ImportMessages(sandbox.MessageImport{Instant: &silent, Hint: &silent})
		require.NoError(t, err)
		hint := `{"uuid":"` + strconv.Itoa(n) + `","event":"/restapi/v1.0/account/1/extension/2/message-store","body":{}}`
		require.Equal(t, http.StatusOK, r.notify(t, "hunter2", hint))
		require.Eventually(t, func() bool { return w.arrivals(t, "kind=message") == n+1 }, 20*time.Second, 50*time.Millisecond, "%s", &r.err)
	}
}

// dividedAmong waits until the pollers' group has that many members, and agrees.
func (w *world) dividedAmong(t *testing.T, members int) {
	t.Helper()
	require.Eventually(t, func() bool {
		groups, err := kadm.NewClient(w.client).DescribeGroups(t.Context(), "ringcentral.poll")
		require.NoError(t, err)
		group := groups["ringcentral.poll"]
		return group.State == "Stable" && len(group.Members) == members
	}, 30*time.Second, 50*time.Millisecond)
}

func TestABridgeFromNotificationToEvent(t *testing.T) {
	w := newWorld(t)
	env := maps.Clone(w.env)
	env["RINGCENTRAL_WEBHOOK_TOKEN"] = "hunter2,hunter3"
	r := startBridge(t, env)
	r.waitReady(t)
	sample := string(samples.Get("rc_event_instant_sms_doc"))
	require.Equal(t, http.StatusUnauthorized, r.notify(t, "hunter", sample))
	require.Equal(t, http.StatusOK, r.notify(t, "hunter3", sample))
	got := w.run(t, "tail", "messages", "--from", "beginning", "--max", "1")
	require.Zero(t, got.code, got.err)
	record := lines(t, got.out)[0]
	require.Equal(t, "7876416245344257449", record["key"])
	require.Equal(t, "Hi there", record["value"].(map[string]any)["message"].(map[string]any)["text"])
	require.Zero(t, r.end(), "%s", &r.err)
	require.NotContains(t, r.err.String(), "hunter")
	require.NotContains(t, r.err.String(), "not supported")
}
