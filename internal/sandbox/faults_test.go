package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const createRoute = "POST /1.0/contents"

func (a *api) fault(f sandbox.Fault) {
	a.t.Helper()
	_, err := a.AddFault(f)
	require.NoError(a.t, err)
}

func TestFaultStatuses(t *testing.T) {
	a := start(t, sandbox.Config{})
	parent := a.incoming(sandbox.Import{})
	a.fault(sandbox.Fault{Route: createRoute, Statuses: []int{503, 200, 429}, RetryAfter: "3"})

	require.Equal(t, 200, a.get("/1.0/contents").status, "another route is spared")
	got := a.reply(parent, "1")
	require.Equal(t, 503, got.status)
	require.Equal(t, "3", got.header.Get("Retry-After"))
	require.Equal(t, 200, a.reply(parent, "2").status)
	got = a.reply(parent, "3")
	require.Equal(t, 429, got.status)
	require.JSONEq(t, sample("ed_error_rate_limit"), string(got.body))
	require.Equal(t, 200, a.reply(parent, "4").status, "the sequence is used up")
	require.Equal(t, 2, a.outbound())
	require.Equal(t, 3, a.Faults()[0].Hits)
	require.Equal(t, map[string]int{
		"GET /1.0/contents 200": 1, "POST /1.0/contents 503": 1, "POST /1.0/contents 429": 1, "POST /1.0/contents 200": 2,
	}, a.CallCounts())
}

func TestFaultBeforeOrAfterTheEffect(t *testing.T) {
	tests := map[string]struct {
		fault sandbox.Fault
		made  int
		cut   bool
	}{
		"a status before":          {sandbox.Fault{Status: 500}, 0, false},
		"a status after":           {sandbox.Fault{Status: 500, AfterEffect: true}, 1, false},
		"a reset before":           {sandbox.Fault{Reset: "before"}, 0, true},
		"a reset after":            {sandbox.Fault{Reset: "after"}, 1, true},
		"a status that is success": {sandbox.Fault{Statuses: []int{200}}, 1, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := start(t, sandbox.Config{})
			parent := a.incoming(sandbox.Import{})
			a.fault(test.fault)
			_, err := a.do(http.MethodPost, base+"/1.0/contents?body=x&in_reply_to_id="+parent.ID, "", "")
			require.Equal(t, test.cut, errors.Is(err, syscall.ECONNRESET), "%v", err)
			require.Equal(t, test.made, a.outbound())
			require.Equal(t, test.made == 1, a.Calls()[0].ContentID != "", "the log tells what was made")
		})
	}
}

func TestResetOverTCP(t *testing.T) {
	a := start(t, sandbox.Config{})
	server := httptest.NewServer(a.Handler())
	t.Cleanup(server.Close)
	a.client = server.Client()
	a.fault(sandbox.Fault{Reset: "after", Times: 1})

	_, err := a.do(http.MethodPost, server.URL+"/1.0/contents", "", "")
	require.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF), "%v", err)
	got, err := a.do(http.MethodGet, server.URL+"/1.0/contents", "", "")
	require.NoError(t, err)
	require.Equal(t, 200, got.status)
}

func TestHangEndsWhenTheClientLeaves(t *testing.T) {
	for name, after := range map[string]bool{"before the effect": false, "after the effect": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := start(t, sandbox.Config{})
				parent := a.incoming(sandbox.Import{})
				a.client.Timeout = 5 * time.Second
				a.fault(sandbox.Fault{Hang: true, AfterEffect: after})
				began := time.Now()
				_, err := a.do(http.MethodPost, base+"/1.0/contents?body=x&in_reply_to_id="+parent.ID, "", "")
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, 5*time.Second, time.Since(began))
				synctest.Wait()
				require.Equal(t, after, a.outbound() == 1)
				require.True(t, a.Calls()[0].Done)
			})
		})
	}
}

func TestHangOverTCPEndsWithTheClient(t *testing.T) {
	a := start(t, sandbox.Config{})
	server := httptest.NewServer(a.Handler())
	t.Cleanup(server.Close)
	a.client = server.Client()
	a.fault(sandbox.Fault{Hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/1.0/contents?body=x", nil)
	require.NoError(t, err)
	failed := make(chan error, 1)
	go func() {
		resp, err := a.client.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		failed <- err
	}()
	require.Eventually(t, func() bool { return len(a.Calls()) == 1 }, 5*time.Second, time.Millisecond)
	require.False(t, a.Calls()[0].Done)
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	require.Eventually(t, func() bool { return a.Calls()[0].Done }, 5*time.Second, time.Millisecond)
}

func TestDelayedEffectOutlivesTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, sandbox.Config{})
		parent := a.incoming(sandbox.Import{})
		a.client.Timeout = time.Second
		a.fault(sandbox.Fault{Route: createRoute, Delay: sandbox.Duration(3 * time.Second)})
		_, err := a.do(http.MethodPost, base+"/1.0/contents?body=x&in_reply_to_id="+parent.ID, "", "")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, a.outbound())
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, 1, a.outbound(), "it comes after the client gave up")
	})
}

