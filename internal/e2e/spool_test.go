//go:build real

package e2e_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// TestWebhooksOutliveTheBroker sends 200 webhooks a second. The broker is killed,
// the bridge is killed and started again without it, then the broker comes back.
// No webhook is refused, every event is published once, and each conversation has
// its order.
func TestWebhooksOutliveTheBroker(t *testing.T) {
	w := newWorld(t, sandbox.Config{}, map[string]string{
		"ENGAGE_BASE_URL": "", "ENGAGE_ACCESS_TOKEN": "", "SPOOL_DIR": filepath.Join(t.TempDir(), "spool"),
	})
	public, admin := freePort(t), freePort(t)
	b := w.start(public, admin)
	senders := newSenders(b)

	time.Sleep(2 * time.Second)
	require.NoError(t, parts.Kafka.Kill())
	time.Sleep(4 * time.Second)
	require.NotEmpty(t, w.segments())

	senders.restarting.Store(true)
	b.kill()
	b = w.launch(public, admin)
	b.ready()
	senders.restarting.Store(false)
	require.Eventually(t, func() bool {
		status, body, err := get(b.admin + "/readyz")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, "webhooks are taken in")
		return strings.Contains(body, "kafka")
	}, time.Minute, 50*time.Millisecond, "what is missing is told, once it was looked for")
	time.Sleep(3 * time.Second)

	require.NoError(t, parts.Kafka.Restart(t.Context()))
	time.Sleep(3 * time.Second)
	sent := senders.stop()
	require.Empty(t, senders.refused())
	require.Greater(t, sent, 5*spoolPerSec)

	w.drained(b)
	w.published()
	require.Equal(t, 0, b.stop())
	require.Equal(t, tally{events: sent}, w.tally(senders.taken))
	require.NotContains(t, b.log.String(), "damaged")
}

func (w *world) segments() []string {
	found, err := filepath.Glob(filepath.Join(w.env["SPOOL_DIR"], "*.spool"))
	require.NoError(w.t, err)
	return found
}

// drained waits until the spool holds nothing any more.
func (w *world) drained(b *bridge) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return len(w.segments()) == 0 }, waitLong, 50*time.Millisecond, "%s", b.log)
}
