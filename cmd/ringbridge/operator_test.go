package main_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/schemas"
)

func TestTheCommandLine(t *testing.T) {
	w := &world{env: map[string]string{"DATA_DIR": t.TempDir()}}
	for args, want := range map[string]struct {
		code int
		text string
	}{
		"help":                                     {0, "Available Commands"},
		"version":                                  {0, "ringbridge "},
		"run --help":                               {0, "REPLIES_ON_AMBIGUOUS"},
		"nonsense":                                 {2, `unknown command "nonsense"`},
		"topics nonsense":                          {2, `unknown command "nonsense"`},
		"tail":                                     {2, "accepts 1 arg"},
		"tail contents --nonsense":                 {2, "unknown flag"},
		"tail contents --from yesterday":           {2, "--from: want"},
		"run --only publish,deliver":               {2, `--only "deliver": want ingest, publish, consume`},
		"reply":                                    {2, "--in-reply-to"},
		"reply --in-reply-to x":                    {2, "--body: is empty"},
		"reply --handover bot:bot --identity x":    {2, "--handover"},
		"reply --handover bot:agent":               {2, "--identity: is empty"},
		"reply --from +1555 --body hi":             {2, "--to: is empty"},
		"reply --from +1555 --to +1556":            {2, "--body: is empty"},
		"reply --update-message 1":                 {2, "--read-status or --restore"},
		"reply --in-reply-to x --body y --key z":   {1, "no embedded broker runs"},
		"dlq list --reason nonsense":               {2, `--reason "nonsense": want undecodable`},
		"dlq list --topic contents":                {2, "--topic: want replies or inbox"},
		"dlq discard --topic contents":             {2, "--topic: want replies or inbox"},
		"dlq discard":                              {2, "--yes: is needed"},
		"dlq redrive --rate 0":                     {2, "--rate"},
		"replay":                                   {2, "--from: want"},
		"replay --from yesterday":                  {2, "--from: want"},
		"replay --from 1h":                         {1, "no embedded broker runs"},
		"topics check":                             {1, "KAFKA_BROKERS: is empty"},
		"schemas check":                            {1, "SCHEMA_REGISTRY_URL: is empty"},
		"sandbox --retry-after soon":               {2, "--retry-after"},
		"sandbox --addr 256.0.0.1:1 --webhook-url": {2, "needs an argument"},
	} {
		t.Run(args, func(t *testing.T) {
			got := w.run(t, strings.Fields(args)...)
			require.Equal(t, want.code, got.code, got.err)
			require.Contains(t, got.out+got.err, want.text)
		})
	}
}

func TestEveryCommandTeaches(t *testing.T) {
	w := &world{}
	for _, command := range []string{
		"demo", "run", "sandbox", "topics apply", "topics check", "schemas register", "schemas check",
		"reply", "dlq list", "dlq show", "dlq redrive", "dlq discard", "tail", "backfill", "replay", "doctor",
		"messages numbers", "messages list", "messages get", "messages attachment",
	} {
		help := w.run(t, append(strings.Fields(command), "--help")...)
		require.Zero(t, help.code)
		require.Contains(t, help.out, "Examples:", command)
		require.Greater(t, len(help.out), 250, command)
	}
}

func TestTopicsAreAppliedAndChecked(t *testing.T) {
	w := newWorld(t)
	got := w.run(t, "topics", "check")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "missing  ringcentral.inbox: create it with")
	require.Contains(t, got.err, "11 missing, 0 faults")

	got = w.run(t, "topics", "apply")
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, "created  ringcentral.seen (6 partitions)")
	got = w.run(t, "topics", "apply")
	require.Zero(t, got.code, got.err)
	require.NotContains(t, got.out, "created")

	compact := "compact"
	_, err := kadm.NewClient(w.client).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "cleanup.policy", Value: &compact}}, "ringcentral.inbox")
	require.NoError(t, err)
	got = w.run(t, "topics", "check")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "fault    topic ringcentral.inbox: cleanup.policy is compact")
}

