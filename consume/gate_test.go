package consume

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func testGate(limit int) (*gate, *[]gateState) {
	states := &[]gateState{}
	pace := backoff{least: time.Second, most: 8 * time.Second}
	return newGate(limit, pace, func() float64 { return 1 }, func(s gateState, _ string) { *states = append(*states, s) }), states
}

func call(t *testing.T, g *gate, conversation string, r report) (counts bool) {
	t.Helper()
	p, err := g.enter(t.Context())
	require.NoError(t, err)
	return p.report(r, conversation, "why")
}

func TestOneConversationIsNoOutage(t *testing.T) {
	g, states := testGate(3)
	for range 20 {
		require.True(t, call(t, g, "a", failed))
	}
	require.Empty(t, *states)
	call(t, g, "b", answered)
	for range 2 {
		call(t, g, "a", failed)
		call(t, g, "b", answered)
	}
	require.Empty(t, *states, "an answer between starts the count again")
}

func TestAnOutageOpensProbesAtThePaceAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, states := testGate(3)
		require.True(t, call(t, g, "a", failed))
		require.True(t, call(t, g, "b", failed))
		inFlight, err := g.enter(t.Context())
		require.NoError(t, err)
		require.False(t, call(t, g, "a", failed), "the failure that opens is part of the outage")
		require.False(t, inFlight.report(failed, "c", ""), "so are those still out")
		start := time.Now()
		for _, at := range []int{1, 3, 7, 15, 23} {
			require.False(t, call(t, g, "a", failed), "nothing counts while open")
			require.InDelta(t, at, time.Since(start).Seconds(), 0)
		}
		call(t, g, "a", answered)
		require.Equal(t, []gateState{gateOpen, gateClosed}, *states)
		require.True(t, call(t, g, "a", failed), "closed again, failures count")
	})
}

func TestOneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := testGate(2)
		call(t, g, "a", failed)
		call(t, g, "b", failed)
		probe, err := g.enter(t.Context())
		require.NoError(t, err)
		passed := make(chan struct{})
		go func() {
			if p, err := g.enter(t.Context()); err == nil {
				p.report(answered, "b", "")
				close(passed)
			}
		}()
		synctest.Wait()
		select {
		case <-passed:
			t.Fatal("a second call passed while the probe was out")
		default:
		}
		probe.report(answered, "a", "")
		<-passed
	})
}

func TestARefusedCredentialHaltsAndIsTriedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, states := testGate(10)
		require.True(t, call(t, g, "a", unauthorized))
		start := time.Now()
		for i := range 3 {
			call(t, g, "a", unauthorized)
			require.Equal(t, time.Duration(i+1)*time.Minute, time.Since(start))
		}
		call(t, g, "a", answered)
		require.Equal(t, []gateState{gateHalted, gateClosed}, *states)
	})
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := testGate(2)
		call(t, g, "a", unauthorized)
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("stop")
		cancel(cause)
		_, err := g.enter(ctx)
		require.ErrorIs(t, err, cause)
	})
}
