package main_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/require"

	ringbridge "github.com/ringbridge/ringbridge/cmd/ringbridge"
)

// contractSettings are the variables that the program promises to have.
var contractSettings = strings.Fields(`
	KAFKA_BROKERS KAFKA_TLS_ENABLED KAFKA_TLS_CA_FILE KAFKA_TLS_CERT_FILE KAFKA_TLS_KEY_FILE
	KAFKA_SASL_MECHANISM KAFKA_SASL_USERNAME KAFKA_SASL_PASSWORD
	SCHEMA_REGISTRY_URL SCHEMA_REGISTRY_USERNAME SCHEMA_REGISTRY_PASSWORD SCHEMA_REGISTRY_REGISTER
	TOPIC_PREFIX TOPIC_PARTITIONS TOPIC_REPLICATION DATA_DIR
	HTTP_ADDR HTTP_MAX_BODY ADMIN_ADDR ADMIN_TOKEN CONSOLE_MASK_TEXT SPOOL_DIR SHUTDOWN_TIMEOUT
	ACCOUNT
	ENGAGE_BASE_URL ENGAGE_ACCESS_TOKEN ENGAGE_WEBHOOK_VERIFY_TOKEN ENGAGE_WEBHOOK_SECRET
	RINGCENTRAL_SERVER_URL RINGCENTRAL_CLIENT_ID RINGCENTRAL_CLIENT_SECRET RINGCENTRAL_JWT RINGCENTRAL_WEBHOOK_TOKEN
	RINGCENTRAL_CONTENTS_PATH RINGCENTRAL_WEBHOOK_URL
	POLL_INTERVAL POLL_OVERLAP POLL_SWEEP_INTERVAL POLL_SWEEP
	ENGAGE_RATE SMS_RATE ENRICH_TIMEOUT
	REPLIES_CONCURRENCY REPLIES_MAX_ATTEMPTS REPLIES_BACKOFF_MIN REPLIES_BACKOFF_MAX REPLIES_CALL_TIMEOUT
	REPLIES_CIRCUIT_FAILURES REPLIES_ON_AMBIGUOUS
	LOG_LEVEL LOG_FORMAT OTEL_EXPORTER_OTLP_ENDPOINT`)

func TestSettingsAreThoseOfTheContract(t *testing.T) {
	require.ElementsMatch(t, contractSettings, ringbridge.SettingNames())
}

func TestHelpExplainsEverySetting(t *testing.T) {
	require.ElementsMatch(t, ringbridge.SettingNames(), ringbridge.DocumentedSettings())
	help := ringbridge.SettingsHelp()
	for _, fact := range []string{"[30s]", "[15m]", "[1h]", "[72h]", "[500]", "[40]", "[2s]", "[10]", "[10s]", "[:8080]", "[127.0.0.1:9090]", "[ringcentral.]", "ADMIN_TOKEN*"} {
		require.Contains(t, help, fact)
	}
}

// faultsOf returns the faults of a configuration, one a line.
func faultsOf(t *testing.T, env map[string]string) []string {
	t.Helper()
	err := ringbridge.LoadAll(t.Context(), envconfig.MapLookuper(env))
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	require.Regexp(t, `^configuration: \d+ faults?:$`, lines[0])
	return lines[1:]
}

