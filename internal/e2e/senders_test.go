//go:build real

package e2e_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	spoolThreads = 20
	spoolPerSec  = 200
)

// senders send the webhooks of some conversations, spoolPerSec of them together.
// Within each, the next is sent when the one before has been answered 200.
type senders struct {
	bridge     *bridge
	restarting atomic.Bool // nobody can answer now
	stopping   chan struct{}
	running    sync.WaitGroup
	taken      map[string]int // webhooks answered 200, by conversation; complete after stop

	mu      sync.Mutex
	faults  []string
	slowest time.Duration // of the answers 200
}

func newSenders(b *bridge) *senders {
	s := &senders{bridge: b, stopping: make(chan struct{}), taken: map[string]int{}}
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
			s.mu.Lock()
			defer s.mu.Unlock()
			s.taken[thread] = n
			return
		case <-tick.C:
		}
		id := contentID(thread, n)
		body := fmt.Appendf(nil, `{"id":"r%[1]s","events":[{"type":"content.imported","id":"e%[1]s","issued_at":"%[3]s","resource":`+
			`{"type":"a/b","id":"%[1]s","metadata":{"thread_id":"%[2]s","status":"new","body":"%[4]s"}}}]}`,
			id, thread, time.Now().UTC().Format(time.RFC3339), text())
		for !s.post(id, body) {
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// text is 1,000 characters that can be compressed to a half, as those of people are.
func text() string {
	words := make([]byte, 500)
	_, _ = rand.Read(words) // never fails: see crypto/rand
	return hex.EncodeToString(words)
}

func contentID(thread string, n int) string { return fmt.Sprintf("%s-%d", thread, n) }

// post sends one webhook, and reports whether it was taken.
func (s *senders) post(id string, body []byte) bool {
	restarting := s.restarting.Load()
	began := time.Now()
	status, err := s.bridge.post(body)
	took := time.Since(began)
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := err == nil && status == http.StatusOK
	if taken {
		s.slowest = max(s.slowest, took)
	}
	if (!taken || took >= 10*time.Second) && !restarting && !s.restarting.Load() {
		s.faults = append(s.faults, fmt.Sprintf("%s: %d %v after %s", id, status, err, took))
	}
	return taken
}

// stop ends the senders and returns how many webhooks were taken.
func (s *senders) stop() (sent int) {
	close(s.stopping)
	s.running.Wait()
	for _, n := range s.taken {
		sent += n
	}
	return sent
}

func (s *senders) refused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// A tally compares the events with the webhooks that were taken.
type tally struct {
	events, lost, doubled, disordered int
}

// tally reads the events. Those of a conversation should be there in the order in
// which they were sent.
func (w *world) tally(taken map[string]int) (t tally) {
	w.t.Helper()
	seen, last := map[string]int{}, map[string]int{}
	for _, e := range w.contents() {
		t.events++
		thread := *e.Content.ThreadID
		var n int
		if _, err := fmt.Sscanf(e.Content.ID, thread+"-%d", &n); err != nil {
			w.t.Fatalf("an event that nobody sent: %s", e.Content.ID)
		}
		if seen[e.Content.ID]++; seen[e.Content.ID] > 1 {
			t.doubled++
		} else if n < last[thread] {
			t.disordered++
		}
		last[thread] = max(last[thread], n)
	}
	for thread, n := range taken {
		for i := range n {
			if seen[contentID(thread, i)] == 0 {
				t.lost++
			}
		}
	}
	return t
}
