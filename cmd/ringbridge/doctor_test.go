package main_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka/kafkatest"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// clinic is a world in which everything is well, until a test spoils it.
type clinic struct {
	*world
	account *sandbox.Server
	date    func() time.Time // what the API's clock says; nil = the truth
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	c := &clinic{world: newWorld(t).withTopics(t)}
	c.account = sandbox.New(sandbox.Config{Webhook: sandbox.Webhook{
		URL: "https://hooks.example.com/webhooks/engage?key=hunter2", Secret: "s3cret", VerifyToken: "v2",
	}}, sandbox.Deps{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.date != nil {
			w.Header().Set("Date", c.date().UTC().Format(http.TimeFormat))
		}
		c.account.Handler().ServeHTTP(w, r)
	}))
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Validation-Token", r.Header.Get("Validation-Token"))
	}))
	t.Cleanup(func() {
		api.Close()
		c.account.Close()
		receiver.Close()
	})
	maps.Copy(c.env, map[string]string{
		"ENGAGE_BASE_URL": api.URL + "/1.0", "ENGAGE_ACCESS_TOKEN": sandbox.DefaultToken,
		"ENGAGE_WEBHOOK_SECRET": "s3cret", "ENGAGE_WEBHOOK_VERIFY_TOKEN": "v1, v2",
		"RINGCENTRAL_SERVER_URL": api.URL, "RINGCENTRAL_CLIENT_ID": sandbox.DefaultClientID,
		"RINGCENTRAL_CLIENT_SECRET": sandbox.DefaultClientSecret, "RINGCENTRAL_JWT": sandbox.DefaultJWT,
		"RINGCENTRAL_WEBHOOK_URL": receiver.URL + "/webhooks/ringcentral", "SPOOL_DIR": filepath.Join(t.TempDir(), "not", "yet"),
	})
	platform := ringcentral.NewPlatform(ringcentral.PlatformConfig{
		ServerURL: api.URL, ClientID: sandbox.DefaultClientID, ClientSecret: sandbox.DefaultClientSecret, JWT: sandbox.DefaultJWT, ContentsPath: "off",
	}, ringcentral.Deps{})
	defer platform.Close()
	_, err := platform.Subscribe(t.Context(), ringcentral.NewSubscription{
		EventFilters: []string{"/restapi/v1.0/account/~/extension/~/message-store/instant?type=SMS"}, Address: c.env["RINGCENTRAL_WEBHOOK_URL"],
	})
	require.NoError(t, err)
	return c
}

func (c *clinic) webhook(t *testing.T, change func(*sandbox.Webhook)) {
	t.Helper()
	hook := sandbox.Webhook{URL: "http://127.0.0.1:1/webhooks/engage", Secret: "s3cret", VerifyToken: "v2"}
	change(&hook)
	require.Error(t, c.account.Register(t.Context(), hook), "a handshake that fails leaves it disabled")
}

func TestTheDoctorFindsNothingWhereAllIsWell(t *testing.T) {
	c := newClinic(t)
	got := c.run(t, "doctor")
	require.Zero(t, got.code, got.out+got.err)
	for _, line := range []string{
		"ok       configuration  all settings can be read", "ok       kafka          1 brokers answer", `ok       topics         all topics under "ringcentral."`,
		"all schemas are registered", "ok       engage         the token is accepted",
		"ok       webhook        https://hooks.example.com/webhooks/engage is active; verify token: no. 2 of 2 in ENGAGE_WEBHOOK_VERIFY_TOKEN; secret: not told",
		"ok       platform       the credentials are accepted", "is active with 1 filters, until", "ok       polling        no part of a list", "ok       clock          within 1s of 127.0.0.1",
		"is not there yet, and can be made", " failed, ",
	} {
		require.Contains(t, got.out, line)
	}
	require.Contains(t, got.out, " ok, 0 failed, ")
	require.Len(t, lines(t, c.run(t, "doctor", "--json").out), 13)
	require.NoDirExists(t, c.env["SPOOL_DIR"], "nothing is changed")
	noSecrets(t, got.out+got.err)
}

func noSecrets(t *testing.T, text string) {
	t.Helper()
	for _, value := range []string{sandbox.DefaultToken, sandbox.DefaultClientSecret, sandbox.DefaultJWT, "s3cret", "hunter2", "v2,"} {
		require.NotContains(t, text, value)
	}
}

