// Package sleep is how everything here waits: for as long as its context allows.
package sleep

import (
	"context"
	"time"
)

// For sleeps for d and returns nil, or the cause of ctx as soon as that has ended; it may have before. Safe for concurrent use.
func For(ctx context.Context, d time.Duration) error { return Unless(ctx, d, nil) }

// Unless is For, but ends early, with nil, when woken is closed or yields a value.
func Unless(ctx context.Context, d time.Duration, woken <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-woken:
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}
