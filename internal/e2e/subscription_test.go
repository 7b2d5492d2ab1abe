//go:build real

package e2e_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// steady imports a text every 50 ms and a content every 200 ms, each of somebody
// else, until it is stopped.
type steady struct {
	stopping chan struct{}
	running  sync.WaitGroup
	texts    []string
	contents []string
	err      error
}

func newSteady(p *sandbox.Platform) *steady {
	s := &steady{stopping: make(chan struct{})}
	s.running.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for n := 0; s.err == nil; n++ {
			select {
			case <-s.stopping:
				return
			case <-tick.C:
			}
			s.err = s.add(p, n%4 == 0)
		}
	})
	return s
}

func (s *steady) add(p *sandbox.Platform, content bool) error {
	texts, err := p.ImportMessages(sandbox.MessageImport{})
	if err != nil {
		return err
	}
	s.texts = append(s.texts, fmt.Sprint(texts[0].ID))
	if !content {
		return nil
	}
	contents, err := p.ImportContents(sandbox.SocialImport{})
	if err != nil {
		return err
	}
	s.contents = append(s.contents, contents[0].ID)
	return nil
}

func (s *steady) stop() error {
	close(s.stopping)
	s.running.Wait()
	return s.err
}

// TestADeadSubscriptionIsHealedAndNothingIsMissed takes the subscription away while
// texts and contents come in: blacklisted, as after ten minutes without an answer;
// expired; deleted by hand. Each time there is one again, notifications come by it,
// and what came in between is on the topics, once.
func TestADeadSubscriptionIsHealedAndNothingIsMissed(t *testing.T) {
	w, public := newPlatformWorld(t, sandbox.PlatformConfig{})
	w.env["POLL_INTERVAL"] = "1s"
	b := w.start(public, freePort(t))
	p := w.box.Platform()
	alive := serving(t, p, b, "")
	traffic := newSteady(p)
	for _, death := range []struct {
		how  string
		kill func(id string) error
	}{
		{"blacklisted", func(id string) error {
			return p.BlacklistSubscription(id, "Webhook responses with code: [404], reason: [Not Found]")
		}},
		{"expired", p.ExpireSubscription},
		{"deleted", p.RemoveSubscription},
	} {
		require.NoError(t, death.kill(alive))
		began := time.Now()
		alive = serving(t, p, b, alive)
		t.Logf("%s: notified again after %s", death.how, time.Since(began).Round(10*time.Millisecond))
	}
	require.NoError(t, traffic.stop())
	w.eventually(len(traffic.texts), time.Minute, func() int { return len(w.messages()) }, "texts on the topic")
	w.eventually(len(traffic.contents), time.Minute, func() int { return w.imported() }, "contents on the topic")
	w.published()
	_, metrics, err := get(b.admin + "/metrics")
	require.NoError(t, err)
	require.Equal(t, 0, b.stop())

	for change, want := range map[string]int{"created": 4, "blacklisted": 1, "gone": 2, "twin": 0, "updated": 0} {
		require.Equal(t, want, int(metric(metrics, `ringbridge_subscription_changes_total{change="`+change+`"}`)), change)
	}
	require.Zero(t, metric(metrics, "ringbridge_subscription_failures_total"))
	require.Len(t, p.Subscriptions(), 1, "a stop leaves it to the other replicas")
	w.eachOnce(traffic)
	require.Empty(t, w.read(w.names.InboxDLQ))
}

// imported counts the contents that were imported.
func (w *world) imported() (n int) {
	w.t.Helper()
	for _, e := range w.contents() {
		if e.EventType == "content.imported" {
			n++
		}
	}
	return n
}

// lively is how many notifications make a subscription one that serves: those of a
// second.
const lively = 30

// serving waits for a subscription other than before, the only one, by which
// notifications come, and returns its id.
func serving(t *testing.T, p *sandbox.Platform, b *bridge, before string) (id string) {
	t.Helper()
	require.Eventually(t, func() bool {
		all := p.Subscriptions()
		if len(all) != 1 || all[0].ID == before || all[0].Status != sandbox.SubscriptionActive {
			return false
		}
		id = all[0].ID
		answered := 0
		_, attempts := p.Notifications()
		for _, a := range attempts {
			if a.SubscriptionID == id && a.Status == http.StatusOK {
				answered++
			}
		}
		return before == "" || answered >= lively // before the first, nothing comes in
	}, waitLong, 20*time.Millisecond, "%s", b.log)
	return id
}

// eachOnce compares the topics with what came in, and sees to it that both ways in
// had their part.
func (w *world) eachOnce(traffic *steady) {
	w.t.Helper()
	by := map[schemas.Origin]int{}
	messages := w.messages()
	require.Len(w.t, messages, len(traffic.texts))
	for _, id := range traffic.texts {
		require.Len(w.t, messages[id]["message.received"], 1, id)
		for eventType := range messages[id] {
			require.Contains(w.t, []string{"message.received", "message.updated"}, eventType, "%s: nothing happened to it; a row completes its notification", id)
		}
		by[messages[id]["message.received"][0].Origin]++
	}
	seen := map[string]int{}
	for _, e := range w.contents() {
		if e.EventType == "content.updated" { // a row completes its notification
			continue
		}
		require.Equal(w.t, "content.imported", e.EventType)
		seen[e.Content.ID]++
		by[e.Origin]++
	}
	require.Len(w.t, seen, len(traffic.contents))
	for _, id := range traffic.contents {
		require.Equal(w.t, 1, seen[id], id)
	}
	w.t.Logf("%d texts, %d contents; by notification %d, by polling %d", len(traffic.texts), len(traffic.contents), by[schemas.OriginWebhook], by[schemas.OriginPoll])
	require.NotZero(w.t, by[schemas.OriginWebhook])
	require.NotZero(w.t, by[schemas.OriginPoll])
}
