//go:build real

package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// TestAThousandContentsEachOnce serves 1,000 contents: 300 of them also come by
// webhook, 200 are inserted while pages are read, 20 come late with a date three
// days old. A reader sees 1,000 content.imported, each once. The second run is
// killed five times, and the broker is restarted under the third.
func TestAThousandContentsEachOnce(t *testing.T) {
	t.Run("undisturbed", func(t *testing.T) { thousand(t, func(*world, *bridge) *bridge { return nil }) })
	t.Run("killed", func(t *testing.T) {
		thousand(t, func(w *world, b *bridge) *bridge {
			for range 5 {
				pause(300, 900)
				b.kill()
				b = w.launch(b.public[len("http://"):], b.admin[len("http://"):])
			}
			return b
		})
	})
	t.Run("broker restarted", func(t *testing.T) {
		thousand(t, func(w *world, b *bridge) *bridge {
			pause(300, 900)
			require.NoError(w.t, parts.Kafka.Kill())
			require.NoError(w.t, parts.Kafka.Restart(w.t.Context()))
			return b
		})
	})
}

// pause lets a random time pass, so that a kill falls anywhere.
func pause(least, most int) {
	time.Sleep(time.Duration(least+rand.IntN(most-least)) * time.Millisecond)
}

func thousand(t *testing.T, disturb func(*world, *bridge) *bridge) {
	public, admin := freePort(t), freePort(t)
	hook := sandbox.Webhook{URL: "http://" + public + "/webhooks/engage", Secret: secret, VerifyToken: verify}
	w := newWorld(t, sandbox.Config{Webhook: hook}, map[string]string{
		"POLL_INTERVAL": "300ms", "POLL_SWEEP_INTERVAL": "5s", "ENRICH_TIMEOUT": "200ms",
	})
	w.box.SetDelivery(sandbox.Delivery{RetryScale: 0.05})
	b := w.start(public, admin)

	off := false
	put := func(n int, in sandbox.Import) {
		for i := range n {
			in.Body = fmt.Sprint("text ", i)
			_, err := w.box.Import(in)
			require.NoError(t, err)
		}
	}
	put(300, sandbox.Import{})
	put(480, sandbox.Import{Webhook: &off})
	var writing sync.WaitGroup
	writing.Go(func() {
		for range 200 {
			put(1, sandbox.Import{Webhook: &off})
			time.Sleep(5 * time.Millisecond) // so that they fall between pages
		}
		put(20, sandbox.Import{Webhook: &off, CreatedAt: time.Now().Add(-72 * time.Hour)})
	})
	if again := disturb(w, b); again != nil {
		b = again
	}
	writing.Wait()
	imported := func() map[string]int {
		seen := map[string]int{}
		for _, e := range w.contents() {
			require.Equal(t, "content.imported", e.EventType)
			seen[e.Content.ID]++
		}
		return seen
	}
	w.eventually(1000, 90*time.Second, func() int { return len(imported()) }, "contents imported")
	b.stop()
	seen := imported()
	require.Len(t, seen, 1000)
	for id, n := range seen {
		require.Equal(t, 1, n, id)
	}
	require.Empty(t, w.read(w.names.InboxDLQ))
}