func TestFaultsOfTheConfiguration(t *testing.T) {
	for fact, test := range map[string]struct {
		env  map[string]string
		want []string // what each fault begins with
	}{
		"nothing set is a whole configuration":         {env: nil},
		"an empty variable is not set":                 {env: map[string]string{"POLL_INTERVAL": "", "LOG_LEVEL": ""}},
		"a duration without a unit":                    {env: map[string]string{"POLL_INTERVAL": "30"}, want: []string{"POLL_INTERVAL: want a duration"}},
		"a number that is none":                        {env: map[string]string{"TOPIC_PARTITIONS": "six"}, want: []string{"TOPIC_PARTITIONS: want a whole number"}},
		"a switch that is neither":                     {env: map[string]string{"SCHEMA_REGISTRY_REGISTER": "yes"}, want: []string{"SCHEMA_REGISTRY_REGISTER: want true or false"}},
		"brokers without a registry":                   {env: map[string]string{"KAFKA_BROKERS": "k:9092"}, want: []string{"SCHEMA_REGISTRY_URL: is empty"}},
		"TLS without brokers":                          {env: map[string]string{"KAFKA_TLS_ENABLED": "true"}, want: []string{"KAFKA_BROKERS: is empty"}},
		"credentials in the brokers":                   {env: map[string]string{"KAFKA_BROKERS": "u:p@k:1", "SCHEMA_REGISTRY_URL": "http://r"}, want: []string{"KAFKA_BROKERS: want host:port"}},
		"credentials in the registry's address":        {env: map[string]string{"SCHEMA_REGISTRY_URL": "http://u:p@r"}, want: []string{"SCHEMA_REGISTRY_URL: holds credentials; use SCHEMA_REGISTRY_USERNAME"}},
		"credentials in the API's address":             {env: map[string]string{"ENGAGE_BASE_URL": "https://u:p@x/1.0", "ENGAGE_ACCESS_TOKEN": "t"}, want: []string{"ENGAGE_BASE_URL: holds credentials"}},
		"credentials in the platform's address":        {env: map[string]string{"RINGCENTRAL_SERVER_URL": "https://u:p@x"}, want: []string{"RINGCENTRAL_SERVER_URL: holds credentials; use RINGCENTRAL_CLIENT_ID"}},
		"credentials in the traces' address":           {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://u:p@x"}, want: []string{"OTEL_EXPORTER_OTLP_ENDPOINT: holds credentials"}},
		"a private listener open to all":               {env: map[string]string{"ADMIN_ADDR": ":9090"}, want: []string{"ADMIN_TOKEN: is empty"}},
		"a private listener open to all, with a token": {env: map[string]string{"ADMIN_ADDR": "0.0.0.0:9090", "ADMIN_TOKEN": "t"}},
		"one address for both listeners":               {env: map[string]string{"ADMIN_ADDR": "127.0.0.1:1", "HTTP_ADDR": "127.0.0.1:1"}, want: []string{"ADMIN_ADDR: is the same as HTTP_ADDR"}},
		"an address without a port":                    {env: map[string]string{"HTTP_ADDR": "localhost"}, want: []string{"HTTP_ADDR: want host:port"}},
		"an account that breaks ce_source":             {env: map[string]string{"ACCOUNT": "a/b"}, want: []string{"ACCOUNT: holds a slash"}},
		"the secret of half a client":                  {env: map[string]string{"RINGCENTRAL_CLIENT_SECRET": "s"}, want: []string{"RINGCENTRAL_CLIENT_SECRET: set it together"}},
		"several at once, each told once": {
			env:  map[string]string{"POLL_INTERVAL": "x", "SHUTDOWN_TIMEOUT": "-1s", "LOG_FORMAT": "xml", "SMS_RATE": "-1", "TOPIC_PREFIX": "a b"},
			want: []string{"POLL_INTERVAL:", "TOPIC_PREFIX:", "LOG_FORMAT:", "SHUTDOWN_TIMEOUT:", "SMS_RATE:"},
		},
	} {
		t.Run(fact, func(t *testing.T) {
			got := faultsOf(t, test.env)
			require.Len(t, got, len(test.want), got)
			for _, want := range test.want {
				require.Condition(t, func() bool {
					for _, fault := range got {
						if strings.HasPrefix(strings.TrimSpace(fault), want) {
							return true
						}
					}
					return false
				}, "%q is not among %q", want, got)
			}
		})
	}
}

func TestSecretsComeFromFilesToo(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	open := map[string]string{"ADMIN_ADDR": ":1"} // demands ADMIN_TOKEN
	for fact, test := range map[string]struct {
		env  map[string]string
		want string
	}{
		// A token with a line break in it would be a fault.
		"read without its line break":   {env: map[string]string{"ADMIN_TOKEN": "t", "ENGAGE_BASE_URL": "https://x/1.0", "ENGAGE_ACCESS_TOKEN_FILE": file("ok", "hunter2\r\n")}},
		"set twice":                     {env: map[string]string{"ADMIN_TOKEN_FILE": file("x", "hunter2"), "ADMIN_TOKEN": "hunter2"}, want: "ADMIN_TOKEN: is set, and so is ADMIN_TOKEN_FILE"},
		"a missing file":                {env: map[string]string{"ADMIN_TOKEN_FILE": filepath.Join(dir, "none")}, want: "ADMIN_TOKEN_FILE: open"},
		"an empty file":                 {env: map[string]string{"ADMIN_TOKEN_FILE": file("empty", "\n")}, want: "ADMIN_TOKEN_FILE: the file is empty"},
		"a file that is no secret":      {env: map[string]string{"ADMIN_TOKEN_FILE": file("large", strings.Repeat("x", 1<<17))}, want: "ADMIN_TOKEN_FILE: the file is larger"},
		"a directory":                   {env: map[string]string{"ADMIN_TOKEN_FILE": dir}, want: "ADMIN_TOKEN_FILE: read"},
		"what is no secret has no file": {env: map[string]string{"LOG_LEVEL_FILE": file("level", "loud"), "ADMIN_TOKEN": "t"}},
	} {
		t.Run(fact, func(t *testing.T) {
			maps.Copy(test.env, open)
			got := faultsOf(t, test.env)
			if test.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1, got)
			require.True(t, strings.HasPrefix(strings.TrimSpace(got[0]), test.want), got[0])
		})
	}
}

// Every secret, and every other variable, holding a secret that is wrong there:
// a value pasted into the wrong line must not be printed either.
func TestNoFaultShowsAValue(t *testing.T) {
	const pasted = "hunter2 \n"
	env := map[string]string{}
	for _, name := range ringbridge.SettingNames() {
		env[name] = pasted
	}
	delete(env, "REPLIES_ON_AMBIGUOUS") // shows what it does not know
	err := ringbridge.LoadAll(t.Context(), envconfig.MapLookuper(env))
	require.Error(t, err)
	require.Contains(t, err.Error(), "LOG_LEVEL")
	require.NotContains(t, err.Error(), "hunter2")
}