// leaveOffsetsOpen commits an offset in a transaction that does not end.
func (c *clinic) leaveOffsetsOpen(t *testing.T, group, topic string) {
	t.Helper()
	offset := kadm.OffsetsFromRecords(kgo.Record{Topic: topic, Partition: 1, Offset: 3})
	require.NoError(t, kadm.NewClient(c.client).CommitAllOffsets(t.Context(), group, offset))
	producer, err := kgo.NewClient(kgo.SeedBrokers(c.env["KAFKA_BROKERS"]), kgo.TransactionalID("x"), kgo.TransactionTimeout(10*time.Minute))
	require.NoError(t, err)
	t.Cleanup(producer.Close)
	require.NoError(t, producer.BeginTransaction())
	require.NoError(t, producer.ProduceSync(t.Context(), &kgo.Record{Topic: "ringcentral.seen"}).FirstErr())
	kafkatest.CommitInTransaction(t, producer, "x", group, topic, 1)
}

func TestTheDoctorSaysWhatToDo(t *testing.T) {
	for fact, test := range map[string]struct {
		spoil func(*testing.T, *clinic)
		want  string // the line, as a pattern
	}{
		"a setting that cannot be read": {
			func(_ *testing.T, c *clinic) { c.env["POLL_INTERVAL"] = "often"; c.env["LOG_FORMAT"] = "xml" },
			`FAIL +configuration +POLL_INTERVAL: want a duration.*; LOG_FORMAT: want.* → correct these variables`,
		},
		"nobody at the brokers' address": {
			func(t *testing.T, c *clinic) { t.Helper(); c.env["KAFKA_BROKERS"] = freeAddress(t) },
			`FAIL +kafka +kafka: cannot reach .* → check KAFKA_BROKERS`,
		},
		"no broker at all": {
			func(t *testing.T, c *clinic) {
				t.Helper()
				delete(c.env, "KAFKA_BROKERS")
				c.env["DATA_DIR"] = t.TempDir()
			},
			`FAIL +kafka .* → set KAFKA_BROKERS, or start`,
		},
		"a prefix without topics": {
			func(_ *testing.T, c *clinic) { c.env["TOPIC_PREFIX"] = "other." },
			"FAIL +topics +missing: other.inbox, .* → `ringbridge topics apply`",
		},
		"a topic whose setting breaks a guarantee": {
			func(t *testing.T, c *clinic) {
				t.Helper()
				compact := "compact"
				_, err := kadm.NewClient(c.client).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "cleanup.policy", Value: &compact}}, "ringcentral.inbox")
				require.NoError(t, err)
			},
			`FAIL +topics +topic ringcentral.inbox: cleanup.policy is compact.* → alter`,
		},
		"committed offsets that the broker holds back": {
			func(t *testing.T, c *clinic) {
				t.Helper()
				c.leaveOffsetsOpen(t, "ringcentral.publish", "ringcentral.inbox")
			},
			`FAIL +transactions +the broker holds the committed offsets of 1 partitions of group ringcentral.publish back.* → restart the broker that coordinates group ringcentral.publish`,
		},
		"a registry that is away": {
			func(t *testing.T, c *clinic) { t.Helper(); c.env["SCHEMA_REGISTRY_URL"] = "http://" + freeAddress(t) },
			`FAIL +registry .*unavailable.* → check SCHEMA_REGISTRY_URL`,
		},
		"schemas that nobody may register": {
			func(_ *testing.T, c *clinic) {
				c.env["TOPIC_PREFIX"] = "other."
				c.env["SCHEMA_REGISTRY_REGISTER"] = "false"
			},
			"FAIL +registry +7 schemas are not registered, .* → `ringbridge schemas register`",
		},
		"a token that is refused": {
			func(_ *testing.T, c *clinic) { c.env["ENGAGE_ACCESS_TOKEN"] = "hunter2" },
			`FAIL +engage .*status 401.* → renew ENGAGE_ACCESS_TOKEN`,
		},
		"a token that may not read identities": {
			func(t *testing.T, c *clinic) {
				t.Helper()
				_, err := c.account.AddFault(sandbox.Fault{Route: "GET /1.0/identities", Status: http.StatusForbidden})
				require.NoError(t, err)
			},
			`FAIL +engage .*status 403.* → let the token's user read identities`,
		},
		"a webhook that is disabled": {
			func(t *testing.T, c *clinic) { t.Helper(); c.webhook(t, func(*sandbox.Webhook) {}) },
			`FAIL +webhook +the webhook to http://127.0.0.1:1/webhooks/engage is disabled \(disabled\) → check that the address answers`,
		},
		"a webhook to another address": {
			func(t *testing.T, c *clinic) {
				t.Helper()
				c.webhook(t, func(h *sandbox.Webhook) { h.URL = "http://127.0.0.1:1/other" })
			},
			`FAIL +webhook +none of the token's 1 webhooks leads .* → register https://your.host/webhooks/engage`,
		},
		"a verify token that is not ours": {
			func(_ *testing.T, c *clinic) { c.env["ENGAGE_WEBHOOK_VERIFY_TOKEN"] = "v1" },
			`FAIL +webhook .* none of ENGAGE_WEBHOOK_VERIFY_TOKEN → add it there`,
		},
		"credentials that were revoked": {
			func(_ *testing.T, c *clinic) { c.account.Platform().RevokeCredentials() },
			`FAIL +platform .* → renew RINGCENTRAL_JWT`,
		},
		"a subscription that was blacklisted": {
			func(t *testing.T, c *clinic) {
				t.Helper()
				require.NoError(t, c.account.Platform().BlacklistSubscription(c.account.Platform().Subscriptions()[0].ID, "Read timed out"))
			},
			`FAIL +subscriptions +ours is not active: Blacklisted since .*, Read timed out → check that RINGCENTRAL_WEBHOOK_URL`,
		},
		"a subscription that is gone": {
			func(t *testing.T, c *clinic) {
				t.Helper()
				require.NoError(t, c.account.Platform().RemoveSubscription(c.account.Platform().Subscriptions()[0].ID))
			},
			`FAIL +subscriptions +none of the user's 0 leads .* → start the bridge`,
		},
		"a clock that is behind": {
			func(_ *testing.T, c *clinic) { c.date = func() time.Time { return time.Now().Add(10 * time.Minute) } },
			`FAIL +clock +this machine's clock is 10m0s behind that of 127.0.0.1:\d+ → let NTP`,
		},
		"a record of the inbox from the future": {
			func(t *testing.T, c *clinic) {
				t.Helper()
				c.put(t, &kgo.Record{Topic: "inbox", Timestamp: time.Now().Add(time.Hour)}, &schemas.Arrival{Origin: schemas.OriginPoll, API: schemas.ApiEngage})
			},
			`FAIL +clock +the inbox has a record that is 1h0m0s ahead .* → compare the clocks`,
		},
		"a file where the spool should be": {
			func(t *testing.T, c *clinic) {
				t.Helper()
				file := filepath.Join(t.TempDir(), "file")
				require.NoError(t, os.WriteFile(file, nil, 0o600))
				c.env["SPOOL_DIR"] = file
			},
			`FAIL +spool +SPOOL_DIR cannot be written: .* → give the user`,
		},
	} {
		t.Run(fact, func(t *testing.T) {
			c := newClinic(t)
			test.spoil(t, c)
			got := c.run(t, "doctor")
			require.Equal(t, 1, got.code, got.out)
			require.Len(t, strings.Split(strings.TrimSpace(got.out), "\n"), 14, "all checks run: %s", got.out)
			require.Regexp(t, "(?m)^"+test.want, got.out)
			noSecrets(t, got.out+got.err)
		})
	}
}

