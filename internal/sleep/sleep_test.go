package sleep_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sleep"
)

func TestASleepLastsUntilItsEndOrIsBroken(t *testing.T) {
	stopped := errors.New("stopped")
	for name, breaks := range map[string]struct {
		with   func(cancel context.CancelCauseFunc, woken chan struct{})
		lasted time.Duration
		err    error
	}{
		"by nothing":     {func(context.CancelCauseFunc, chan struct{}) {}, time.Hour, nil},
		"by its context": {func(cancel context.CancelCauseFunc, _ chan struct{}) { cancel(stopped) }, time.Minute, stopped},
		"by a value":     {func(_ context.CancelCauseFunc, woken chan struct{}) { woken <- struct{}{} }, time.Minute, nil},
		"by a closing":   {func(_ context.CancelCauseFunc, woken chan struct{}) { close(woken) }, time.Minute, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				woken := make(chan struct{})
				go func() {
					time.Sleep(time.Minute)
					breaks.with(cancel, woken)
				}()
				began := time.Now()
				require.ErrorIs(t, sleep.Unless(ctx, time.Hour, woken), breaks.err)
				require.Equal(t, breaks.lasted, time.Since(began))
			})
		})
	}
}

func TestNobodySleepsOnceTheContextHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		for _, d := range []time.Duration{-1, 0, time.Hour} {
			require.ErrorIs(t, sleep.For(ctx, d), context.Canceled)
		}
		require.Zero(t, time.Since(began))
	})
}
