//go:build real

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// A night is one failure, and the alerts that an operator is woken by.
type night struct {
	what  string
	fires []string               // at its end, and no others; before the failure, none
	brief bool                   // tried by every run of the tests
	alone bool                   // it breaks the broker, which others need
	env   map[string]string      // besides the trials' own
	every time.Duration          // from scrape to scrape; 0 = a second
	lasts int                    // scrapes, from the failure on
	fail  func(tr *trial, n int) // is called before the nth of them
}

// first does something before the first scrape, and only then.
func first(do func(tr *trial)) func(*trial, int) {
	return func(tr *trial, n int) {
		if n == 0 {
			do(tr)
		}
	}
}

// faults has calls of the API fail.
func faults(all ...sandbox.Fault) func(*trial, int) {
	return first(func(tr *trial) {
		for _, f := range all {
			_, err := tr.box.AddFault(f)
			require.NoError(tr.t, err)
		}
	})
}

// nights are what can go wrong, each brought about in a running bridge, or before Kafka and RingCentral as they are seen by
// it. What takes days, or a fault of ours, is written by hand in alerts_test.yml.
func nights() []night {
	const (
		store    = "/restapi/v1.0/account/~/extension/~/message-store"
		sms      = "POST /restapi/v1.0/account/~/extension/~/sms"
		contents = "GET /1.0/contents"
	)
	spool := map[string]string{"SPOOL_DIR": "spool"}
	return []night{
		{what: "all is well", brief: true, env: spool, lasts: 30, fail: func(*trial, int) {}},
		// Is it working?
		{what: "the process is killed", fires: []string{"Down"}, lasts: 6, fail: first(func(tr *trial) { tr.bridge.kill() })},
		{what: "the process is killed again and again", fires: []string{"Restarting"}, every: 5 * time.Second, lasts: 15, fail: killedAgain},
		{what: "the sessions of publish are fenced again and again", fires: []string{"SessionsRestart"}, lasts: 20, fail: fenced},
		// In
		{what: "webhooks carry another secret", fires: []string{"WebhooksUnauthorized"}, lasts: 34, fail: strange},
		{what: "webhooks stay away", fires: []string{"WebhooksLost"}, lasts: 40, fail: first(func(tr *trial) { tr.box.SetDelivery(sandbox.Delivery{LossRate: 1}) })},
		{what: "notifications stay away", fires: []string{"NotificationsSilent", "WebhooksLost"}, every: 20 * time.Second, lasts: 65, fail: first(unheard)},
		{what: "the subscription is gone, and cannot be made anew", fires: []string{"SubscriptionNotKept"}, lasts: 20, fail: first(unsubscribed)},
		{what: "contents cannot be listed", fires: []string{"PollBehind"}, lasts: 40, fail: faults(sandbox.Fault{Route: contents, Status: 503})},
		{what: "contents may not be listed", fires: []string{"StreamHalted"}, lasts: 10, fail: faults(sandbox.Fault{Route: contents, Status: 403})},
		{what: "a row is larger than the inbox takes", fires: []string{"RowsTooLarge"}, lasts: 10, fail: first(oversized)},
		{what: "authors take their time", fires: []string{"PublishSlow"}, lasts: 40, fail: faults(sandbox.Fault{Route: "GET /1.0/identities/{id}", Delay: sandbox.Duration(1500 * time.Millisecond)})},
		{what: "a transaction hangs before all that comes in", fires: []string{"PublishStalled", "TransactionsHang"}, lasts: 36, fail: first(hanging)},
		// Out
		{what: "RingCentral is out of order", fires: []string{"CircuitOpen", "NotReady", "RepliesInDoubt", "RepliesStuck"}, lasts: 30, fail: faults(sandbox.Fault{Route: createContent, Status: 503})},
		{what: "a text was perhaps sent", fires: []string{"RepliesInDoubt", "RepliesStuck"}, lasts: 20, fail: first(func(tr *trial) {
			faults(sandbox.Fault{Route: sms, Reset: "before"}, sandbox.Fault{Route: "GET " + store, Status: 503})(tr, 0)
			tr.send(textTo(stuckNumber, "stuck", stuckText))
		})},
		{what: "RingCentral refuses replies", fires: []string{"ReplyDeadLetters"}, lasts: 5, fail: faults(sandbox.Fault{Route: createContent, Status: 422})},
		{what: "a webhook holds nothing", fires: []string{"InboxDeadLetters"}, lasts: 5, fail: first(func(tr *trial) {
			status, err := tr.bridge.post([]byte(`{"hello": "there"}`))
			require.NoError(tr.t, err)
			require.Equal(tr.t, http.StatusOK, status)
		})},
		// The API
		{what: "the token is revoked", fires: []string{"CredentialRefused", "NotReady", "RepliesStuck"}, lasts: 20, fail: faults(revoked()...)},
		{what: "the limit is used up", fires: []string{"BudgetSpent"}, env: map[string]string{"ENGAGE_RATE": "240"}, lasts: 30, fail: func(*trial, int) {}},
		{what: "RingCentral says 429", fires: []string{"RateLimited"}, lasts: 15, fail: faults(sandbox.Fault{Route: contents, Status: 429, RetryAfter: "1"})},
		// The broker, and the spool
		{what: "Kafka is away", alone: true, fires: []string{"NotReady", "SessionsRestart", "WebhooksNotTaken"}, lasts: 12, fail: first(killBroker)},
		{what: "Kafka is away, and webhooks go to disk", alone: true, env: spool, fires: []string{"PollBehind", "SessionsRestart", "SpoolActive", "SpoolOld", "SubscriptionNotKept"}, lasts: 40, fail: first(killBroker)},
		{what: "Kafka is away, and so is the disk", alone: true, env: spool, fires: []string{"NotReady", "SessionsRestart", "SpoolRefuses", "WebhooksNotTaken"}, lasts: 10, fail: first(func(tr *trial) {
			require.NoError(tr.t, os.RemoveAll(tr.env["SPOOL_DIR"]))
			require.NoError(tr.t, os.WriteFile(tr.env["SPOOL_DIR"], nil, 0o600))
			killBroker(tr)
		})},
		{what: "the disk damages what it keeps", alone: true, env: spool, fires: []string{"SessionsRestart", "SpoolDamaged"}, lasts: 25, fail: damaged},
	}
}

