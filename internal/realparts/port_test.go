package realparts_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/realparts"
)

// Seen in a run: the port of a replica was taken by a connection of another one before it listened.
func TestAFreeAddressIsGivenOnceAndNoConnectionTakesIt(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		addr, err := realparts.FreeAddr(t.Context())
		require.NoError(t, err)
		require.False(t, seen[addr], addr)
		seen[addr] = true
		_, text, err := net.SplitHostPort(addr)
		require.NoError(t, err)
		port, err := strconv.Atoi(text)
		require.NoError(t, err)
		require.Less(t, port, 32768, "the least that Linux and macOS give to outgoing connections")
	}
}
