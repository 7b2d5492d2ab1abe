package lograte_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/lograte"
)

func TestOneLineOfAKindPassesInAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lograte.Limiter[string]
		passes := func(kind string, suppressed int) {
			t.Helper()
			n, ok := l.Allow(kind)
			require.True(t, ok)
			require.Equal(t, suppressed, n)
		}
		passes("a", 0)
		for range 20_000 {
			_, ok := l.Allow("a")
			require.False(t, ok)
		}
		passes("b", 0)
		time.Sleep(lograte.Interval - 1)
		_, ok := l.Allow("a")
		require.False(t, ok)
		time.Sleep(time.Nanosecond)
		passes("a", 20_001)
		time.Sleep(lograte.Interval)
		passes("a", 0)
	})
}
