package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
)

// TestABridgeGoesOnWhenATopicWasCreatedAgain deletes the inbox under a bridge. What runs on Kafka is
// shown again, for every topic, on the real one: internal/e2e.
func TestABridgeGoesOnWhenATopicWasCreatedAgain(t *testing.T) {
	w := newWorld(t)
	r := startBridge(t, w.env)
	r.waitReady(t)
	_, err := kadm.NewClient(w.client).DeleteTopic(t.Context(), "ringcentral.inbox")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		status, reasons := r.readyz(t)
		return status == http.StatusServiceUnavailable && strings.Contains(reasons, "topic ringcentral.inbox was deleted")
	}, 20*time.Second, 20*time.Millisecond, "%s", &r.err)
	require.Zero(t, w.run(t, "topics", "apply").code)
	require.Eventually(t, func() bool { return strings.Contains(r.err.String(), "starting again with new clients") }, 20*time.Second, 20*time.Millisecond, "%s", &r.err)
	r.waitReady(t)
	require.Eventually(t, func() bool {
		status, _, _ := call(t, http.MethodPost, "http://"+r.public+"/webhooks/engage", webhookBody)
		return status == http.StatusOK
	}, 20*time.Second, 100*time.Millisecond, "%s", &r.err)
	got := w.run(t, "tail", "contents", "--from", "beginning", "--max", "1")
	require.Equal(t, "c1", lines(t, got.out)[0]["value"].(map[string]any)["content"].(map[string]any)["id"])
	require.Zero(t, r.end(), "%s", &r.err)
}
