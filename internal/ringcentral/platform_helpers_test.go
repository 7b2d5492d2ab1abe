package ringcentral_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	clientSecret = "S3cret-of-the-application"
	jwt          = "eyJ-the-users.own-credential"
)

// asked is one request that the platform got.
type asked struct {
	at           time.Time
	method, path string
	query        url.Values
	header       http.Header
	body         string
	token        string // that it showed
}

// platform is the platform in a function: it gives tokens, and answers everything else as told.
type platform struct {
	mu     sync.Mutex
	auths  []asked
	calls  []asked
	tokens int
	// unauthorized counts its 401s.
	unauthorized int
	// life is how long tokens live, in seconds.
	life int
	// refreshes makes it give refresh tokens, which end the access token before.
	refreshes bool
	valid     map[string]time.Time
	refresh   string
	// lag is how long the answer with a token takes, which counts from its beginning.
	lag time.Duration
	// auth, if set, answers requests for tokens first; it reports whether it has.
	auth func(w http.ResponseWriter, a asked, n int) bool
	// answer answers the calls; nil = a resource.
	answer func(w http.ResponseWriter, a asked, n int)
}

// RoundTrip implements http.RoundTripper.
func (p *platform) RoundTrip(r *http.Request) (*http.Response, error) {
	return answered(p.serve, r), nil
}

func (p *platform) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a := asked{
		at: time.Now(), method: r.Method, path: r.URL.EscapedPath(), query: r.URL.Query(), header: r.Header, body: string(body),
		token: r.Header.Get("Authorization"),
	}
	p.mu.Lock()
	if a.path == "/restapi/oauth/token" {
		p.auths = append(p.auths, a)
		n := len(p.auths)
		p.mu.Unlock()
		if p.auth == nil || !p.auth(w, a, n) {
			p.grant(w, a)
			time.Sleep(p.lag)
		}
		return
	}
	until, ok := p.valid[a.token]
	ok = ok && !time.Now().After(until)
	if !ok {
		p.unauthorized++
	}
	p.calls = append(p.calls, a)
	n := len(p.calls)
	p.mu.Unlock()
	switch {
	case !ok:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"errorCode":"OAU-128","message":"Access token expired","errors":[{"errorCode":"OAU-128","message":"Access token expired"}]}`)
	case p.answer != nil:
		p.answer(w, a, n)
	default:
		_, _ = io.WriteString(w, `{"id":1,"records":[]}`)
	}
}

// grant gives a token.
func (p *platform) grant(w http.ResponseWriter, a asked) {
	p.mu.Lock()
	defer p.mu.Unlock()
	form, _ := url.ParseQuery(a.body)
	switch form.Get("grant_type") {
	case "refresh_token":
		if form.Get("refresh_token") != p.refresh {
			refuse(w, "invalid_grant", "OAU-213")
			return
		}
		p.valid = nil
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		if form.Get("assertion") != jwt {
			refuse(w, "invalid_grant", "OAU-149")
			return
		}
	default:
		refuse(w, "unsupported_grant_type", "OAU-250")
		return
	}
	p.tokens++
	life := p.life
	if life == 0 {
		life = 3600
	}
	given := "access-" + strconv.Itoa(p.tokens)
	if p.valid == nil {
		p.valid = map[string]time.Time{}
	}
	p.valid["Bearer "+given] = time.Now().Add(time.Duration(life) * time.Second)
	refresh := ""
	if p.refreshes {
		p.refresh = "refresh-" + strconv.Itoa(p.tokens)
		refresh = fmt.Sprintf(`,"refresh_token":%q,"refresh_token_expires_in":604799`, p.refresh)
	}
	_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":%d%s,"scope":"SMS","owner_id":"1"}`, given, life, refresh)
}

func refuse(w http.ResponseWriter, oauth, code string) {
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, `{"error":%q,"error_description":"no","errorCode":%q,"message":"no","errors":[{"errorCode":%q,"message":"no"}]}`, oauth, code, code)
}

// revoke ends all access tokens.
func (p *platform) revoke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.valid = nil
}

// client returns a client of the platform; change may change its settings.
func (p *platform) client(t *testing.T, change ...func(*ringcentral.PlatformConfig, *ringcentral.Deps)) *ringcentral.Platform {
	t.Helper()
	cfg := ringcentral.PlatformConfig{
		ServerURL: "https://platform.example", ClientID: "app", ClientSecret: clientSecret, JWT: jwt,
		ContentsPath: ringcentral.SocialMessaging, SMSRate: 40,
	}
	deps := ringcentral.Deps{HTTP: &http.Client{Transport: p}}
	for _, f := range change {
		f(&cfg, &deps)
	}
	require.NoError(t, cfg.Validate())
	c := ringcentral.NewPlatform(cfg, deps)
	t.Cleanup(c.Close)
	return c
}

func at(path string) func(*ringcentral.PlatformConfig, *ringcentral.Deps) {
	return func(cfg *ringcentral.PlatformConfig, _ *ringcentral.Deps) { cfg.ContentsPath = path }
}

// last returns the last call.
func (p *platform) last() asked {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[len(p.calls)-1]
}

func basicAuth() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte("app:"+clientSecret))
}

// busiest returns the most requests in any 60 seconds.
func busiest(requests []asked) int {
	a := api{}
	for _, r := range requests {
		a.times = append(a.times, r.at)
	}
	if len(a.times) == 0 {
		return 0
	}
	return a.busiest()
}

// limitHeaders are those of a rate group.
func limitHeaders(h http.Header, group string, limit, remaining int) {
	h["X-Rate-Limit-Group"] = []string{group}
	h.Set("X-Rate-Limit-Limit", strconv.Itoa(limit))
	h.Set("X-Rate-Limit-Remaining", strconv.Itoa(remaining))
	h.Set("X-Rate-Limit-Window", "60")
}

func picture() ringcentral.TextMessage {
	m := text()
	m.Attachments = []ringcentral.File{{Filename: "a.png", ContentType: "image/png", Content: []byte("\x89PNG")}}
	return m
}