func TestTheDoctorSkipsWhatIsOff(t *testing.T) {
	w := newWorld(t).withTopics(t)
	got := w.run(t, "doctor")
	require.Zero(t, got.code, got.out)
	for _, check := range []string{"engage", "webhook", "platform", "subscriptions", "clock", "spool"} {
		require.Regexp(t, `(?m)^skipped  `+check, got.out)
	}
}

func TestTheDoctorReportsWhatPollingCouldNotRead(t *testing.T) {
	c := newClinic(t)
	for stream, value := range map[string]string{
		"engage/contents": `{"version":1,"since":"2026-01-01T00:00:00Z","swept":"2026-01-02T00:00:00Z","census":{},"missing":"2026-01-01T09:00:00Z"}`,
		"sms/messages":    `{"version":1,"since":"2026-01-01T00:00:00Z","swept":"2026-01-02T00:00:00Z","census":{},"owed":"2026-01-01T10:00:00Z"}`,
	} {
		require.NoError(t, c.client.ProduceSync(t.Context(), &kgo.Record{Topic: "ringcentral.cursors", Key: []byte(stream), Value: []byte(value)}).FirstErr())
	}
	got := c.run(t, "doctor")
	require.Zero(t, got.code, "polling tries again by itself")
	require.Regexp(t, `ok +polling +rows may be missing, .*: engage/contents from 2026-01-01T09:00:00Z on, sms/messages from 2026-01-01T10:00:00Z on;`, got.out)
}
