package sandbox

import (
	"crypto/subtle"
	"net/http"
	"time"
)

const (
	grantJWT     = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	grantRefresh = "refresh_token"
)

// tokenAnswer is what the token endpoint gives. The refresh fields are absent where the application gets no refresh tokens.
type tokenAnswer struct {
	AccessToken           string `json:"access_token"`
	TokenType             string `json:"token_type"`
	ExpiresIn             int    `json:"expires_in"`
	RefreshToken          string `json:"refresh_token,omitempty"`
	RefreshTokenExpiresIn int    `json:"refresh_token_expires_in,omitempty"`
	Scope                 string `json:"scope"`
	OwnerID               string `json:"owner_id"`
}

// token is POST /restapi/oauth/token.
func (p *Platform) token(c *call) reply {
	t := p.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	made, rep := t.authenticate(c)
	if made == nil {
		t.counts.Denied++
		return rep
	}
	now := t.s.now()
	answer := tokenAnswer{
		AccessToken: made.access, TokenType: "bearer", ExpiresIn: whole(made.expires.Sub(now)), RefreshToken: made.refresh,
		Scope: "ReadMessages SMS SocialMessaging SubscriptionWebhook", OwnerID: ExtensionID,
	}
	if made.refresh != "" {
		answer.RefreshTokenExpiresIn = whole(made.refreshExpires.Sub(now))
	}
	return ok(answer)
}

// whole is a life in seconds, less the one that is under way: an hour is told as 3599.
func whole(d time.Duration) int { return max(0, int((d-1)/time.Second)) }

// authenticate returns a grant, or the refusal.
func (t *sessions) authenticate(c *call) (*grant, reply) {
	if rep, wrong := t.wrongClient(c); wrong {
		return nil, rep
	}
	badGrant := func(code, message string) (*grant, reply) {
		return nil, oauthRefused(http.StatusBadRequest, "invalid_grant", code, message)
	}
	switch c.params.get("grant_type") {
	case grantJWT:
		switch assertion := c.params.get("assertion"); {
		case assertion == "":
			return nil, oauthRefused(http.StatusBadRequest, "invalid_request", codeCorrupted, "Assertion is missing")
		case t.withdrawn || !equal(assertion, t.cfg.JWT):
			return badGrant(codeTokenMissing, "Token not found")
		}
		t.counts.Granted++
		return t.begin(), reply{}
	case grantRefresh:
		s, current := t.byRefresh(c.params.get("refresh_token"))
		switch {
		case s == nil || c.params.get("refresh_token") == "":
			return badGrant(codeTokenMissing, "Token not found")
		case current:
			t.counts.Refreshed++
			return t.replace(s), reply{}
		case s.current.refresh == c.params.get("refresh_token"):
			return badGrant(codeExpired, "Refresh token expired")
		}
		t.counts.Repeated++
		return s.current, reply{}
	}
	return nil, oauthRefused(http.StatusBadRequest, "unsupported_grant_type", codeGrant, "Unsupported grant type")
}

func (t *sessions) wrongClient(c *call) (reply, bool) {
	id, secret, given := c.r.BasicAuth()
	if given && equal(id, t.cfg.ClientID) && equal(secret, t.cfg.ClientSecret) {
		return reply{}, false
	}
	return oauthRefused(http.StatusUnauthorized, "invalid_client", codeClient, "Client authentication failed"), true
}

// revoke is POST /restapi/oauth/revoke. Any token of a session ends all of it; an unknown one is no error, as RFC 7009 has it.
func (p *Platform) revoke(c *call) reply {
	t := p.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	if rep, wrong := t.wrongClient(c); wrong {
		t.counts.Denied++
		return rep
	}
	token := c.params.get("token")
	for _, s := range t.live {
		if token != "" && (s.current.access == token || s.current.refresh == token) {
			t.end(s)
			t.counts.Revoked++
			break
		}
	}
	return reply{status: http.StatusOK, raw: []byte{}}
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
