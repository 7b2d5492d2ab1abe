package ringcentral_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

func TestASecretPrintsAsRedactedAndNothingElse(t *testing.T) {
	secret := ringcentral.Secret(token)
	require.Equal(t, token, secret.Reveal())

	cfg := ringcentral.EngageConfig{AccessToken: secret}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08.3f"} {
		require.Equal(t, "redacted", fmt.Sprintf(verb, secret), verb)
		require.NotContains(t, fmt.Sprintf(verb, cfg), token, verb)
		require.NotContains(t, fmt.Sprintf(verb, &cfg), fmt.Sprintf("%x", token), verb)
	}
	asJSON, err := json.Marshal(cfg)
	require.NoError(t, err)
	require.NotContains(t, string(asJSON), token)

	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("configured", "token", secret, "config", cfg)
	}
	require.NotContains(t, log.String(), token)
	require.Contains(t, log.String(), "redacted")
}

func TestValidateNamesEveryFaultAndNoValue(t *testing.T) {
	const base, tokenVar, rate = "ENGAGE_BASE_URL", "ENGAGE_ACCESS_TOKEN", "ENGAGE_RATE"
	for fact, c := range map[string]struct {
		cfg  ringcentral.EngageConfig
		want []string
	}{
		"off has no faults":                {ringcentral.EngageConfig{Rate: -1}, nil},
		"https is taken":                   {ringcentral.EngageConfig{BaseURL: "https://acme.example/1.0", AccessToken: token, Rate: 500}, nil},
		"a slash at the end is taken":      {ringcentral.EngageConfig{BaseURL: "https://acme.example/1.0/", AccessToken: token}, nil},
		"a path before the version too":    {ringcentral.EngageConfig{BaseURL: "http://127.0.0.1:1/x/1.0", AccessToken: token}, nil},
		"the version is demanded":          {ringcentral.EngageConfig{BaseURL: "https://acme.example", AccessToken: token}, []string{base}},
		"another version is refused":       {ringcentral.EngageConfig{BaseURL: "https://acme.example/11.0", AccessToken: token}, []string{base}},
		"credentials are refused":          {ringcentral.EngageConfig{BaseURL: "https://u:hush@acme.example/1.0", AccessToken: token}, []string{base}},
		"a query is refused":               {ringcentral.EngageConfig{BaseURL: "https://acme.example/1.0?access_token=hush", AccessToken: token}, []string{base}},
		"a fragment is refused":            {ringcentral.EngageConfig{BaseURL: "https://acme.example/1.0#hush", AccessToken: token}, []string{base}},
		"another scheme is refused":        {ringcentral.EngageConfig{BaseURL: "ftp://acme.example/1.0", AccessToken: token}, []string{base}},
		"a host is demanded":               {ringcentral.EngageConfig{BaseURL: "https:///1.0", AccessToken: token}, []string{base}},
		"what is no URL is refused":        {ringcentral.EngageConfig{BaseURL: "https://hush:%zz/1.0", AccessToken: token}, []string{base}},
		"a token is demanded":              {ringcentral.EngageConfig{BaseURL: "https://acme.example/1.0"}, []string{tokenVar}},
		"a token with a line break":        {ringcentral.EngageConfig{BaseURL: "https://acme.example/1.0", AccessToken: "hush\n"}, []string{tokenVar}},
		"all faults are told at once":      {ringcentral.EngageConfig{BaseURL: "x://u:hush@h?a=hush", Rate: -1}, []string{base, tokenVar, rate}},
		"a rate below nothing is refused":  {ringcentral.EngageConfig{BaseURL: "https://acme.example/1.0", AccessToken: token, Rate: -1}, []string{rate}},
		"a rate of nothing means no limit": {ringcentral.EngageConfig{BaseURL: "https://acme.example/1.0", AccessToken: token, Rate: 0}, nil},
	} {
		t.Run(fact, func(t *testing.T) {
			err := c.cfg.Validate()
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			for _, name := range c.want {
				require.ErrorContains(t, err, name)
			}
			require.NotContains(t, err.Error(), "hush")
		})
	}
}

func TestPlainTextIsHTTPToAnotherMachine(t *testing.T) {
	for base, want := range map[string]bool{
		"https://acme.example/1.0":  false,
		"http://acme.example/1.0":   true,
		"http://10.0.0.1/1.0":       true,
		"http://localhost:8081/1.0": false,
		"http://127.0.0.1:8081/1.0": false,
		"http://[::1]:8081/1.0":     false,
		"":                          false,
	} {
		require.Equal(t, want, ringcentral.EngageConfig{BaseURL: base}.PlainText(), base)
	}
}
