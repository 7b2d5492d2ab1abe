package poll_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// The whole way: the simulated account with its limits and faults, the client, the
// poller, the broker. Contents come in while pages are read, some of them late.
func TestEverythingInTheSandboxReachesTheInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bubbleTime()
		b := newBench(t)
		account := sandbox.New(sandbox.Config{IndexLag: 2 * time.Second, RatePerMinute: 500, Seed: 1}, sandbox.Deps{})
		defer account.Close()
		for _, fault := range []sandbox.Fault{
			{Route: "GET /1.0/contents", Rate: 0.1, Status: http.StatusInternalServerError},
			{Route: "GET /1.0/contents", Rate: 0.1, Status: http.StatusTooManyRequests, RetryAfter: "2"},
			{Route: "GET /1.0/contents", Rate: 0.05, Reset: "after"},
		} {
			_, err := account.AddFault(fault)
			require.NoError(t, err)
		}
		engage := ringcentral.NewEngage(
			ringcentral.EngageConfig{BaseURL: "http://sandbox/1.0", AccessToken: sandbox.DefaultToken, Rate: 500},
			ringcentral.Deps{HTTP: &http.Client{Transport: sandbox.Transport{Handler: account.Handler()}}},
		)
		defer engage.Close()
		p := poll.New(poll.Deps{Options: b.kafka.Options, Topics: b.kafka.Names, Source: engage, Inbox: b.kafka.Inbox(t, codec)}, b.cfg)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()

		quiet := false
		put := func(in sandbox.Import) {
			in.Webhook = &quiet
			_, err := account.Import(in)
			require.NoError(t, err)
		}
		put(sandbox.Import{Count: 800})
		for n := range 200 {
			put(sandbox.Import{})
			if n%10 == 0 {
				put(sandbox.Import{CreatedAt: time.Now().Add(-72 * time.Hour)})
			}
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(3 * time.Minute)
		stop()
		require.NoError(t, <-done)

		want := map[string]bool{}
		for _, c := range account.Contents() {
			want[c.ID] = true
		}
		require.Len(t, want, 1020)
		got, people := map[string]bool{}, 0
		for _, a := range b.kafka.Arrivals(t, codec) {
			if a.Kind == "identity" {
				people++
				continue
			}
			require.True(t, json.Valid(a.Body))
			got[*a.ResourceID] = true
		}
		require.Equal(t, want, got)
		require.Positive(t, people)
	})
}
