package realparts

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports come from below the range that Linux (32768) and macOS (49152) hand to outgoing connections. From inside
// it, a client that dials a broker while it is down can be given the broker's own port as its local one, connect
// to itself, and keep the broker from coming back.
const (
	firstPort = 20_000
	lastPort  = 32_000
)

// freePort finds a loopback port that nobody listens on. Another process may still take it before ours does.
func freePort(ctx context.Context) (int, error) {
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		ln, err := new(net.ListenConfig).Listen(ctx, "tcp4", loopback(port))
		if err != nil {
			continue
		}
		return port, ln.Close()
	}
	return 0, errors.New("realparts: no free port in a hundred tries")
}

// loopback is the address of a port on this machine alone.
func loopback(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
