//go:build real

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// notified is where notifications go to a bridge by way of toldTexts.
const notified = "/webhooks/ringcentral"

// toldTexts stands between the platform and the bridge, and remembers what texts the
// message store told, and of which notifications were taken. It is safe for concurrent
// use.
type toldTexts struct {
	api    http.Handler
	bridge http.Handler

	mu    sync.Mutex
	texts map[int64]map[string]bool // statuses and read statuses, by message
	wait  map[int64]chan struct{}   // closed when the notification of a text was taken
	toldCounts
}

// toldCounts are the requests for what has changed since a sync token.
type toldCounts struct {
	rounds int // begun
	synced int // answered since the last that was refused: there is a token to lose
	lost   int // refused, as the token was not known any more
	failed int // requests of the message store that were not answered otherwise
}

func newToldTexts(api http.Handler, bridge string) *toldTexts {
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: bridge})
	forward.Transport = &http.Transport{MaxIdleConnsPerHost: 16}
	return &toldTexts{api: api, bridge: forward, texts: map[int64]map[string]bool{}, wait: map[int64]chan struct{}{}}
}

func (s *toldTexts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == notified:
		s.forward(w, r)
	case strings.Contains(r.URL.Path, "/message-s"): // the store, and its sync
		s.tell(w, r)
	default:
		s.api.ServeHTTP(w, r)
	}
}

// forward hands a notification to the bridge.
func (s *toldTexts) forward(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	s.bridge.ServeHTTP(answer, r)
	var text struct {
		Body struct {
			ID int64 `json:"id,string"` // hints have none
		} `json:"body"`
	}
	if answer.Code == http.StatusOK && json.Unmarshal(body, &text) == nil && text.Body.ID != 0 {
		s.take(text.Body.ID)
	}
	hand(w, answer)
}

// take notes that a text's notification was taken, which may come twice.
func (s *toldTexts) take(id int64) {
	taken := s.waiting(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-taken:
	default:
		close(taken)
	}
}

// waiting returns what is closed when a text was taken.
func (s *toldTexts) waiting(id int64) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wait[id] == nil {
		s.wait[id] = make(chan struct{})
	}
	return s.wait[id]
}

// taken waits until a text's notification was taken; 0 is none.
func (s *toldTexts) taken(id int64) error {
	if id == 0 {
		return nil
	}
	select {
	case <-s.waiting(id):
		return nil
	case <-time.After(waitLong):
		return fmt.Errorf("the notification of %d was not taken", id)
	}
}

// tell lets the message store answer.
func (s *toldTexts) tell(w http.ResponseWriter, r *http.Request) {
	sync := r.URL.Query().Get("syncToken") != ""
	if sync {
		s.mu.Lock()
		s.rounds++
		s.mu.Unlock()
	}
	answer := httptest.NewRecorder()
	s.api.ServeHTTP(answer, r)
	s.note(sync, answer)
	hand(w, answer)
}

// hand sends an answer on.
func hand(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // a client that has gone is told nothing, and fails the test
}

func (s *toldTexts) note(sync bool, answer *httptest.ResponseRecorder) {
	var page struct{ Records []sandbox.Message }
	fault := json.Unmarshal(answer.Body.Bytes(), &page)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case sync && answer.Code == http.StatusBadRequest:
		s.lost++
		s.synced = 0
	case answer.Code != http.StatusOK || fault != nil:
		s.failed++
	case sync:
		s.synced++
	}
	for _, m := range page.Records {
		if s.texts[m.ID] == nil {
			s.texts[m.ID] = map[string]bool{}
		}
		s.texts[m.ID][m.MessageStatus] = true
		s.texts[m.ID][m.ReadStatus] = true
	}
}

func (s *toldTexts) seen() toldCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.toldCounts
}

// told tells whether a text was shown in a state.
func (s *toldTexts) told(id int64, state string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.texts[id][state]
}

// all tells whether every text came to its last status and was shown as it is.
func (s *toldTexts) all(messages []sandbox.Message) bool {
	for _, m := range messages {
		moving := m.MessageStatus == sandbox.MessageQueued || m.MessageStatus == sandbox.MessageSent
		if moving || !s.told(m.ID, m.MessageStatus) || !s.told(m.ID, m.ReadStatus) {
			return false
		}
	}
	return true
}