func TestSchemasAreRegisteredAndChecked(t *testing.T) {
	w := newWorld(t)
	got := w.run(t, "schemas", "check")
	require.Zero(t, got.code, got.err)
	require.Equal(t, 7, strings.Count(got.out, "new     "))
	got = w.run(t, "schemas", "register")
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, "registered ringcentral.inbox-value: Arrival, id 1, FULL_TRANSITIVE")
	require.Contains(t, w.run(t, "schemas", "register").out, "exists     ringcentral.replies-value: ReplyCommand, id 6, BACKWARD_TRANSITIVE")
	require.Equal(t, 7, strings.Count(w.run(t, "schemas", "check").out, "ok      "))
}

//go:fix inline
func TestTail(t *testing.T) {
	w := newWorld(t).withTopics(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 3 {
		w.put(t, &kgo.Record{
			Topic: "contents", Key: fmt.Appendf(nil, "t%d", i), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("x")}},
		}, &schemas.ContentEvent{
			EventID: fmt.Sprint(i), EventType: "content.imported", OccurredAt: at, ReceivedAt: at, Origin: schemas.OriginWebhook, API: schemas.ApiEngage,
			Content: schemas.Content{ID: fmt.Sprintf("c%d", i), ThreadID: new(fmt.Sprintf("t%d", i)), Direction: schemas.DirectionInbound, BodyFormat: schemas.BodyFormatText},
		})
	}
	w.put(t, &kgo.Record{Topic: "contents", Value: []byte("not Avro")}, nil)

	all := w.run(t, "tail", "contents", "--from", "beginning", "--no-follow")
	require.Zero(t, all.code, all.err)
	require.Len(t, lines(t, all.out), 4)

	one := lines(t, w.run(t, "tail", "ringcentral.contents", "--from", "beginning", "--filter", "content.thread_id=t1", "--max", "1").out)
	require.Len(t, one, 1)
	require.Equal(t, "t1", one[0]["key"])
	require.Equal(t, map[string]any{"ce_type": "x"}, one[0]["headers"])
	require.Equal(t, "c1", one[0]["value"].(map[string]any)["content"].(map[string]any)["id"])

	odd := lines(t, w.run(t, "tail", "contents", "--from", "1h", "--no-follow", "--filter", "value=not Avro").out)
	require.Len(t, odd, 1)
	require.Contains(t, odd[0]["error"], "undecodable")

	none := w.run(t, "tail", "nowhere", "--no-follow")
	require.Equal(t, 1, none.code)
	require.Contains(t, none.err, "topic nowhere does not exist")
}

func TestTailFollowsUntilItIsInterrupted(t *testing.T) {
	w := newWorld(t).withTopics(t)
	p := start(t, w.env, "tail", "inbox", "--from", "beginning")
	w.put(t, &kgo.Record{Topic: "inbox", Key: []byte("k")}, &schemas.Arrival{Origin: schemas.OriginPoll, API: schemas.ApiEngage, Kind: "content", Body: []byte(`{"id": 1}`)})
	require.Eventually(t, func() bool { return strings.Contains(p.out.String(), "\n") }, 10*time.Second, 10*time.Millisecond)
	require.Zero(t, p.end())
	require.Equal(t, map[string]any{"id": 1.0}, lines(t, p.out.String())[0]["value"].(map[string]any)["body"], "a body shows as what it is")
}

// give puts a letter of replies.
func (w *world) give(t *testing.T, id string, reason deadletter.Reason, redrives int) *kgo.Record {
	t.Helper()
	headers := deadletter.Letter{
		Topic: "ringcentral.replies", Group: "g", Attempts: 2, Message: "no", Reason: reason, HTTPStatus: 403, FailedAt: time.Now(), Redrives: redrives,
	}.Headers([]kgo.RecordHeader{{Key: "own", Value: []byte{0, 0xff}}})
	return w.put(t, &kgo.Record{Topic: "replies.dlq", Key: []byte("thread"), Headers: headers}, &schemas.ReplyCommand{
		CommandID: id, IssuedAt: time.Now(), IssuedBy: "test", Metadata: map[string]string{},
		Action: &schemas.CreateContent{API: schemas.ContentApiEngage, BodyFormat: schemas.BodyFormatText, InReplyToID: new("c"), Body: "hello", ContextData: map[string]string{}},
	})
}

