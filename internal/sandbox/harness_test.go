package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ringbridge/ringbridge/internal/samples"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const base = "http://sandbox"

// api calls a sandbox without a network.
type api struct {
	*sandbox.Server
	t      *testing.T
	client *http.Client
	token  string
}

func start(t *testing.T, cfg sandbox.Config) *api {
	t.Helper()
	return startWith(t, cfg, sandbox.Deps{})
}

func startWith(t *testing.T, cfg sandbox.Config, deps sandbox.Deps) *api {
	t.Helper()
	cfg.Seed = 1
	s := sandbox.New(cfg, deps)
	t.Cleanup(s.Close)
	return &api{
		Server: s, t: t, token: sandbox.DefaultToken,
		client: &http.Client{Transport: sandbox.Transport{Handler: s.Handler()}},
	}
}

// answer is a response, read.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

func (a *api) do(method, target, contentType, body string) (answer, error) {
	req, err := http.NewRequestWithContext(a.t.Context(), method, target, strings.NewReader(body))
	require.NoError(a.t, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(a.t, err)
	return answer{t: a.t, status: resp.StatusCode, header: resp.Header, body: text}, nil
}

func (a *api) get(path string) answer {
	a.t.Helper()
	out, err := a.do(http.MethodGet, base+path, "", "")
	require.NoError(a.t, err)
	return out
}

// post sends a form, given as name, value, name, value ….
func (a *api) post(path string, pairs ...string) answer {
	a.t.Helper()
	out, err := a.do(http.MethodPost, base+path, "application/x-www-form-urlencoded", form(pairs...).Encode())
	require.NoError(a.t, err)
	return out
}

func (a *api) postJSON(path, body string) answer {
	a.t.Helper()
	out, err := a.do(http.MethodPost, base+path, "application/json", body)
	require.NoError(a.t, err)
	return out
}

func (a *api) incoming(in sandbox.Import) sandbox.Content {
	a.t.Helper()
	made, err := a.Import(in)
	require.NoError(a.t, err)
	return made[0]
}

func (a *api) reply(parent sandbox.Content, body string) answer {
	a.t.Helper()
	return a.post("/1.0/contents", "in_reply_to_id", parent.ID, "body", body)
}

// list asks for contents and returns their bodies.
func (a *api) list(query ...string) []string {
	a.t.Helper()
	got := a.get("/1.0/contents?" + form(query...).Encode())
	require.Equal(a.t, http.StatusOK, got.status, string(got.body))
	var bodies []string
	for _, c := range got.page().Records {
		bodies = append(bodies, string(c.Body))
	}
	return bodies
}

// outbound counts what the brand has written.
func (a *api) outbound() int {
	n := 0
	for _, c := range a.Contents() {
		if c.Outbound() {
			n++
		}
	}
	return n
}

type page struct {
	Count, Offset, Limit int
	Records              []sandbox.Content
}

func (a answer) page() page {
	a.t.Helper()
	var p page
	require.NoError(a.t, json.Unmarshal(a.body, &p))
	return p
}

func (a answer) content() sandbox.Content {
	a.t.Helper()
	require.Equal(a.t, http.StatusOK, a.status, string(a.body))
	var c sandbox.Content
	require.NoError(a.t, json.Unmarshal(a.body, &c))
	return c
}

func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// sample is a recorded or documented payload.
func sample(name string) string { return string(samples.Get(name)) }

// clock is a clock that stands still until it is moved.
type clock struct{ at time.Time }

func (c *clock) now() time.Time       { return c.at }
func (c *clock) move(d time.Duration) { c.at = c.at.Add(d) }

func newClock() *clock { return &clock{at: time.Date(2026, 3, 4, 5, 6, 7, 891e6, time.UTC)} }
