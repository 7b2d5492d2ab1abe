package crash_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/crash"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// TestAnAccountIsOddAndHealed draws each oddity, in many of its forms.
func TestAnAccountIsOddAndHealed(t *testing.T) {
	box := sandbox.New(sandbox.Config{}, sandbox.Deps{})
	t.Cleanup(box.Close)
	met := map[string]int{}
	for seed := range uint64(20) {
		require.NoError(t, crash.BeOdd(box, seed, func(name string) { met[name] += len(box.Faults()) }))
		require.Empty(t, box.Faults())
	}
	require.Greater(t, len(met), 25)
	for name, faults := range met {
		if name[:4] != "webh" { // what is sent is odd by other means
			require.Positive(t, faults, name)
		}
	}
}
