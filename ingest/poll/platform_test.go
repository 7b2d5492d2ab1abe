package poll_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// pollPlatform is embedded by platforms that differ in one thing.
type pollPlatform = poll.Platform

// platformBench is a poller of the simulated platform, on fake time.
type platformBench struct {
	*bench

	server  *sandbox.Server
	account *sandbox.Platform
	source  poll.Platform
	poller  *poll.Poller
	duties  []poll.Duty
}

// platformBubble runs a test with an account of the platform and a broker.
func platformBubble(t *testing.T, cfg sandbox.PlatformConfig, test func(t *testing.T, b *platformBench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		bubbleTime()
		server := sandbox.New(sandbox.Config{Seed: 1, Platform: cfg}, sandbox.Deps{})
		t.Cleanup(server.Close)
		client := ringcentral.NewPlatform(ringcentral.PlatformConfig{
			ServerURL: "http://sandbox", ClientID: sandbox.DefaultClientID, ClientSecret: sandbox.DefaultClientSecret, JWT: sandbox.DefaultJWT,
			ContentsPath: ringcentral.SocialMessaging,
		}, ringcentral.Deps{HTTP: &http.Client{Transport: sandbox.Transport{Handler: server.Handler()}}})
		t.Cleanup(client.Close)
		test(t, &platformBench{bench: newBench(t), server: server, account: server.Platform(), source: client})
	})
}

// begin starts a poller; stop stops it and waits.
func (b *platformBench) begin(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	b.reg = prometheus.NewRegistry()
	p := poll.New(poll.Deps{
		Options: b.kafka.Options, Topics: b.kafka.Names, Platform: b.source, Social: true, Duties: b.duties,
		Inbox: b.inbox, Health: b.health, Registerer: b.reg, Jitter: func() float64 { return 0.5 },
	}, b.cfg)
	b.poller = p
	if b.part > 0 {
		p.SetMaxHarvest(b.part)
	}
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	b.mu.Lock()
	b.last = cancel
	b.mu.Unlock()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	t.Cleanup(stop)
	return stop
}

// text imports one message without any notification and returns its id.
func (b *platformBench) text(t *testing.T, in sandbox.MessageImport) string {
	t.Helper()
	quiet := false
	in.Instant, in.Hint = &quiet, &quiet
	got, err := b.account.ImportMessages(in)
	require.NoError(t, err)
	return strconv.FormatInt(got[0].ID, 10)
}

// seen is a message as the inbox has it.
type seen struct {
	MessageStatus, ReadStatus, Availability string
}

// states returns the states of a message in the order in which the inbox got them.
func (b *platformBench) states(t *testing.T, id string) []seen {
	t.Helper()
	var states []seen
	for _, item := range b.inbox.all() {
		if item.Arrival.Kind == "message" && *item.Arrival.ResourceID == id {
			var s seen
			require.NoError(t, json.Unmarshal(item.Arrival.Body, &s))
			states = append(states, s)
		}
	}
	return states
}

// items returns the items of one message.
func (b *platformBench) items(id string) []ingest.Item {
	var found []ingest.Item
	for _, item := range b.inbox.all() {
		if *item.Arrival.ResourceID == id {
			found = append(found, item)
		}
	}
	return found
}
