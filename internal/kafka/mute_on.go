//go:build failpoints

package kafka

import (
	"context"
	"encoding/binary"
	"net"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// muteOptions let the crash harness keep a member's heartbeats from the broker: while the file named by
// RINGBRIDGE_FAILPOINT_MUTE exists, they are sent nowhere.
func muteOptions() []kgo.Opt {
	file := os.Getenv("RINGBRIDGE_FAILPOINT_MUTE") //nolint:forbidigo // the program itself is to know nothing of it
	if file == "" {
		return nil
	}
	return []kgo.Opt{kgo.Dialer(func(ctx context.Context, network, host string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, host)
		return mutableConn{conn, file}, err
	})}
}

type mutableConn struct {
	net.Conn
	file string
}

// Write swallows a heartbeat. A request is written whole: its length, then its key.
func (c mutableConn) Write(b []byte) (int, error) {
	if len(b) >= 6 && binary.BigEndian.Uint16(b[4:]) == uint16(kmsg.Heartbeat) {
		if _, err := os.Stat(c.file); err == nil {
			return len(b), nil
		}
	}
	return c.Conn.Write(b)
}
