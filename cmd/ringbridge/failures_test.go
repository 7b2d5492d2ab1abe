package main_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// A failure is made in the program, which tells it in these series.
type failure struct {
	cause func(*testing.T, *observed)
	told  []symptom
}

// A symptom is a series as it becomes in a failure that a rule is tried on, under this name, in deploy/nights or deploy/alerts_test.yml.
type symptom struct {
	name, series string
	value        float64 // at least; 0 = exactly
}

// TestTheProgramTellsItsFailuresAsTheAlertsExpect makes failures in the running program, one after another, and sees each in
// the very series that the rules are tried on.
func TestTheProgramTellsItsFailuresAsTheAlertsExpect(t *testing.T) {
	o := observe(t)
	for _, f := range failures() {
		for _, s := range f.told {
			requireTried(t, s)
			before, ok := o.sample(t, s.series)
			require.True(t, ok, "%s: the series is there before the failure: %s", s.name, s.series)
			require.Equal(t, s.value == 0, before > 0, "%s: the series is well before the failure: %s", s.name, s.series)
		}
		f.cause(t, o)
		for _, s := range f.told {
			o.eventually(t, s.series, s.value)
		}
	}
}

// requireTried fails unless a rule is tried on the symptom.
func requireTried(t *testing.T, s symptom) {
	t.Helper()
	_, group, found := strings.Cut(trials(t), "- name: "+s.name+"\n")
	require.True(t, found, s.name)
	group, _, _ = strings.Cut(group, "- name: ")
	if !strings.Contains(group, "'"+withTarget(s.series)+"'") { // the text is too long to be shown
		require.FailNow(t, "no rule is tried on it", "%s: %s", s.name, s.series)
	}
}

// withTarget adds the labels that Prometheus adds, in the order of the alphabet.
func withTarget(series string) string {
	name, labels, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	const target = `instance="bridge-1:9090",job="ringbridge"`
	var before, after []string
	for label := range strings.SplitSeq(labels, ",") {
		switch {
		case label == "":
		case label < "instance":
			before = append(before, label)
		default:
			after = append(after, label)
		}
	}
	return name + "{" + strings.Join(append(append(before, target), after...), ",") + "}"
}

// failures are in an order in which none hides the next. That Kafka is away is seen in TestASpoolTakesWebhooksBeforeKafkaIsThere.
func failures() []failure {
	return []failure{
		{webhooks(11, "wrong", webhookBody), []symptom{{"webhooks carry another secret", `ringbridge_webhook_requests_total{endpoint="engage",result="unauthorized"}`, 11}}},
		{webhooks(1, "s3cret", "{}"), []symptom{{"a webhook holds nothing", `ringbridge_inbox_refused_total{result="written"}`, 1}}},
		{garbage, []symptom{{"an arrival is given up", `ringbridge_publish_letters_total{reason="undecodable"}`, 1}}},
		{unannounced, []symptom{{"webhooks stay away", "ringbridge_publish_repaired_events_total", 1}}},
		{fault("GET /restapi/v1.0/subscription", http.StatusServiceUnavailable), []symptom{{"the subscription is gone, and cannot be made anew", "ringbridge_subscription_active", 0}}},
		{replyTo("nothing"), []symptom{{"RingCentral refuses replies", `ringbridge_replies_dead_letters_total{reason="not_found"}`, 1}}},
		{fault("GET /1.0/identities", http.StatusForbidden), []symptom{
			{"contents may not be listed", `ringbridge_poll_halted{stream="engage/identities"}`, 1},
		}},
		{fault("GET /1.0/contents", http.StatusTooManyRequests), []symptom{
			{"RingCentral says 429", `ringbridge_api_requests_total{api="engage",op="list_contents",status="429"}`, 1},
		}},
		{both(fault("POST /1.0/contents", http.StatusServiceUnavailable), replyTo("c1")), []symptom{
			{"a text was perhaps sent", "ringbridge_replies_in_doubt", 1}, {"RingCentral is out of order", "ringbridge_replies_oldest_unfinished_timestamp_seconds", 1},
		}},
		{replyTo("c2"), []symptom{
			{"RingCentral is out of order", `ringbridge_replies_circuit{api="engage",state="open"}`, 1}, {"Kafka is away", "ringbridge_ready", 0},
		}},
		{revoked, []symptom{{"the token is revoked", `ringbridge_poll_unauthorized{api="engage"}`, 1}}},
	}
}

func both(first, second func(*testing.T, *observed)) func(*testing.T, *observed) {
	return func(t *testing.T, o *observed) {
		t.Helper()
		first(t, o)
		second(t, o)
	}
}

func webhooks(n int, secret, body string) func(*testing.T, *observed) {
	return func(t *testing.T, o *observed) {
		t.Helper()
		for range n {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+o.public+"/webhooks/engage", strings.NewReader(body))
			require.NoError(t, err)
			request.Header.Set("X-Dimelo-Secret", secret)
			request.Close = true
			response, err := http.DefaultTransport.RoundTrip(request)
			require.NoError(t, err)
			response.Body.Close()
		}
	}
}

func garbage(t *testing.T, o *observed) {
	t.Helper()
	require.NoError(t, o.client.ProduceSync(t.Context(), &kgo.Record{Topic: "ringcentral.inbox", Value: []byte("garbage")}).FirstErr())
}

// unannounced imports contents of which no webhook tells.
func unannounced(t *testing.T, o *observed) {
	t.Helper()
	silent := false
	for _, id := range []string{"c1", "c2"} {
		_, err := o.account.Import(sandbox.Import{ID: id, ThreadID: "thread-" + id, Body: "hello", Webhook: &silent})
		require.NoError(t, err)
	}
}

func fault(route string, status int) func(*testing.T, *observed) {
	return func(t *testing.T, o *observed) {
		t.Helper()
		_, err := o.account.AddFault(sandbox.Fault{Route: route, Status: status})
		require.NoError(t, err)
	}
}

func replyTo(content string) func(*testing.T, *observed) {
	return func(t *testing.T, o *observed) {
		t.Helper()
		got := o.run(t, "reply", "--in-reply-to", content, "--key", "thread-"+content, "--body", "hi")
		require.Zero(t, got.code, got.err)
	}
}

func revoked(t *testing.T, o *observed) {
	t.Helper()
	o.account.ClearFaults()
	fault("GET /1.0/contents", http.StatusUnauthorized)(t, o)
}
