//go:build real

package e2e_test

import (
	"flag"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// smsDay is short here; `make sms-day` replays a whole day of 10,000 texts.
var smsDay = flag.Int("sms-day", 600, "how many texts come and go in TestADayOfTexts")

const (
	wholeDay = 10_000 // texts

	// shortLosses and dayLosses are how often the sync token is lost.
	shortLosses, dayLosses = 2, 10
)

// TestADayOfTexts replays a day of texts at speed. Customers and agents write in
// turn, statuses change, customers' texts are read. Half of the hints are lost, some
// notifications come twice, those of every tenth conversation not at all, and the
// sync token is lost again and again.
//
// What is counted against is what the platform told: each notification, and each
// state in each answer of its message store. A status that came and went between two
// reads was told nobody. Each text has its first event once, before all others;
// each status told is there once, in the order of a text's life, the last one always;
// the texts of a conversation that customers wrote have their order, and those that
// agents wrote. Between the two there is none to keep: of customers' texts a
// notification tells at once, of agents' only the next read of the store, so that an
// answer can be told before the question. These are counted, too. A customer writes
// again when the text before has been taken in: notifications have no order.
func TestADayOfTexts(t *testing.T) {
	w, public := newPlatformWorld(t, sandbox.PlatformConfig{
		SentAfter: 800 * time.Millisecond, DeliveredAfter: 1600 * time.Millisecond, SendingFailures: 0.02, DeliveryFailures: 0.05,
		Notifications: sandbox.Notifications{HintLossRate: 0.5, DuplicateRate: 0.05, Concurrency: 8, Timeout: sandbox.Duration(waitLong)},
	})
	told := newToldTexts(w.box.Handler(), public)
	server := httptest.NewServer(told)
	t.Cleanup(server.Close)
	w.env["RINGCENTRAL_SERVER_URL"], w.env["RINGCENTRAL_WEBHOOK_URL"] = server.URL, server.URL+notified
	// Hints bring a round forward to two seconds. Of a day's 24 sweeps there is one in a few seconds.
	w.env["POLL_INTERVAL"], w.env["POLL_SWEEP_INTERVAL"] = "2500ms", "5s"
	b := w.start(public, freePort(t))
	p := w.box.Platform()
	require.Eventually(t, func() bool { return len(p.Subscriptions()) == 1 }, waitLong, 50*time.Millisecond, "%s", b.log)

	losses := shortLosses
	if *smsDay >= wholeDay {
		losses = dayLosses
	}
	day := &replay{p: p, told: told, texts: *smsDay, losses: losses}
	began := time.Now()
	require.NoError(t, day.run())
	replayed := time.Since(began)
	require.Eventually(t, func() bool { return told.all(p.Messages()) }, waitLong, 100*time.Millisecond, "not all was told")
	rounds := told.seen().rounds
	require.Eventually(t, func() bool {
		counts, _ := p.Notifications()
		return counts.Pending == 0 && told.seen().rounds > rounds // so what the last round found is in the inbox
	}, waitLong, 50*time.Millisecond, "no further round")
	w.published()
	took := time.Since(began)
	require.Equal(t, 0, b.stop())

	got := w.tallyTexts(told, p.Messages())
	t.Logf("\n%s", got.table(p, told.seen(), replayed, took))
	require.Equal(t, textFaults{}, got.textFaults)
	require.Equal(t, losses, told.seen().lost, "losses of the sync token that the bridge met")
	require.Zero(t, told.seen().failed)
	require.Empty(t, w.read(w.names.InboxDLQ))
}
