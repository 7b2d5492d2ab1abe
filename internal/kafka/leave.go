package kafka

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// closeBound is how long a client may take to close while its process goes on. One that takes longer is stuck, and only a
// new process helps.
const closeBound = time.Minute

// ErrStuck means that a client does not close.
var ErrStuck = errors.New("kafka: the client is stuck; the process must be started anew")

// Leave takes a member out of its group, and shuts its client and what belongs to it.
//
// Once ctx is done, because the process is being stopped, brokers that do not answer are waited for no longer than bound:
// the member's partitions move when its session times out. Otherwise Leave returns when the client is gone, or ErrStuck.
func Leave(ctx context.Context, member *kgo.Client, shut func(), bound time.Duration, log *slog.Logger) error {
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), bound)
	defer cancel()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		if err := member.LeaveGroupContext(leaving); err != nil {
			log.Info("left without the group's answer; its partitions move when the session times out", "error", err)
		}
		shut()
	}()
	select {
	case <-closed:
		return nil
	case <-leaving.Done():
	}
	select {
	case <-closed:
	case <-ctx.Done():
	case <-time.After(closeBound):
		return ErrStuck
	}
	return nil
}
