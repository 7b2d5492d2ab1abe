package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxSessions of one user and application; one more drops the oldest.
	maxSessions = 5
	// refreshGrace is how long a used refresh token still gives the same answer once the new access token was used,
	// refreshGraceUnused how long while it was not.
	refreshGrace       = 10 * time.Second
	refreshGraceUnused = time.Hour
	// tokenPrefix begins every token; what does not is unparsable.
	tokenPrefix = "SBX"
)

// AuthCounts say how the application authenticated.
type AuthCounts struct {
	Requests      int `json:"requests"`       // of tokens and of revocation, whatever the answer
	Granted       int `json:"granted"`        // tokens given for a JWT
	Refreshed     int `json:"refreshed"`      // tokens given for a refresh token
	Repeated      int `json:"repeated"`       // the same answer again, within the grace of a used refresh token
	Denied        int `json:"denied"`         // refused: credentials, refresh tokens
	Revoked       int `json:"revoked"`        // sessions ended on request
	Concurrent    int `json:"concurrent"`     // requests under way now
	MaxConcurrent int `json:"max_concurrent"` // the most at a time so far
	Sessions      int `json:"sessions"`       // live now
	Unauthorized  int `json:"unauthorized"`   // calls of the API refused for their token
}

// sessions are the tokens given out. Safe for concurrent use.
type sessions struct {
	cfg    PlatformConfig
	s      *Server
	mu     sync.Mutex
	live   []*session // oldest first
	counts AuthCounts
	// withdrawn credentials give no more tokens.
	withdrawn bool
}

// session is what one JWT grant began. Each refresh replaces its current grant.
type session struct {
	current *grant
	former  []*grant // refreshed ones, whose refresh token may still be within its grace
}

// grant is one answer of the token endpoint.
type grant struct {
	access, refresh string
	expires         time.Time
	refreshExpires  time.Time
	usedAt          time.Time // first use of the access token; zero while unused
	refreshedAt     time.Time // zero while current
}

func newSessions(cfg PlatformConfig, s *Server) *sessions {
	return &sessions{cfg: cfg, s: s}
}

// enter counts a request to the token endpoint.
func (t *sessions) enter() (leave func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Requests++
	t.counts.Concurrent++
	t.counts.MaxConcurrent = max(t.counts.MaxConcurrent, t.counts.Concurrent)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.counts.Concurrent--
	}
}

// begin opens a session.
func (t *sessions) begin() *grant {
	if len(t.live) >= maxSessions {
		t.end(t.live[0])
	}
	made := &session{current: t.newGrant()}
	t.live = append(t.live, made)
	return made.current
}

func (t *sessions) newGrant() *grant {
	now := t.s.now()
	g := &grant{access: t.newToken("A"), expires: now.Add(t.cfg.TokenLife), refreshExpires: now.Add(t.cfg.RefreshLife)}
	if !t.cfg.NoRefresh {
		g.refresh = t.newToken("R")
	}
	return g
}

func (t *sessions) newToken(kind string) string {
	return fmt.Sprintf("%s%s%s%08x%08x", tokenPrefix, kind, t.s.ids.next(), t.s.faults.chance.pick(1<<31), t.s.faults.chance.pick(1<<31))
}

// end drops a session.
func (t *sessions) end(s *session) {
	t.live = slices.DeleteFunc(t.live, func(other *session) bool { return other == s })
}

// replace is what a refresh does: the old access token is invalid at once.
func (t *sessions) replace(s *session) *grant {
	old := s.current
	old.refreshedAt = t.s.now()
	s.former = append(s.former, old)
	s.current = t.newGrant()
	return s.current
}

// byRefresh finds the session of a refresh token, and whether it is the current one or, within its grace, the one before it.
func (t *sessions) byRefresh(token string) (found *session, current bool) {
	now := t.s.now()
	for _, s := range t.live {
		if s.current.refresh == token {
			return s, now.Before(s.current.refreshExpires)
		}
		if last := len(s.former) - 1; last >= 0 && s.former[last].refresh == token {
			until := s.former[last].refreshedAt.Add(refreshGraceUnused)
			if used := s.current.usedAt; !used.IsZero() {
				until = used.Add(refreshGrace)
			}
			if now.Before(until) {
				return s, false
			}
		}
	}
	return nil, false
}

// admit checks the token of a call of the API.
func (t *sessions) admit(c *call) (reply, bool) {
	token, where := accessToken(c)
	t.mu.Lock()
	defer t.mu.Unlock()
	code, message := t.judge(token, where)
	if code == "" {
		return reply{}, false
	}
	t.counts.Unauthorized++
	rep := refused(http.StatusUnauthorized, code, message)
	if d, is := c.api.(platformDialect); is && d.newer {
		rep = slim(rep)
	}
	rep.header = http.Header{"Www-Authenticate": {`Bearer realm="RingCentral REST API", error="invalid_token"`}}
	return rep, true
}

// judge returns the code of a token that does not open, and marks one that does as used.
func (t *sessions) judge(token, where string) (code, message string) {
	switch {
	case where != "bearer":
		return codeLogin, "Login to extension required"
	case !strings.HasPrefix(token, tokenPrefix):
		return codeUnparsable, "Cannot parse token"
	}
	now := t.s.now()
	for _, s := range t.live {
		if s.current.access != token {
			continue
		}
		if !now.Before(s.current.expires) {
			return codeExpired, "Access token expired"
		}
		if s.current.usedAt.IsZero() {
			s.current.usedAt = now
		}
		return "", ""
	}
	return codeTokenMissing, "Token not found"
}

func (t *sessions) clearCounts() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts = AuthCounts{Concurrent: t.counts.Concurrent, MaxConcurrent: t.counts.Concurrent}
}

// Auth returns how the application authenticated so far.
func (p *Platform) Auth() AuthCounts {
	t := p.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := t.counts
	counts.Sessions = len(t.live)
	return counts
}

// RevokeCredentials takes the application's credential back: all sessions end and the JWT gives no more tokens.
func (p *Platform) RevokeCredentials() { p.sessions.withdraw(true) }

// RestoreCredentials makes the JWT good again.
func (p *Platform) RestoreCredentials() { p.sessions.withdraw(false) }

func (t *sessions) withdraw(withdrawn bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.withdrawn = withdrawn
	for withdrawn && len(t.live) > 0 {
		t.end(t.live[0])
	}
}

// ExpireTokens lets every access token expire now (OAU-128); refresh tokens and the JWT stay good.
func (p *Platform) ExpireTokens() {
	t := p.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.live {
		s.current.expires = t.s.now()
	}
}
