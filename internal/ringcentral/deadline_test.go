package ringcentral_test

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// countedConn counts the bytes that leave.
type countedConn struct {
	net.Conn
	sent *atomic.Int64
}

func (c countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

// frozen is an API whose connection takes d by the given clock to come up: as if the process had slept there.
func frozen(t *testing.T, c *clock, d time.Duration, h http.HandlerFunc) (*ringcentral.Engage, *atomic.Int64) {
	t.Helper()
	transport := virtual(t, h)
	dial, sent := transport.DialContext, new(atomic.Int64)
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		c.jump(d)
		return countedConn{conn, sent}, nil
	}
	return engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: transport}, Now: c.now}), sent
}

func TestACallFrozenBeforeItsFirstByteIsNotSent(t *testing.T) {
	for fact, c := range map[string]struct {
		freeze   time.Duration
		deadline func(time.Time) time.Time
		late     bool
	}{
		"in time is in time": {59 * time.Second, func(t time.Time) time.Time { return t.Add(time.Minute) }, false},
		"late by a second":   {61 * time.Second, func(t time.Time) time.Time { return t.Add(time.Minute) }, true},
		"a deadline from outside has no monotonic clock": {
			61 * time.Second, func(t time.Time) time.Time { return t.Add(time.Minute).Round(0).UTC() }, true,
		},
		"no deadline, no lateness": {time.Hour, nil, false},
	} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var now clock
				e, sent := frozen(t, &now, c.freeze, content)
				ctx := t.Context()
				if c.deadline != nil {
					ctx = ringcentral.WithStartDeadline(ctx, c.deadline(now.now()))
				}
				_, err := e.CreateContent(ctx, reply())
				if !c.late {
					require.NoError(t, err)
					require.Positive(t, sent.Load())
					return
				}
				require.ErrorIs(t, err, ringcentral.ErrTooLate)
				require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
				require.Zero(t, sent.Load())
			})
		})
	}
}

func TestAConnectionInReserveIsGuardedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Each call looks twice: after the budget and at the connection. The fourth look is late.
		var looks atomic.Int32
		transport := virtual(t, content)
		dial, sent, dials := transport.DialContext, new(atomic.Int64), 0
		transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials++
			conn, err := dial(ctx, network, addr)
			return countedConn{conn, sent}, err
		}
		e := engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: transport}, Now: func() time.Time {
			if looks.Add(1) >= 4 {
				return time.Now().Add(time.Hour)
			}
			return time.Now()
		}})
		_, err := e.CreateContent(t.Context(), reply())
		require.NoError(t, err)
		before := sent.Load()
		require.Equal(t, 1, dials)

		_, err = e.CreateContent(ringcentral.WithStartDeadline(t.Context(), time.Now().Add(time.Minute)), reply())
		require.ErrorIs(t, err, ringcentral.ErrTooLate)
		require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
		require.Equal(t, before, sent.Load())
		require.GreaterOrEqual(t, looks.Load(), int32(4))
	})
}

func TestAForeignTransportIsGuardedBeforeItIsCalled(t *testing.T) {
	looks := 0
	e := engage(t, "http://api.example", ringcentral.Deps{
		HTTP: &http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) {
			t.Error("called")
			return nil, net.ErrClosed
		})},
		Now: func() time.Time {
			looks++
			return time.Now().Add(time.Duration(looks-1) * time.Hour)
		},
	})
	_, err := e.CreateContent(ringcentral.WithStartDeadline(t.Context(), time.Now().Add(time.Minute)), reply())
	require.ErrorIs(t, err, ringcentral.ErrTooLate)
	require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
	require.Equal(t, 2, looks)
}

func TestTheWallClockAloneMakesACallLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		var wall time.Time
		e := engage(t, "http://api.example", ringcentral.Deps{
			HTTP: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) { sent++; return answered(content, r), nil })},
			Now:  func() time.Time { return wall },
		})
		deadline := time.Now().Add(time.Minute)
		wall = time.Now().Add(2 * time.Minute).Round(0)
		_, err := e.Content(ringcentral.WithStartDeadline(t.Context(), deadline), "c1")
		require.ErrorIs(t, err, ringcentral.ErrTooLate)
		wall = time.Now().Round(0)
		_, err = e.Content(ringcentral.WithStartDeadline(t.Context(), deadline), "c1")
		require.NoError(t, err)
		require.Equal(t, 1, sent)
	})
}

func TestOfTwoStartDeadlinesTheEarlierHolds(t *testing.T) {
	e := engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
		return answered(content, r), nil
	})}, Now: func() time.Time { return time.Now().Add(time.Minute) }})
	early, late := time.Now().Add(30*time.Second), time.Now().Add(time.Hour)
	for _, ctx := range []context.Context{
		ringcentral.WithStartDeadline(ringcentral.WithStartDeadline(t.Context(), early), late),
		ringcentral.WithStartDeadline(ringcentral.WithStartDeadline(t.Context(), late), early),
	} {
		_, err := e.Content(ctx, "c1")
		require.ErrorIs(t, err, ringcentral.ErrTooLate)
	}
}

func TestWaitingForBudgetDoesNotUseUpTheCallsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a api
		e := a.client(t, 1)
		ctx := ringcentral.WithCallTimeout(t.Context(), time.Second)
		for range 3 {
			_, err := e.Content(ctx, "x")
			require.NoError(t, err)
		}
	})
}
