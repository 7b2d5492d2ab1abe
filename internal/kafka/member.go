package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

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

// ConfirmMember asks whether the group counts the client as its member still, and returns until when nobody else can get what it has. A
// member that was frozen, or that nobody heard, learns from its own heartbeats too late that others have it; this is a heartbeat, too, and
// grants the session timeout of ten seconds from the call on. Where the member was lost and has joined again, its callbacks have been
// called before.
func ConfirmMember(ctx context.Context, client *kgo.Client, group string) (until time.Time, err error) {
	until = time.Now().Add(sessionTimeout)
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group = group
	req.MemberID, req.Generation = client.GroupMetadata()
	answer, err := req.RequestWith(ctx, client)
	if err == nil {
		err = kerr.ErrorForCode(answer.ErrorCode)
	}
	if err == nil || errors.Is(err, kerr.RebalanceInProgress) { // until it has given it back, what it has is its own
		return until, nil
	}
	return time.Time{}, fmt.Errorf("kafka: group %s does not confirm its member: %w", group, err)
}
