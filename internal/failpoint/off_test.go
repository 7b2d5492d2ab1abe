//go:build !failpoints

package failpoint_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/failpoint"
)

// TestNothingIsCompiledInWithoutTheTag sets what would kill this process.
func TestNothingIsCompiledInWithoutTheTag(t *testing.T) {
	t.Setenv("RINGBRIDGE_FAILPOINT", "a:1:kill")
	t.Setenv("RINGBRIDGE_FAILPOINT_OFF", "dedupe")
	full := filepath.Join(t.TempDir(), "full")
	require.NoError(t, os.WriteFile(full, []byte("disk"), 0o600))
	t.Setenv("RINGBRIDGE_FAILPOINT_FAIL", full)
	t.Setenv("RINGBRIDGE_FAILPOINT_DURABLE", full)
	failpoint.Hit("a")
	require.NoError(t, failpoint.Fail("disk"))
	failpoint.Durable("file", 1)
	text, err := os.ReadFile(full)
	require.NoError(t, err)
	require.Equal(t, "disk", string(text))
	require.False(t, failpoint.Off("dedupe"))
	require.Equal(t, 1, failpoint.Haste)
}