// replies returns what is on the topic of commands.
func (w *world) replies(t *testing.T) []map[string]any {
	t.Helper()
	got := w.run(t, "tail", "replies", "--from", "beginning", "--no-follow")
	require.Zero(t, got.code, got.err)
	return lines(t, got.out)
}

func TestLettersAreListedAndShown(t *testing.T) {
	w := newWorld(t).withTopics(t)
	require.Contains(t, w.run(t, "dlq", "list").out, "no letters")
	record := w.give(t, "one", deadletter.Forbidden, 0)
	w.give(t, "two", deadletter.Expired, 3)
	w.put(t, &kgo.Record{Topic: "replies.dlq", Value: []byte("junk"), Headers: deadletter.Letter{Reason: deadletter.Undecodable, FailedAt: time.Now()}.Headers(nil)}, nil)

	list := w.run(t, "dlq", "list")
	require.Zero(t, list.code, list.err)
	require.Contains(t, list.out, "3 letters: 1 undecodable, 1 forbidden, 1 expired")
	require.Regexp(t, `expired +2 +403 +3 +set aside +thread +two +no`, list.out)
	require.Len(t, lines(t, w.run(t, "dlq", "list", "--json", "--reason", "forbidden,expired", "--conversation", "thread").out), 2)
	require.Contains(t, w.run(t, "dlq", "list", "--until", "1h").out, "no letters")

	for _, which := range []string{"one", fmt.Sprintf("%d/%d", record.Partition, record.Offset)} {
		show := w.run(t, "dlq", "show", which)
		require.Zero(t, show.code, show.err)
		require.Contains(t, show.out, `"own": "base64:AP8="`)
		require.Contains(t, show.out, `"command_id": "one"`)
		require.Contains(t, show.out, `"ringbridge.dlq.reason": "forbidden"`)
	}
	require.Contains(t, w.run(t, "dlq", "show", "three").err, `no letter of replies is "three"`)
}

func TestLettersAreSentBackOnce(t *testing.T) {
	w := newWorld(t).withTopics(t)
	letter := w.give(t, "one", deadletter.Forbidden, 1)
	w.give(t, "left out", deadletter.Expired, 0)
	w.give(t, "too often", deadletter.Forbidden, 3)
	w.give(t, "succeeded", deadletter.Forbidden, 0)
	w.put(t, &kgo.Record{Topic: "replies.results", Key: []byte("succeeded")}, &schemas.ReplyResult{CommandID: "succeeded", State: schemas.ReplyStateSucceeded, At: time.Now()})

	dry := w.run(t, "dlq", "redrive", "--reason", "forbidden", "--dry-run")
	require.Zero(t, dry.code, dry.err)
	require.Contains(t, dry.out, "would send back 1 letter: 1 forbidden")
	require.Contains(t, dry.out, "command succeeded has succeeded meanwhile")
	require.Contains(t, dry.out, "sent back 3 times")
	require.Empty(t, w.replies(t))

	sent := w.run(t, "dlq", "redrive", "--reason", "forbidden", "--rate", "1000")
	require.Zero(t, sent.code, sent.err)
	require.Contains(t, sent.out, "1 of 1 sent back")
	got := w.replies(t)
	require.Len(t, got, 1)
	require.Equal(t, map[string]any{"own": "base64:AP8=", "ringbridge.dlq.redrives": "2"}, got[0]["headers"])
	require.Equal(t, "thread", got[0]["key"])

	again := w.run(t, "dlq", "redrive", "--rate", "1000")
	require.Zero(t, again.code, again.err)
	require.Contains(t, again.out, "skipped   1 that were sent back before")
	require.Contains(t, again.out, "1 of 1 sent back", "the one that the filter left out before")
	require.Len(t, w.replies(t), 2)
	require.Contains(t, w.run(t, "dlq", "redrive").out, "0 of 0 sent back")

	listed := w.run(t, "dlq", "list", "--json", "--limit", "1").out
	require.Contains(t, listed, `"state":"redriven"`)
	require.Contains(t, listed, fmt.Sprintf(`"position":"%d/%d"`, letter.Partition, letter.Offset))
}

