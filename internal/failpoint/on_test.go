//go:build failpoints

package failpoint_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/failpoint"
)

// TestMain is also the process that is killed.
func TestMain(m *testing.M) {
	if os.Getenv("RINGBRIDGE_FAILPOINT") == "" {
		os.Exit(m.Run())
	}
	for n := range 3 {
		failpoint.Durable("f", int64(n))
		failpoint.Hit("a")
		failpoint.Hit("b")
	}
	if failpoint.Off("dedupe") && !failpoint.Off("ack") {
		os.Exit(3)
	}
}

func child(t *testing.T, spec string) (*os.ProcessState, []string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RINGBRIDGE_FAILPOINT="+spec, "RINGBRIDGE_FAILPOINT_LOG="+log, "RINGBRIDGE_FAILPOINT_OFF=dedupe")
	_ = cmd.Run() // its state tells
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	return cmd.ProcessState, strings.Fields(string(text))
}

func TestAnArmedPointKillsAtItsPassing(t *testing.T) {
	state, passed := child(t, "b:2:kill")
	require.Equal(t, syscall.SIGKILL, state.Sys().(syscall.WaitStatus).Signal())
	require.Equal(t, []string{"a", "b", "a", "!b"}, passed)
}

func TestAPointThatIsNotReachedOnlyCounts(t *testing.T) {
	state, passed := child(t, "b:4:kill")
	require.Equal(t, 3, state.ExitCode(), "the safeguard named is off, others are not")
	require.Len(t, passed, 6)
}

func TestWhatIsDurableIsTold(t *testing.T) {
	ledger := filepath.Join(t.TempDir(), "ledger")
	t.Setenv("RINGBRIDGE_FAILPOINT_DURABLE", ledger)
	child(t, "b:2:kill")
	child(t, "b:1:kill") // its successor
	text, err := os.ReadFile(ledger)
	require.NoError(t, err)
	require.Equal(t, "0 f\n1 f\n0 f\n", string(text))
}

func TestACallFailsWhileTheFileNamesIt(t *testing.T) {
	full := filepath.Join(t.TempDir(), "full")
	t.Setenv("RINGBRIDGE_FAILPOINT_FAIL", full)
	require.NoError(t, failpoint.Fail("disk/write"), "there is no such file")
	require.NoError(t, os.WriteFile(full, []byte("disk/sync disk/write"), 0o600))
	require.ErrorIs(t, failpoint.Fail("disk/write"), syscall.ENOSPC)
	require.ErrorIs(t, failpoint.Fail("disk/sync"), syscall.ENOSPC)
	require.NoError(t, failpoint.Fail("disk"))
	require.NoError(t, os.Remove(full))
	require.NoError(t, failpoint.Fail("disk/write"), "there is room again")
}
