package realparts

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports come from below the range that Linux (32768) and macOS (49152) hand to outgoing connections. From inside
// it, any connection can be given a port that is to be listened on a moment later; and a client that dials a broker
// while it is down can be given the broker's own port as its local one, connect to itself, and keep the broker from
// coming back.
const (
	firstPort = 12_000
	lastPort  = 32_000
)

var given struct { //nolint:gochecknoglobals // the ports are the machine's
	sync.Mutex
	ports map[int]bool
}

// FreeAddr returns an address on loopback, host:port, that nobody listens on and that this process gets only once, for a
// listener whose address must be known before it starts and stay its own while it is down. Another process may take it still.
// Safe for concurrent use.
func FreeAddr(ctx context.Context) (string, error) {
	port, err := freePort(ctx)
	return loopback(port), err
}

func freePort(ctx context.Context) (int, error) {
	given.Lock()
	defer given.Unlock()
	if given.ports == nil {
		given.ports = map[int]bool{}
	}
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if given.ports[port] {
			continue
		}
		ln, err := new(net.ListenConfig).Listen(ctx, "tcp4", loopback(port))
		if err != nil {
			continue
		}
		given.ports[port] = true
		return port, ln.Close()
	}
	return 0, errors.New("realparts: no free port in a hundred tries")
}

// loopback is the address of a port on this machine alone.
func loopback(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
