package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// user is the path of the user's own resources.
const user = "/restapi/v1.0/account/~/extension/~"

// platform calls the RingCentral half of a sandbox without a network.
type platform struct {
	*sandbox.Platform
	*api
}

// unlimited has no limits but that of texts.
func unlimited() map[sandbox.RateGroup]int {
	return map[sandbox.RateGroup]int{sandbox.GroupLight: -1, sandbox.GroupMedium: -1, sandbox.GroupAuth: -1}
}

func startPlatform(t *testing.T, cfg sandbox.PlatformConfig, deps sandbox.Deps) *platform {
	t.Helper()
	a := startWith(t, sandbox.Config{Platform: cfg}, deps)
	return &platform{Platform: a.Platform(), api: a}
}

// loggedIn starts one without rate limits, with a token.
func loggedIn(t *testing.T, cfg sandbox.PlatformConfig, deps sandbox.Deps) *platform {
	t.Helper()
	cfg.Limits = unlimited()
	p := startPlatform(t, cfg, deps)
	p.login()
	return p
}

// grant is an answer of the token endpoint.
type grant struct {
	Access       string `json:"access_token"`
	Refresh      string `json:"refresh_token"`
	Type         string `json:"token_type"`
	Life         int    `json:"expires_in"`
	RefreshLife  int    `json:"refresh_token_expires_in"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`
	ErrorCode    string `json:"errorCode"`
	ErrorDetails []struct {
		ErrorCode string `json:"errorCode"`
	} `json:"errors"`
}

// auth asks the token endpoint, as the client unless told otherwise.
func (p *platform) auth(path, client, secret string, pairs ...string) answer {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, base+"/restapi/oauth/"+path,
		strings.NewReader(form(pairs...).Encode()))
	require.NoError(p.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(client, secret)
	return p.send(req)
}

func (p *platform) send(req *http.Request) answer {
	p.t.Helper()
	resp, err := p.client.Do(req)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	return answer{t: p.t, status: resp.StatusCode, header: resp.Header, body: text}
}

const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

func (p *platform) byJWT() answer {
	p.t.Helper()
	return p.auth("token", sandbox.DefaultClientID, sandbox.DefaultClientSecret, "grant_type", jwtGrant, "assertion", sandbox.DefaultJWT)
}

func (p *platform) byRefresh(token string) answer {
	p.t.Helper()
	return p.auth("token", sandbox.DefaultClientID, sandbox.DefaultClientSecret, "grant_type", "refresh_token", "refresh_token", token)
}

// login takes a token for all further calls.
func (p *platform) login() grant {
	p.t.Helper()
	g := decode[grant](p.byJWT())
	p.token = g.Access
	return g
}

// call makes a JSON call under the base.
func (p *platform) call(method, path, body string) answer {
	p.t.Helper()
	kind := ""
	if body != "" {
		kind = "application/json"
	}
	out, err := p.do(method, base+path, kind, body)
	require.NoError(p.t, err)
	return out
}

// text sends an SMS.
func (p *platform) text(to, text string) answer {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{
		"from": map[string]string{"phoneNumber": sandbox.DefaultNumber}, "to": []any{map[string]string{"phoneNumber": to}}, "text": text,
	})
	require.NoError(p.t, err)
	return p.call(http.MethodPost, user+"/sms", string(body))
}

func (p *platform) importMessage(in sandbox.MessageImport) sandbox.Message {
	p.t.Helper()
	made, err := p.ImportMessages(in)
	require.NoError(p.t, err)
	return made[0]
}

func (p *platform) importContent(in sandbox.SocialImport) sandbox.SocialContent {
	p.t.Helper()
	made, err := p.ImportContents(in)
	require.NoError(p.t, err)
	return made[0]
}

// code is the first error code of a refusal.
func (a answer) code() string {
	a.t.Helper()
	var g grant
	require.NoError(a.t, json.Unmarshal(a.body, &g), string(a.body))
	require.NotEmpty(a.t, g.ErrorDetails, string(a.body))
	return g.ErrorDetails[0].ErrorCode
}

// query is an escaped query string.
func query(pairs ...string) string { return "?" + form(pairs...).Encode() }

func iso(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// keysOf lists the keys of an object, those of inner objects with their path; of lists the first element counts.
func keysOf(t *testing.T, text string) []string {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	var keys []string
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, inner := range v {
				keys = append(keys, at+name)
				walk(at+name+".", inner)
			}
		case []any:
			if len(v) > 0 {
				walk(at, v[0])
			}
		}
	}
	walk("", v)
	slices.Sort(keys)
	return slices.Compact(keys)
}
