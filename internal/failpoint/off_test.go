//go:build !failpoints

package failpoint_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/failpoint"
)

// TestNothingIsCompiledInWithoutTheTag sets what would kill this process.
func TestNothingIsCompiledInWithoutTheTag(t *testing.T) {
	t.Setenv("RINGBRIDGE_FAILPOINT", "a:1:kill")
	t.Setenv("RINGBRIDGE_FAILPOINT_OFF", "dedupe")
	failpoint.Hit("a")
	require.False(t, failpoint.Off("dedupe"))
	require.Equal(t, 1, failpoint.Haste)
}
