package kafka

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/failpoint"
)

const (
	// sessionTimeout is after how long without a heartbeat a member is taken for
	// dead, and its partitions go to others. The client's default of 45 s allows
	// for long pauses of a virtual machine; a Go process has none, and until then
	// nobody works on what a killed replica owned. Brokers allow 6 s at the least.
	sessionTimeout = 10 * time.Second / failpoint.Haste
	// heartbeatInterval lets two heartbeats be lost.
	heartbeatInterval = 3 * time.Second / failpoint.Haste
)

// MemberOptions are the options of every consumer group of ours.
func MemberOptions() []kgo.Opt {
	return append(muteOptions(), kgo.SessionTimeout(sessionTimeout), kgo.HeartbeatInterval(heartbeatInterval))
}
