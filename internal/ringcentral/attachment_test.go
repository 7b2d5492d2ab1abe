package ringcentral_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// hosts is the internet in a function: it records what each host was shown, and answers as told.
type hosts struct {
	platform

	mu    sync.Mutex
	shown map[string]string // host: the Authorization it got
	file  string
	moved map[string]string // host and path: where to
}

func (h *hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/restapi/oauth/token" {
		return h.platform.RoundTrip(r)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shown == nil {
		h.shown = map[string]string{}
	}
	h.shown[r.URL.Host] = r.Header.Get("Authorization")
	return answered(func(w http.ResponseWriter, _ *http.Request) {
		if to := h.moved[r.URL.Host+r.URL.Path]; to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("Content-Disposition", `attachment; filename="../a.png"`)
		_, _ = io.WriteString(w, h.file)
	}, r), nil
}

func (h *hosts) client(t *testing.T, server string) *ringcentral.Platform {
	t.Helper()
	return h.platform.client(t, func(cfg *ringcentral.PlatformConfig, d *ringcentral.Deps) {
		cfg.ServerURL = server
		d.HTTP = &http.Client{Transport: h}
	})
}

func TestTheTokenGoesToNoOtherHost(t *testing.T) {
	const path = "/restapi/v1.0/account/1/extension/1/message-store/2/content/3"
	for fact, c := range map[string]struct {
		server, uri string
		host        string // that gets the token; "" = nobody is asked
	}{
		"the server":                        {"https://platform.example", "https://platform.example" + path, "platform.example"},
		"a path on it":                      {"https://platform.example", path, "platform.example"},
		"the server in capitals":            {"https://platform.example", "https://PLATFORM.example" + path, "PLATFORM.example"},
		"a server with a port":              {"http://127.0.0.1:8099", "http://127.0.0.1:8099" + path, "127.0.0.1:8099"},
		"RingCentral's media host":          {"https://platform.ringcentral.com", "https://media.ringcentral.com" + path, "media.ringcentral.com"},
		"the media host of a simulation":    {"https://platform.example", "https://media.ringcentral.com" + path, ""},
		"the media host in plain text":      {"https://platform.ringcentral.com", "http://media.ringcentral.com" + path, ""},
		"the media host, another port":      {"https://platform.ringcentral.com", "https://media.ringcentral.com:444" + path, ""},
		"another host of RingCentral":       {"https://platform.ringcentral.com", "https://blog.ringcentral.com" + path, ""},
		"a host that only ends alike":       {"https://platform.ringcentral.com", "https://evilringcentral.com" + path, ""},
		"a server that only ends alike":     {"https://evilringcentral.com", "https://media.ringcentral.com" + path, ""},
		"a host that only begins alike":     {"https://platform.example", "https://platform.example.evil.example" + path, ""},
		"another port":                      {"https://platform.example", "https://platform.example:8443" + path, ""},
		"the server in plain text":          {"https://platform.example", "http://platform.example" + path, ""},
		"a user in front":                   {"https://platform.example", "https://platform.example@evil.example" + path, ""},
		"a user in front of the right host": {"https://platform.example", "https://x:y@platform.example" + path, ""},
		"no scheme":                         {"https://platform.example", "//evil.example" + path, ""},
		"another scheme":                    {"https://platform.example", "file:///etc/passwd", ""},
		"a backslash":                       {"https://platform.example", `https:\\evil.example`, ""},
		"nothing":                           {"https://platform.example", "", ""},
	} {
		t.Run(fact, func(t *testing.T) {
			h := hosts{file: "png"}
			var file bytes.Buffer
			got, err := h.client(t, c.server).Attachment(t.Context(), c.uri, &file, 100)
			if c.host == "" {
				require.ErrorIs(t, err, ringcentral.ErrInvalid)
				require.Empty(t, h.shown)
				return
			}
			require.NoError(t, err)
			require.Equal(t, map[string]string{c.host: "Bearer access-1"}, h.shown)
			require.Equal(t, ringcentral.Attachment{ContentType: "image/png", Filename: "../a.png", Size: 3}, got)
			require.Equal(t, "png", file.String())
		})
	}
}

func TestARedirectElsewhereLosesTheToken(t *testing.T) {
	h := hosts{file: "png", moved: map[string]string{
		"platform.example/a":    "https://cdn.example/b?signature=1",
		"platform.example/loop": "/loop",
		"platform.example/file": "file:///etc/passwd",
		"platform.example/down": "http://cdn.example/b",
		"platform.example/none": "",
	}}
	c := h.client(t, "https://platform.example")
	var file bytes.Buffer
	_, err := c.Attachment(t.Context(), "/a", &file, 100)
	require.NoError(t, err)
	require.Equal(t, "png", file.String())
	require.Equal(t, map[string]string{"platform.example": "Bearer access-1", "cdn.example": ""}, h.shown)
	for _, uri := range []string{"/loop", "/file", "/down"} {
		h.shown = nil
		_, err = c.Attachment(t.Context(), uri, io.Discard, 100)
		require.Equal(t, http.StatusFound, failure(t, err).Status, uri)
		require.Equal(t, map[string]string{"platform.example": "Bearer access-1"}, h.shown)
	}
}

func TestAnAttachmentIsBounded(t *testing.T) {
	h := hosts{file: strings.Repeat("x", 101)}
	c := h.client(t, "https://platform.example")
	var file bytes.Buffer
	_, err := c.Attachment(t.Context(), "/a", &file, 100)
	require.ErrorContains(t, err, "larger than the limit")
	require.LessOrEqual(t, file.Len(), 101)
	_, err = c.Attachment(t.Context(), "/a", io.Discard, 101)
	require.NoError(t, err)
}
