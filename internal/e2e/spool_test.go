//go:build real

package e2e_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const (
	spoolThreads = 20
	spoolPerSec  = 200
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
	status, body, err := get(b.admin + "/readyz")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "webhooks are taken in")
	require.Contains(t, body, "kafka", "what is missing is told")
	time.Sleep(3 * time.Second)

	require.NoError(t, parts.Kafka.Restart(t.Context()))
	time.Sleep(3 * time.Second)
	sent := senders.stop()
	require.Empty(t, senders.refused())
	require.Greater(t, sent, 5*spoolPerSec)

	w.eventually(sent, 2*time.Minute, func() int { return len(w.contents()) }, "events")
	require.Eventually(t, func() bool { return len(w.segments()) == 0 }, time.Minute, 50*time.Millisecond, "%s", b.log)
	w.published()
	require.Equal(t, 0, b.stop())
	w.requireOnceInOrder(sent)
	require.NotContains(t, b.log.String(), "damaged")
}

func (w *world) segments() []string {
	found, err := filepath.Glob(filepath.Join(w.env["SPOOL_DIR"], "*.spool"))
	require.NoError(w.t, err)
	return found
}

// requireOnceInOrder counts the events: each once, and those of a conversation in
// the order in which they were sent.
func (w *world) requireOnceInOrder(sent int) {
	w.t.Helper()
	next := map[string]int{}
	events := w.contents()
	for _, e := range events {
		thread := *e.Content.ThreadID
		require.Equal(w.t, fmt.Sprintf("%s-%d", thread, next[thread]), e.Content.ID)
		next[thread]++
	}
	require.Len(w.t, events, sent)
}

// senders send the webhooks of some conversations. Within each, the next is sent
// when the one before has been answered 200.
type senders struct {
	bridge     *bridge
	restarting atomic.Bool // nobody can answer now
	stopping   chan struct{}
	running    sync.WaitGroup
	sent       atomic.Int64

	mu     sync.Mutex
	faults []string
}

func newSenders(b *bridge) *senders {
	s := &senders{bridge: b, stopping: make(chan struct{})}
	for i := range spoolThreads {
		s.running.Go(func() { s.send(fmt.Sprint("t", i)) })
	}
	return s
}

func (s *senders) send(thread string) {
	tick := time.NewTicker(time.Second * spoolThreads / spoolPerSec)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-s.stopping:
			return
		case <-tick.C:
		}
		id := fmt.Sprintf("%s-%d", thread, n)
		body := fmt.Appendf(nil, `{"id":"r%[1]s","events":[{"type":"content.imported","id":"e%[1]s","issued_at":"%[3]s","resource":`+
			`{"type":"a/b","id":"%[1]s","metadata":{"thread_id":"%[2]s","status":"new","body":"%[4]s"}}}]}`,
			id, thread, time.Now().UTC().Format(time.RFC3339), strings.Repeat("x", 1000))
		for !s.post(id, body) {
			time.Sleep(50 * time.Millisecond)
		}
		s.sent.Add(1)
	}
}

// post sends one webhook, and reports whether it was taken.
func (s *senders) post(id string, body []byte) bool {
	restarting := s.restarting.Load()
	began := time.Now()
	status, err := s.bridge.post(body)
	if took := time.Since(began); err == nil && status == http.StatusOK && took < 10*time.Second {
		return true
	} else if !restarting && !s.restarting.Load() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.faults = append(s.faults, fmt.Sprintf("%s: %d %v after %s", id, status, err, took))
	}
	return err == nil && status == http.StatusOK
}

// stop ends the senders and returns how many webhooks were taken.
func (s *senders) stop() int {
	close(s.stopping)
	s.running.Wait()
	return int(s.sent.Load())
}

func (s *senders) refused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}
