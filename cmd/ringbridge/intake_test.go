package main_test

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	ringbridge "github.com/ringbridge/ringbridge/cmd/ringbridge"
)

// TestASpoolTakesWebhooksBeforeKafkaIsThere starts with an address where nobody
// is, and a spool.
func TestASpoolTakesWebhooksBeforeKafkaIsThere(t *testing.T) {
	w := newWorld(t)
	for variable, component := range map[string]string{"KAFKA_BROKERS": "kafka", "SCHEMA_REGISTRY_URL": "schema_registry"} {
		t.Run(variable, func(t *testing.T) {
			env := maps.Clone(w.env)
			hole := newHole(t, strings.TrimPrefix(w.env[variable], "http://"))
			env[variable] = strings.Replace(env[variable], strings.TrimPrefix(env[variable], "http://"), hole.addr, 1)
			env["SPOOL_DIR"] = filepath.Join(t.TempDir(), "spool")
			r := startBridge(t, env)
			require.Eventually(t, func() bool {
				status, reasons := r.readyz(t)
				return status == http.StatusOK && strings.Contains(reasons, `"component":"`+component+`"`)
			}, 20*time.Second, 20*time.Millisecond, "ready for webhooks, and tells what is missing: %s", &r.err)
			status, _, _ := call(t, http.MethodPost, "http://"+r.public+"/webhooks/engage", webhookBody)
			require.Equal(t, http.StatusOK, status)
			require.NotEmpty(t, segments(t, env["SPOOL_DIR"]))
			_, metrics, _ := call(t, http.MethodGet, "http://"+r.private+"/metrics", "")
			require.Contains(t, metrics, "\nringbridge_spool_active 1\n")
			require.NotContains(t, metrics, "\nringbridge_spool_oldest_timestamp_seconds 0\n")
			requireTried(t, symptom{"Kafka is away, and webhooks go to disk", "ringbridge_spool_active", 1})
			requireTried(t, symptom{"Kafka is away, and webhooks go to disk", "ringbridge_spool_oldest_timestamp_seconds", 1})

			hole.open.Store(true)
			require.Eventually(t, func() bool { return len(segments(t, env["SPOOL_DIR"])) == 0 }, 30*time.Second, 20*time.Millisecond, "drained: %s", &r.err)
			require.Zero(t, r.end(), "%s", &r.err)
			require.NotContains(t, r.err.String(), "not supported")
		})
	}
}

func segments(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.spool"))
	require.NoError(t, err)
	return found
}

func TestTwoProcessesDoNotShareASpool(t *testing.T) {
	w := newWorld(t)
	env := maps.Clone(w.env)
	env["SPOOL_DIR"] = t.TempDir()
	first := startBridge(t, env)
	first.waitReady(t)
	second := startBridge(t, env)
	code := <-second.done
	second.done <- code
	require.Equal(t, 1, code, "%s", &second.err)
	require.Contains(t, second.err.String(), "SPOOL_DIR")
	require.Contains(t, second.err.String(), "another process")
	require.Zero(t, first.end())
	_, err := os.Stat(env["SPOOL_DIR"])
	require.NoError(t, err)
}

func TestASpoolSufficesForReadiness(t *testing.T) {
	for fact, c := range map[string]struct {
		components []string
		want       bool
	}{
		"Kafka is away":                       {[]string{"kafka"}, true},
		"all that is Kafka's is away":         {[]string{"kafka", "topics", "publish/kafka", "publish/registry", "schema_registry"}, true},
		"the spool is full, Kafka is there":   {[]string{"spool"}, true},
		"the spool is full and Kafka is away": {[]string{"spool", "kafka"}, false},
		"it stops":                            {[]string{"process"}, false},
		"a credential is refused":             {[]string{"poll"}, false},
		"a credential is refused, Kafka away": {[]string{"kafka", "replies"}, false},
	} {
		t.Run(fact, func(t *testing.T) { require.Equal(t, c.want, ringbridge.SpoolSuffices(c.components...)) })
	}
}