// revoked has the API refuse the token everywhere.
func revoked() (all []sandbox.Fault) {
	for _, route := range []string{"GET /1.0/contents", "GET /1.0/identities", createContent, "GET /1.0/contents/{id}", "GET /1.0/identities/{id}"} {
		all = append(all, sandbox.Fault{Route: route, Status: http.StatusUnauthorized})
	}
	return all
}

func killedAgain(tr *trial, n int) {
	if n%4 == 0 && n < 12 {
		tr.bridge.kill()
		tr.bridge = tr.launch(tr.public, strings.TrimPrefix(tr.bridge.admin, "http://"))
	}
}

// fenced takes the transactional id of publish's producer, as one would that takes it for its own.
func fenced(tr *trial, n int) {
	if n%3 != 0 {
		return
	}
	listed, err := kadm.NewClient(tr.client).ListTransactions(tr.t.Context(), nil, nil)
	require.NoError(tr.t, err)
	for _, id := range listed.TransactionalIDs() {
		if !strings.HasPrefix(id, tr.names.Group("publish")) {
			continue
		}
		req := kmsg.NewPtrInitProducerIDRequest()
		req.TransactionalID, req.TransactionTimeoutMillis, req.ProducerID, req.ProducerEpoch = &id, 10_000, -1, -1
		_, err := req.RequestWith(tr.t.Context(), tr.client)
		require.NoError(tr.t, err)
	}
}

// strange sends webhooks of somebody else.
func strange(tr *trial, n int) {
	status, err := tr.bridge.postAs("another", imported(fmt.Sprint("strange-", n)))
	require.NoError(tr.t, err)
	require.Equal(tr.t, http.StatusUnauthorized, status)
}

// unheard keeps the platform from sending any notification; the subscription stays as it is.
func unheard(tr *trial) {
	tr.box.Platform().SetNotifications(sandbox.Notifications{LossRate: 1})
}

func unsubscribed(tr *trial) {
	faults(sandbox.Fault{Route: "POST /restapi/v1.0/subscription", Status: 503})(tr, 0)
	p := tr.box.Platform()
	require.NoError(tr.t, p.BlacklistSubscription(p.Subscriptions()[0].ID, "Webhook responses with code: [404], reason: [Not Found]"))
}

// alter changes a topic under the running bridge.
func (tr *trial) alter(topic, setting, value string) {
	tr.t.Helper()
	answers, err := kadm.NewClient(tr.client).AlterTopicConfigs(tr.t.Context(), []kadm.AlterConfig{{Name: setting, Value: &value}}, topic)
	require.NoError(tr.t, err)
	require.NoError(tr.t, answers[0].Err)
}

func oversized(tr *trial) {
	tr.alter(tr.names.Inbox, "max.message.bytes", "50000")
	off, long := false, ""
	for range 200 {
		long += text()
	}
	_, err := tr.box.Import(sandbox.Import{Body: long, Webhook: &off})
	require.NoError(tr.t, err)
}

// hanging leaves a transaction open in each partition of the inbox whose newest record is older than any of the stages' may be.
func hanging(tr *trial) {
	other, err := kgo.NewClient(kgo.SeedBrokers(parts.Kafka.Addr()), kgo.TransactionalID(tr.prefix+"other"), kgo.TransactionTimeout(10*time.Minute),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(tr.t, err)
	tr.t.Cleanup(other.Close)
	require.NoError(tr.t, other.BeginTransaction())
	for partition := range int32(4) {
		old := &kgo.Record{Topic: tr.names.Inbox, Partition: partition, Timestamp: time.Now().Add(-2 * time.Minute)}
		require.NoError(tr.t, other.ProduceSync(tr.t.Context(), old).FirstErr())
	}
}

// killBroker kills the broker, which is there again for the next night.
func killBroker(tr *trial) {
	require.NoError(tr.t, parts.Kafka.Kill())
	tr.t.Cleanup(func() { require.NoError(tr.t, parts.Kafka.Restart(context.WithoutCancel(tr.t.Context()))) })
}

// damaged writes nonsense over what the spool keeps, then lets the broker come back.
func damaged(tr *trial, n int) {
	switch n {
	case 0:
		require.NoError(tr.t, parts.Kafka.Kill())
	case 8:
		kept := tr.segments()
		require.NotEmpty(tr.t, kept)
		data, err := os.ReadFile(kept[0])
		require.NoError(tr.t, err)
		copy(data[len(data)/2:], "nonsense")
		require.NoError(tr.t, os.WriteFile(kept[0], data, 0o600))
		require.NoError(tr.t, parts.Kafka.Restart(tr.t.Context()))
	}
}