func TestLettersOfTheInboxGoBackAsArrivals(t *testing.T) {
	w := newWorld(t).withTopics(t)
	give := func(value string, headers ...kgo.RecordHeader) {
		w.put(t, &kgo.Record{Topic: "inbox.dlq", Value: []byte(value), Headers: deadletter.Letter{Reason: deadletter.Undecodable, FailedAt: time.Now()}.Headers(headers)}, nil)
	}
	give(`{"id":"r","events":[{"type":"content.imported","resource":{"id":"c1","metadata":{"thread_id":"t"}}},{"type":"task.created","resource":{"id":"k"}}]}`)
	give(`{"type":"content.imported","resource":{"id":"c2","metadata":{"thread_id":"t"}}}`)
	give(`{"uuid":"u","event":"/restapi/v1.0/account/1/extension/2/message-store/instant","body":{"id":"7","conversation":{"id":"9"}}}`)
	give(`not JSON`)
	var packed bytes.Buffer
	packer := gzip.NewWriter(&packed)
	_, err := packer.Write([]byte(`{"type":"content.imported","resource":{"id":"c3","metadata":{"thread_id":"t"}}}`))
	require.NoError(t, err)
	require.NoError(t, packer.Close())
	give(packed.String(), kgo.RecordHeader{Key: "Content-Type", Value: []byte("application/json")}, kgo.RecordHeader{Key: "Content-Encoding", Value: []byte("gzip")})
	give("{\"type\":\"content.imported\",\"resource\":{\"id\":\"caf\xe9\"}}", kgo.RecordHeader{Key: "Content-Type", Value: []byte("application/json; charset=iso-8859-1")})
	give(`{"type":"content.imported","resource":{"id":"` + strings.Repeat("c", 2000) + `"}}`)

	got := w.run(t, "dlq", "redrive", "--topic", "inbox", "--rate", "1000")
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, "cannot be sent back: neither a webhook's request nor an event of one")
	require.Contains(t, got.out, "at most 1024 are taken")
	require.Contains(t, got.out, "5 of 5 sent back")
	keys := map[string]int{}
	for _, record := range lines(t, w.run(t, "tail", "inbox", "--from", "beginning", "--no-follow").out) {
		value := record["value"].(map[string]any)
		require.Equal(t, "WEBHOOK", value["origin"])
		require.NotEmpty(t, value["arrival_id"])
		headers := record["headers"].(map[string]any)
		require.Equal(t, "1", headers["ringbridge.dlq.redrives"])
		require.NotContains(t, headers, "Content-Encoding", "it is read now")
		keys[fmt.Sprint(record["key"], value["kind"], value["resource_id"])]++
	}
	require.Equal(t, map[string]int{"tcontent.importedc1": 1, "ktask.createdk": 1, "tcontent.importedc2": 1, "tcontent.importedc3": 1, "cafécontent.importedcafé": 1, "9notification7": 1}, keys)
}

func TestAFaultInAFileSendsNothing(t *testing.T) {
	w := newWorld(t).withTopics(t)
	for stdin, want := range map[string]string{
		`{"action":{"CreateContent":{"body":"x"}}}` + "\n{": "command 2: not JSON",
		`{"action":{"CreateContent":{"bodi":"x"}}}`:         "command 1",
		`{"action":{"Explode":{}}}`:                         `no action is named "Explode"`,
		``:                                                  "holds no command",
	} {
		got := w.runWith(t, stdin, "reply", "--file", "-")
		require.Equal(t, 1, got.code)
		require.Contains(t, got.err, want)
	}
	require.Empty(t, w.replies(t))
}

