//go:build real

package crash_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/crash"
)

// TestAFewRounds is the short run. `make crash ROUNDS=n` is the long one, with a seed of its own each time.
func TestAFewRounds(t *testing.T) {
	dir, err := os.MkdirTemp("", "ringbridge-crash-") //nolint:usetesting // stays after a failure
	require.NoError(t, err)
	binary := filepath.Join(dir, "ringbridge")
	require.NoError(t, crash.Build(t.Context(), binary))
	result, err := crash.Run(t.Context(), crash.Config{Binary: binary, Dir: dir, Rounds: 5, Seed: 1, Out: t.Output()})
	var table bytes.Buffer
	result.Print(&table)
	t.Log("\n" + table.String())
	require.NoError(t, err, "logs are kept in %s", dir)
	require.False(t, result.Tally.Bad(), "logs are kept in %s", dir)
	require.Empty(t, result.Unreached(), "failpoints that nothing came by")
	require.NoError(t, os.RemoveAll(dir))
}
