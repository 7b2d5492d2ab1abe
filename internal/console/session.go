package console

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

const (
	sessionCookie = "ringbridge_session"
	// sessionLife is a shift: who comes back after it logs in again.
	sessionLife = 12 * time.Hour
	// maxSessions bounds the memory; the oldest makes room.
	maxSessions = 1000
)

// sessions are those who are logged in, by random ids that tell nothing about the
// token. They end with the process. It is safe for concurrent use.
type sessions struct {
	mu   sync.Mutex
	ends map[string]time.Time
}

// open begins a session and gives the browser its cookie.
func (s *sessions) open(w http.ResponseWriter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.ends == nil {
		s.ends = map[string]time.Time{}
	}
	oldest := ""
	for id, end := range s.ends {
		if !now.Before(end) {
			delete(s.ends, id)
		} else if oldest == "" || end.Before(s.ends[oldest]) {
			oldest = id
		}
	}
	if len(s.ends) >= maxSessions {
		delete(s.ends, oldest)
	}
	id := rand.Text()
	s.ends[id] = now.Add(sessionLife)
	http.SetCookie(w, cookie(sessionCookie, id, sessionLife))
}

// has tells whether the request belongs to a session.
func (s *sessions) has(r *http.Request) bool {
	given, err := r.Cookie(sessionCookie)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.ends[given.Value])
}

// close ends the request's session.
func (s *sessions) close(w http.ResponseWriter, r *http.Request) {
	if given, err := r.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		delete(s.ends, given.Value)
		s.mu.Unlock()
	}
	http.SetCookie(w, cookie(sessionCookie, "", -time.Second))
}

// cookie returns one that scripts can't read and other sites can't send. It is not
// for HTTPS only: the listener speaks HTTP, mostly at the end of a tunnel.
func cookie(name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()), HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}