func TestReplyWaitsForItsResult(t *testing.T) {
	w := newWorld(t).withTopics(t)
	result := func(id string, state schemas.ReplyState) {
		w.put(t, &kgo.Record{Topic: "replies.results", Key: []byte(id)}, &schemas.ReplyResult{CommandID: id, State: state, At: time.Now()})
	}
	result("a", schemas.ReplyStateAttempting)
	result("a", schemas.ReplyStateSucceeded)
	result("b", schemas.ReplyStateDeadLettered)
	result("c", schemas.ReplyStateAttempting)
	for id, want := range map[string]int{"a": 0, "b": 3, "c": 4} {
		got := w.run(t, "reply", "--in-reply-to", "x", "--body", "y", "--command-id", id, "--wait", "--timeout", "2s")
		require.Equal(t, want, got.code, got.err)
		if want != 4 {
			require.Equal(t, id, lines(t, got.out)[0]["command_id"])
		}
	}
}

func TestTheEmbeddedBrokerIsFoundByItsDirectory(t *testing.T) {
	dir := t.TempDir()
	inDir := &world{env: map[string]string{"DATA_DIR": dir, "ADMIN_ADDR": "127.0.0.1:0"}}
	p := start(t, map[string]string{"DATA_DIR": dir, "HTTP_ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0"}, "run", "--only", "publish")
	require.Eventually(t, func() bool { return strings.Contains(p.err.String(), "msg=running") }, 20*time.Second, 20*time.Millisecond, p.err.String())
	require.Zero(t, inDir.run(t, "topics", "check").code)
	require.Equal(t, 7, strings.Count(inDir.run(t, "schemas", "check").out, "ok      "))

	second := inDir.run(t, "run", "--only", "publish")
	require.Equal(t, 1, second.code, "two on one directory would write over each other")
	require.Contains(t, second.err, "another process runs on it")

	addresses, err := os.ReadFile(filepath.Join(dir, "addresses"))
	require.NoError(t, err)
	require.Zero(t, p.end(), p.err.String())
	require.Contains(t, inDir.run(t, "topics", "check").err, "no embedded broker runs")
	// A process that was killed leaves its addresses behind.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "addresses"), addresses, 0o600))
	require.Contains(t, inDir.run(t, "topics", "check").err, "no embedded broker runs")
}

// Between two letters of transactions there is a marker, which is no letter:
// what was sent back must still grow into one stretch.
func TestSentBackLettersOfTransactionsAreRememberedAsOne(t *testing.T) {
	w := newWorld(t).withTopics(t)
	producer, err := kgo.NewClient(kgo.SeedBrokers(w.env["KAFKA_BROKERS"]), kgo.TransactionalID("t"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer producer.Close()
	for i := range 3 {
		require.NoError(t, producer.BeginTransaction())
		headers := deadletter.Letter{Topic: "ringcentral.replies", Reason: deadletter.Forbidden, FailedAt: time.Now()}.Headers(nil)
		require.NoError(t, producer.ProduceSync(t.Context(), &kgo.Record{
			Topic: "ringcentral.replies.dlq", Partition: 2, Key: fmt.Append(nil, i), Value: []byte("junk"), Headers: headers,
		}).FirstErr())
		require.NoError(t, producer.EndTransaction(t.Context(), kgo.TryCommit))
	}
	got := w.run(t, "dlq", "redrive", "--rate", "1000")
	require.Contains(t, got.out, "3 of 3 sent back", got.err)

	offsets, err := kadm.NewClient(w.client).FetchOffsets(t.Context(), "ringcentral.dlq-redrive")
	require.NoError(t, err)
	committed, ok := offsets.Lookup("ringcentral.replies.dlq", 2)
	require.True(t, ok)
	require.Equal(t, int64(5), committed.At, "letters at 0, 2 and 4, markers at 1, 3 and 5")
	require.Empty(t, committed.Metadata)
}
