package kafka_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// TestALeaveIsBounded shuts a client that does not close, while the process goes on and while it is being stopped.
func TestALeaveIsBounded(t *testing.T) {
	for fact, c := range map[string]struct {
		stopping bool
		takes    time.Duration // to close
		want     time.Duration // until Leave returns
		err      error
	}{
		"a stop does not wait beyond its bound": {stopping: true, takes: time.Hour, want: 3 * time.Second},
		"a stop that has been done is over":     {stopping: true, takes: time.Second, want: time.Second},
		"else the client is waited for":         {takes: 50 * time.Second, want: 50 * time.Second},
		"but not for ever":                      {takes: time.Hour, want: 63 * time.Second, err: kafka.ErrStuck},
	} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, err := kgo.NewClient()
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.stopping {
					cancel()
				}
				began := time.Now()
				shut := func() { time.Sleep(c.takes); client.Close() }
				require.ErrorIs(t, kafka.Leave(ctx, client, shut, 3*time.Second, slog.New(slog.DiscardHandler)), c.err)
				require.Equal(t, c.want, time.Since(began))
				time.Sleep(2 * time.Hour)
			})
		})
	}
}
