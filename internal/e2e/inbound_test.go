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
			if e.EventType != "content.updated" { // a row completes what its webhook left out
				require.Equal(t, "content.imported", e.EventType)
				seen[e.Content.ID]++
			}
		}
		return seen
	}
	w.eventually(1000, 2*time.Minute, func() int { return len(imported()) }, "contents imported")
	w.published()
	b.stop()
	seen := imported()
	require.Len(t, seen, 1000)
	for id, n := range seen {
		require.Equal(t, 1, n, id)
	}
	require.Empty(t, w.read(w.names.InboxDLQ))
}

// TestAuthorsAndAttachmentsComeFromTheAPI sends a webhook, which carries neither,
// and reads both from the event; the author is on identities once.
func TestAuthorsAndAttachmentsComeFromTheAPI(t *testing.T) {
	public := freePort(t)
	hook := sandbox.Webhook{URL: "http://" + public + "/webhooks/engage", Secret: secret, VerifyToken: verify}
	w := newWorld(t, sandbox.Config{Webhook: hook}, map[string]string{"POLL_INTERVAL": "300ms"})
	b := w.start(public, freePort(t))
	file := sandbox.Attachment{ID: "6b0180580000000007000abc", Filename: "cat.jpeg", ContentType: "image/jpeg", Size: 700754, URL: "https://example.com/cat.jpeg"}
	made, err := w.box.Import(sandbox.Import{Body: "look", Author: "Ann", Attachments: []sandbox.Attachment{file}})
	require.NoError(t, err)
	w.eventually(1, 20*time.Second, func() int { return len(w.contents()) }, "events")
	w.eventually(1, 20*time.Second, func() int { return len(w.read(w.names.Identities)) }, "identities")
	w.published()
	b.stop()
	events := w.contents()
	require.Len(t, events, 1)
	require.Equal(t, made[0].ID, events[0].Content.ID)
	require.Len(t, events[0].Content.Attachments, 1)
	require.Equal(t, "cat.jpeg", *events[0].Content.Attachments[0].Filename)
	require.Equal(t, int64(700754), *events[0].Content.Attachments[0].Size)
	require.NotNil(t, events[0].Author)
	require.Equal(t, "Ann", *events[0].Author.DisplayName)
	identities := w.read(w.names.Identities)
	require.Len(t, identities, 1, "met as an author and polled: one state")
	require.Equal(t, made[0].AuthorID, string(identities[0].Key))
}

// TestTwoReplicasShareAndOneMayDie runs two replicas, kills one, and counts.
func TestTwoReplicasShareAndOneMayDie(t *testing.T) {
	public := freePort(t)
	hook := sandbox.Webhook{URL: "http://" + public + "/webhooks/engage", Secret: secret, VerifyToken: verify}
	w := newWorld(t, sandbox.Config{Webhook: hook}, map[string]string{"POLL_INTERVAL": "300ms", "REPLIES_CALL_TIMEOUT": "2s"})
	w.box.SetDelivery(sandbox.Delivery{RetryScale: 0.05})
	stays := w.start(public, freePort(t))
	dies := w.start(freePort(t), freePort(t))
	var parents []sandbox.Content
	for i := range 60 {
		made, err := w.box.Import(sandbox.Import{Body: fmt.Sprint("question ", i)})
		require.NoError(t, err)
		parents = append(parents, made...)
		w.send(reply(fmt.Sprint("c", i), made[0].ThreadID, made[0].ID, fmt.Sprint("answer ", i)))
		if i == 30 {
			dies.kill()
		}
	}
	w.eventually(60, 2*time.Minute, func() int { return len(w.results()) }, "final results")
	w.published()
	stays.stop()
	effects := map[string]int{}
	for _, c := range w.box.Contents() {
		if c.Outbound() {
			effects[string(c.Body)]++
		}
	}
	imported := map[string]int{}
	for _, e := range w.contents() {
		if e.EventType == "content.imported" {
			imported[e.Content.ID]++
		}
	}
	for i, parent := range parents {
		require.Equal(t, 1, effects[fmt.Sprint("answer ", i)], i)
		require.Equal(t, 1, imported[parent.ID], i)
	}
}
