//go:build real

package e2e_test

import (
	"context"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

func TestWrongSettingsAreToldAllAtOnce(t *testing.T) {
	cmd := exec.Command(binary, "run")
	cmd.Env = []string{
		"KAFKA_BROKERS=h:1", "SCHEMA_REGISTRY_URL=ftp://user:hunter2@h", "POLL_INTERVAL=soon", "REPLIES_MAX_ATTEMPTS=0",
		"ENGAGE_BASE_URL=http://example.com/2.0", "ADMIN_ADDR=0.0.0.0:9090", "LOG_LEVEL=loud", "TOPIC_PARTITIONS=-3",
	}
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	for _, variable := range []string{"SCHEMA_REGISTRY_URL", "POLL_INTERVAL", "REPLIES_MAX_ATTEMPTS", "ENGAGE_BASE_URL", "ADMIN_TOKEN", "LOG_LEVEL", "TOPIC_PARTITIONS"} {
		require.Contains(t, string(out), variable)
	}
	require.NotContains(t, string(out), "hunter2")
	require.NotContains(t, string(out), "goroutine")
}

// TestAMissingBrokerOrRegistryIsWaitedFor starts without one, then gives it.
func TestAMissingBrokerOrRegistryIsWaitedFor(t *testing.T) {
	for variable, nowhere := range map[string]string{"KAFKA_BROKERS": freePort(t), "SCHEMA_REGISTRY_URL": "http://" + freePort(t)} {
		t.Run(variable, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{}, nil)
			w.env[variable] = nowhere
			b := w.launch(freePort(t), freePort(t))
			require.Eventually(t, func() bool {
				status, body, err := get(b.admin + "/readyz")
				return err == nil && status == http.StatusServiceUnavailable && strings.Contains(body, strings.ToLower(strings.Split(variable, "_")[0]))
			}, 20*time.Second, 100*time.Millisecond, "%s", b.log)
			status, _, err := get(b.admin + "/livez")
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, status, "an outage is no reason to restart")
			began := time.Now()
			status, err = b.post([]byte(`{"id":"r","events":[{"type":"content.imported","id":"e","resource":{"type":"a/b","id":"c","metadata":{}}}]}`))
			require.NoError(t, err)
			require.Equal(t, http.StatusServiceUnavailable, status)
			require.Less(t, time.Since(began), 10*time.Second)
			require.NotContains(t, b.log.String(), "goroutine")
			require.Equal(t, 0, b.stop())
		})
	}
}

// TestAStopIsBoundedWhileTheBrokerIsGone kills the broker under a bridge that has
// work in both directions, then stops the bridge.
func TestAStopIsBoundedWhileTheBrokerIsGone(t *testing.T) {
	w := newWorld(t, sandbox.Config{}, nil)
	_, err := w.box.AddFault(sandbox.Fault{Route: "POST /1.0/contents", Delay: sandbox.Duration(3 * time.Second)})
	require.NoError(t, err)
	off := false
	parents, err := w.box.Import(sandbox.Import{Count: 5, Webhook: &off})
	require.NoError(t, err)
	b := w.start(freePort(t), freePort(t))
	for _, parent := range parents {
		w.send(reply(parent.ID, parent.ThreadID, parent.ID, "hello"))
	}
	require.Eventually(t, func() bool { return len(w.box.Calls()) > 0 }, time.Minute, 50*time.Millisecond)
	require.NoError(t, parts.Kafka.Kill())
	t.Cleanup(func() { require.NoError(t, parts.Kafka.Restart(context.Background())) })
	began := time.Now()
	require.NoError(t, b.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-b.ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("still running 30 s after SIGTERM:\n%s", b.log)
	}
	require.Less(t, time.Since(began), 12*time.Second, "SHUTDOWN_TIMEOUT is 10 s")
}
