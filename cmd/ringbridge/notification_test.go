package main_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/samples"
)

func TestABridgeFromNotificationToEvent(t *testing.T) {
	w := newWorld(t)
	env := maps.Clone(w.env)
	env["RINGCENTRAL_WEBHOOK_TOKEN"] = "hunter2,hunter3"
	r := startBridge(t, env)
	r.waitReady(t)
	notify := func(token string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.public+"/webhooks/ringcentral",
			strings.NewReader(string(samples.Get("rc_event_instant_sms_doc"))))
		require.NoError(t, err)
		req.Header.Set("Verification-Token", token)
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		return resp.StatusCode
	}
	require.Equal(t, http.StatusUnauthorized, notify("hunter"))
	require.Equal(t, http.StatusOK, notify("hunter3"))
	got := w.run(t, "tail", "messages", "--from", "beginning", "--max", "1")
	require.Zero(t, got.code, got.err)
	record := lines(t, got.out)[0]
	require.Equal(t, "7876416245344257449", record["key"])
	require.Equal(t, "Hi there", record["value"].(map[string]any)["message"].(map[string]any)["text"])
	require.Zero(t, r.end(), "%s", &r.err)
	require.NotContains(t, r.err.String(), "hunter")
	require.NotContains(t, r.err.String(), "not supported")
}
