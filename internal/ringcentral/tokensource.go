package ringcentral

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/internal/sleep"
)

const (
	tokenPath = "/restapi/oauth/token"
	// tokenTimeout bounds one request for a token: whoever waits for it waits that long.
	tokenTimeout = 10 * time.Second
	// tokenTries and retryPause are what the platform asks for after 408, 500 and time-outs.
	tokenTries = 3
	retryPause = 10 * time.Second
	// authRate requests a minute is the limit of the platform's group Auth, the one that is documented and not to be tried out:
	// more of them lock the application out.
	authRate = 5
	// givenTokens is how many tokens are remembered for their removal from errors: an access and a refresh
	// token of each of the last ten renewals, two minutes' worth at the least.
	givenTokens = 4 * authRate
	// authWindow is its minute and a second more, as requests take unequal times to arrive.
	authWindow = minute + time.Second
)

// tokenSource asks the token endpoint, by one caller at a time.
type tokenSource struct {
	c      *client
	cfg    PlatformConfig
	basic  fixedCredential
	budget *limiter   // holds while the token endpoint has a penalty window
	onWire func(bool) // told when a request goes out and when it is over
	starts [authRate]time.Time

	mu           sync.Mutex
	refresh      Secret
	refreshUntil time.Time
	given        []string // the tokens of late, which late answers may still quote
}

func newTokenSource(c *client, cfg PlatformConfig) *tokenSource {
	pair := base64.StdEncoding.EncodeToString([]byte(cfg.ClientID + ":" + cfg.ClientSecret.Reveal()))
	c.m.prefillGroup(c.api, groupAuth)
	s := &tokenSource{c: c, cfg: cfg, budget: newLimiter(groupAuth, plan{}), onWire: func(bool) {}}
	s.basic = fixedCredential{
		credential: credential{header: "Basic " + pair},
		hidden:     []string{pair, cfg.ClientSecret.Reveal(), cfg.JWT.Reveal()},
	}
	return s
}

// next returns a new token: by the refresh token where there is one, else by the JWT. Its error is an *Error, or ctx's.
func (s *tokenSource) next(ctx context.Context) (token, error) {
	if refresh := s.refreshToken(); refresh != "" {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
		got, err := s.tries(ctx, form)
		if !refusedCredentials(err) {
			return got, err
		}
		s.forget() // it was used, expired or revoked: that says nothing about the JWT
	}
	return s.tries(ctx, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {s.cfg.JWT.Reveal()}})
}

// tries asks until there is an answer that repeating wouldn't change. After a lost answer the same refresh token is used again: it gives
// the same result.
func (s *tokenSource) tries(ctx context.Context, form url.Values) (token, error) {
	for try := 1; ; try++ {
		if err := s.turn(ctx); err != nil {
			return token{}, err
		}
		got, err := s.ask(ctx, form)
		if err == nil {
			s.keep(got)
			return got.token, nil
		}
		if try == tokenTries || !passing(err) {
			return token{}, err
		}
		if err := sleep.For(ctx, retryPause); err != nil {
			return token{}, err
		}
	}
}

// ask makes one request.
func (s *tokenSource) ask(ctx context.Context, form url.Values) (grant, error) {
	s.onWire(true)
	defer s.onWire(false)
	var g grant
	err := s.c.do(WithCallTimeout(ctx, tokenTimeout), call{
		op: opAuthenticate, method: http.MethodPost, path: tokenPath, body: []byte(form.Encode()),
		contentType: "application/x-www-form-urlencoded", priority: Reply, creds: sourceCredential{s.basic, s}, limits: oneLimit{s.budget},
		read: readGrant(&g, time.Now()),
	})
	return g, err
}

// turn waits until one more request keeps within authRate a minute, and a penalty window is over: a request that waited further on would
// make the calls wait with it that have a token.
func (s *tokenSource) turn(ctx context.Context) error {
	next := s.budget.holdUntil()
	if oldest := s.starts[0]; !oldest.IsZero() {
		next = later(next, oldest.Add(authWindow))
	}
	if err := sleep.For(ctx, time.Until(next)); err != nil {
		return err
	}
	copy(s.starts[:], s.starts[1:])
	s.starts[authRate-1] = time.Now()
	return nil
}

func (s *tokenSource) refreshToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !time.Now().Before(s.refreshUntil) {
		return ""
	}
	return s.refresh.Reveal()
}

// keep takes what was granted.
func (s *tokenSource) keep(g grant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh, s.refreshUntil = g.refresh, g.refreshUntil
	s.given = append(s.given, g.token.value.Reveal(), g.refresh.Reveal())
	s.given = s.given[max(len(s.given)-givenTokens, 0):]
}

// forget drops the refresh token: the session that it belongs to is over.
func (s *tokenSource) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh, s.refreshUntil = "", time.Time{}
}

// secrets lists what no error may repeat.
func (s *tokenSource) secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.basic.hidden, s.given)
}

// sourceCredential is what the application shows when it asks for a token.
type sourceCredential struct {
	fixedCredential

	source *tokenSource
}

func (c sourceCredential) secrets() []string { return c.source.secrets() }