func TestFaultMatches(t *testing.T) {
	a := start(t, sandbox.Config{})
	stuck, other := a.incoming(sandbox.Import{}), a.incoming(sandbox.Import{})
	tests := map[string]sandbox.Fault{
		"parent":  {Match: map[string]string{"in_reply_to_id": stuck.ID}},
		"thread":  {Match: map[string]string{"thread_id": stuck.ThreadID}},
		"text":    {Match: map[string]string{"body_contains": "stuck"}},
		"several": {Match: map[string]string{"body_contains": "stuck", "thread_id": stuck.ThreadID}},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			a.ClearFaults()
			f.Status = 503
			a.fault(f)
			require.Equal(t, 503, a.reply(stuck, "it is stuck").status)
			require.Equal(t, 200, a.reply(other, "it is fine").status)
		})
	}
	t.Run("the id of the path", func(t *testing.T) {
		a.ClearFaults()
		a.fault(sandbox.Fault{Route: "GET /1.0/contents/{id}", Match: map[string]string{"id": stuck.ID}, Status: 503})
		require.Equal(t, 503, a.get("/1.0/contents/"+stuck.ID).status)
		require.Equal(t, 200, a.get("/1.0/contents/"+other.ID).status)
	})
	t.Run("an address", func(t *testing.T) {
		a.ClearFaults()
		a.fault(sandbox.Fault{Route: "GET /1.0/contents/" + stuck.ID, Status: 503})
		require.Equal(t, 503, a.get("/1.0/contents/"+stuck.ID).status)
		require.Equal(t, 200, a.get("/1.0/contents/"+other.ID).status)
	})
}

func TestFaultPerValueFailsEachFirst(t *testing.T) {
	a := start(t, sandbox.Config{})
	one, two := a.incoming(sandbox.Import{}), a.incoming(sandbox.Import{})
	a.fault(sandbox.Fault{Route: createRoute, Per: "in_reply_to_id", Status: 503, Times: 1})
	for _, want := range []int{503, 200, 200} {
		require.Equal(t, want, a.reply(one, "x").status)
		require.Equal(t, want, a.reply(two, "x").status)
	}
}

func TestFaultRateIsSeeded(t *testing.T) {
	run := func() (failed []int) {
		a := start(t, sandbox.Config{})
		a.fault(sandbox.Fault{Rate: 0.2, Status: 500})
		for n := range 200 {
			if a.get("/1.0/contents").status == 500 {
				failed = append(failed, n)
			}
		}
		return failed
	}
	first := run()
	require.InDelta(t, 40, len(first), 20)
	require.Equal(t, first, run())
}

func TestFaultBody(t *testing.T) {
	a := start(t, sandbox.Config{})
	a.fault(sandbox.Fault{Status: 502, Times: 1, Body: []byte(`"<html>Bad Gateway</html>"`)})
	a.fault(sandbox.Fault{Status: 422, Times: 1, Body: []byte(`{"error":"odd"}`)})
	got := a.get("/1.0/contents")
	require.Equal(t, "<html>Bad Gateway</html>", string(got.body))
	require.Contains(t, got.header.Get("Content-Type"), "text/html")
	got = a.get("/1.0/contents")
	require.JSONEq(t, `{"error":"odd"}`, string(got.body))
}

func TestFaultsComeBeforeTheToken(t *testing.T) {
	a := start(t, sandbox.Config{})
	a.token = ""
	a.fault(sandbox.Fault{Status: 503})
	require.Equal(t, 503, a.get("/1.0/contents").status)
}

func TestSenselessFaults(t *testing.T) {
	a := start(t, sandbox.Config{})
	for name, f := range map[string]sandbox.Fault{
		"no effect":        {Route: createRoute},
		"a bad route":      {Route: "/1.0/contents", Status: 500},
		"a bad reset":      {Reset: "during"},
		"a bad status":     {Status: 42},
		"a bad sequence":   {Statuses: []int{500, 1000}},
		"a rate above one": {Status: 500, Rate: 5},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.AddFault(f)
			require.ErrorIs(t, err, sandbox.ErrInvalid)
		})
	}
}
