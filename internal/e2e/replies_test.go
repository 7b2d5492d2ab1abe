//go:build real

package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka/kafkatest"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	conversations = 50
	perConv       = 10
	latency       = 100 * time.Millisecond
	concurrency   = 8
)

var replySettings = map[string]string{
	"REPLIES_CONCURRENCY": fmt.Sprint(concurrency), "REPLIES_MAX_ATTEMPTS": "2", "REPLIES_BACKOFF_MIN": "100ms", "REPLIES_BACKOFF_MAX": "1s",
	"REPLIES_CALL_TIMEOUT": "2s", "POLL_INTERVAL": "1h", "ENGAGE_WEBHOOK_SECRET": "", "ENGAGE_WEBHOOK_VERIFY_TOKEN": "",
}

// TestFiveHundredCommands sends 500 commands over 50 conversations while 5 % of
// the calls answer 500 (half of them after the effect) and 5 % answer 429, and
// one conversation always answers 503. Every command has one final result, no
// customer is answered twice, order is kept, and the stuck one holds up no other.
func TestFiveHundredCommands(t *testing.T) {
	t.Run("undisturbed", func(t *testing.T) {
		w, parents := fiveHundred(t, perConv)
		b := w.start(freePort(t), freePort(t), "--only", "consume")
		w.finish(t, parents, perConv)
		b.stop()
	})
	t.Run("killed", func(t *testing.T) {
		w, parents := fiveHundred(t, 2)
		b := w.start(freePort(t), freePort(t), "--only", "consume")
		for range 5 {
			pause(200, 1500)
			b.kill()
			b = w.launch(b.public[len("http://"):], b.admin[len("http://"):], "--only", "consume")
		}
		w.finish(t, parents, 2)
		b.stop()
	})
	t.Run("broker restarted", func(t *testing.T) {
		w, parents := fiveHundred(t, 2)
		b := w.start(freePort(t), freePort(t), "--only", "consume")
		pause(200, 1500)
		require.NoError(t, parts.Kafka.Kill())
		require.NoError(t, parts.Kafka.Restart(t.Context()))
		w.finish(t, parents, 2)
		b.stop()
	})
}

// fiveHundred makes the account, its faults and the commands; the conversation
// that always fails has stuck of them, each of which takes seconds to give up.
func fiveHundred(t *testing.T, stuck int) (w *world, parents []sandbox.Content) {
	t.Helper()
	w = newWorld(t, sandbox.Config{Seed: 7}, replySettings)
	off := false
	parents, err := w.box.Import(sandbox.Import{Count: conversations, Webhook: &off})
	require.NoError(t, err)
	create := "POST /1.0/contents"
	for _, fault := range []sandbox.Fault{
		{Route: create, Match: map[string]string{"in_reply_to_id": parents[0].ID}, Status: 503},
		{Route: create, Rate: 0.025, Status: 500},
		{Route: create, Rate: 0.025, Status: 500, AfterEffect: true},
		{Route: create, Rate: 0.05, Status: 429},
		{Route: create, Delay: sandbox.Duration(latency)},
	} {
		_, err := w.box.AddFault(fault)
		require.NoError(t, err)
	}
	for i := range perConv {
		for c, parent := range parents {
			if c == 0 && i >= stuck {
				continue
			}
			w.send(reply(fmt.Sprintf("%d-%d", c, i), parent.ThreadID, parent.ID, fmt.Sprintf("answer %d to %d", i, c)))
		}
	}
	return w, parents
}

// finish waits for the end of every command and counts on both sides.
func (w *world) finish(t *testing.T, parents []sandbox.Content, stuck int) {
	t.Helper()
	w.eventually((conversations-1)*perConv+stuck, 4*time.Minute, func() int { return len(w.results()) }, "final results")
	effects := map[string]int{}
	order := map[string][]string{}
	for _, c := range w.box.Contents() {
		if c.Outbound() {
			effects[string(c.Body)]++
			order[c.ThreadID] = append(order[c.ThreadID], string(c.Body))
		}
	}
	letters := map[string]deadletter.Letter{}
	for _, r := range w.read(w.names.RepliesDLQ) {
		var cmd schemas.ReplyCommand
		require.NoError(t, w.codec.Decode(t.Context(), r.Value, &cmd))
		letter, ok := deadletter.Parse(r.Headers)
		require.True(t, ok)
		require.NotContains(t, letters, cmd.CommandID, "one letter each")
		letters[cmd.CommandID] = letter
	}
	results := w.results()
	for c, parent := range parents {
		var want []string
		n := perConv
		if c == 0 {
			n = stuck
		}
		for i := range n {
			id, body := fmt.Sprintf("%d-%d", c, i), fmt.Sprintf("answer %d to %d", i, c)
			require.Len(t, results[id], 1, id)
			result := results[id][0]
			if c == 0 {
				require.Equal(t, "retries_exhausted", *result.Reason)
				require.Equal(t, 2, letters[id].Attempts)
				require.Equal(t, 503, letters[id].HTTPStatus)
				require.Equal(t, w.names.Replies, letters[id].Topic)
				require.Zero(t, effects[body])
				continue
			}
			if result.State == schemas.ReplyStateDeadLettered {
				require.Equal(t, "retries_exhausted", *result.Reason, "both attempts can meet a fault")
				require.Zero(t, effects[body])
				continue
			}
			require.Equal(t, 1, effects[body], body)
			want = append(want, body)
		}
		require.Equal(t, want, order[parent.ThreadID], "order of conversation %d", c)
	}
}

// TestAStuckConversationHoldsUpNoOther measures: with one conversation always
// answering 503, the others reach at least 90 % of what concurrency divided by
// latency allows.
func TestAStuckConversationHoldsUpNoOther(t *testing.T) {
	w := newWorld(t, sandbox.Config{}, replySettings)
	off := false
	parents, err := w.box.Import(sandbox.Import{Count: conversations, Webhook: &off})
	require.NoError(t, err)
	create := "POST /1.0/contents"
	_, err = w.box.AddFault(sandbox.Fault{Route: create, Match: map[string]string{"in_reply_to_id": parents[0].ID}, Status: 503})
	require.NoError(t, err)
	_, err = w.box.AddFault(sandbox.Fault{Route: create, Delay: sandbox.Duration(latency)})
	require.NoError(t, err)
	for i := range perConv {
		for c, parent := range parents {
			w.send(reply(fmt.Sprintf("%d-%d", c, i), parent.ThreadID, parent.ID, fmt.Sprintf("answer %d to %d", i, c)))
		}
	}
	b := w.start(freePort(t), freePort(t), "--only", "consume")
	others := (conversations - 1) * perConv
	w.eventually(others, 2*time.Minute, func() int {
		n := 0
		for id := range w.results() {
			if !strings.HasPrefix(id, "0-") {
				n++
			}
		}
		return n
	}, "results of the others")
	var first, last time.Time
	took := time.Duration(0)
	n := 0
	for _, call := range w.box.Calls() {
		if call.Method != "POST" || call.Status != 200 {
			continue
		}
		n++
		took += time.Duration(call.Took)
		if first.IsZero() || call.At.Before(first) {
			first = call.At
		}
		if end := call.At.Add(time.Duration(call.Took)); end.After(last) {
			last = end
		}
	}
	require.Equal(t, others, n)
	mean := took / time.Duration(n)
	allowed := float64(concurrency) / mean.Seconds()
	reached := float64(n) / last.Sub(first).Seconds()
	t.Logf("%d calls of %s each: %.1f/s of %.1f/s allowed, %.0f %%", n, mean, reached, allowed, 100*reached/allowed)
	require.GreaterOrEqual(t, reached, 0.9*allowed)
	b.stop()
}

// TestEachBadCommandEndsAsTheContractSays sends undecodable bytes, an unknown
// schema id, an expired command, a duplicate, and one that the API refuses.
func TestEachBadCommandEndsAsTheContractSays(t *testing.T) {
	w := newWorld(t, sandbox.Config{}, replySettings)
	off := false
	parents, err := w.box.Import(sandbox.Import{Webhook: &off})
	require.NoError(t, err)
	parent := parents[0]
	_, err = w.box.AddFault(sandbox.Fault{Route: "POST /1.0/contents", Match: map[string]string{"body": "refused"}, Status: 422})
	require.NoError(t, err)
	past := time.Now().Add(-time.Minute)
	expired := reply("expired", parent.ThreadID, parent.ID, "too late")
	expired.NotAfter = &past
	key := []byte(parent.ThreadID)
	headers := func() []kgo.RecordHeader {
		return []kgo.RecordHeader{{Key: "trace", Value: []byte{0, 0xff, byte(rand.IntN(256))}}, {Key: "empty"}}
	}
	good := w.record(reply("good", parent.ThreadID, parent.ID, "hello"))
	sent := []*kgo.Record{
		{Topic: w.names.Replies, Key: key, Value: []byte("not Avro"), Headers: headers()},
		{Topic: w.names.Replies, Key: key, Value: append([]byte{0, 0x7f, 0xff, 0xff, 0xff}, good.Value[5:]...), Headers: headers()},
		{Topic: w.names.Replies, Key: key, Value: nil, Headers: headers()},
		w.record(expired),
		w.record(reply("refused", parent.ThreadID, parent.ID, "refused")),
		good,
		w.record(reply("good", parent.ThreadID, parent.ID, "hello")),
	}
	for _, r := range sent {
		require.NoError(t, w.client.ProduceSync(t.Context(), r).FirstErr())
	}
	b := w.start(freePort(t), freePort(t), "--only", "consume")
	w.eventually(3, time.Minute, func() int { return len(w.results()) }, "final results")
	require.Equal(t, 0, b.stop())

	results := w.results()
	require.Len(t, results, 3)
	require.Equal(t, "expired", *results["expired"][0].Reason)
	require.Equal(t, "rejected", *results["refused"][0].Reason)
	require.Equal(t, 422, *results["refused"][0].HTTPStatus)
	require.Len(t, results["good"], 1)
	require.Equal(t, schemas.ReplyStateSucceeded, results["good"][0].State)
	require.Equal(t, map[string]int{"POST /1.0/contents 200": 1, "POST /1.0/contents 422": 1}, w.box.CallCounts())

	letters := w.read(w.names.RepliesDLQ)
	require.Len(t, letters, 5)
	for i, reason := range []deadletter.Reason{"undecodable", "undecodable", "undecodable", "expired", "rejected"} {
		letter, ok := deadletter.Parse(letters[i].Headers)
		require.True(t, ok)
		require.Equal(t, reason, letter.Reason)
		require.Equal(t, sent[i].Value, letters[i].Value)
		require.Equal(t, sent[i].Key, letters[i].Key)
		require.Len(t, deadletter.Strip(letters[i].Headers), len(sent[i].Headers))
		for h := range sent[i].Headers {
			require.Equal(t, sent[i].Headers[h].Key, letters[i].Headers[h].Key)
			require.Equal(t, string(sent[i].Headers[h].Value), string(letters[i].Headers[h].Value))
		}
		require.Equal(t, w.names.Replies, letter.Topic)
		require.Equal(t, sent[i].Partition, letter.Partition)
		require.Equal(t, sent[i].Offset, letter.Offset)
	}
}

// TestAnAttemptWhoseCommitTheBrokerHasLostIsNotMadeAgain has an attempt on the ledger that is aborted by the marker of another
// transaction, as where a broker that was killed forgets the one of its commit; its call was made. The customer has one answer.
func TestAnAttemptWhoseCommitTheBrokerHasLostIsNotMadeAgain(t *testing.T) {
	w := newWorld(t, sandbox.Config{}, replySettings)
	off := false
	parents, err := w.box.Import(sandbox.Import{Webhook: &off})
	require.NoError(t, err)
	parent := parents[0]
	command := w.record(reply("c1", parent.ThreadID, parent.ID, "hello"))
	require.NoError(t, w.client.ProduceSync(t.Context(), command).FirstErr())
	value, err := w.codec.Encode(&schemas.ReplyResult{
		CommandID: "c1", State: schemas.ReplyStateAttempting, Attempts: 1, Conversation: parent.ThreadID, At: time.Now(),
		SourcePartition: int(command.Partition), SourceOffset: command.Offset,
	})
	require.NoError(t, err)
	at := []byte(time.Now().UTC().Format(time.RFC3339Nano))
	kafkatest.AbortedBy(t, w.opts, &kgo.Record{
		Topic: w.names.Results, Partition: command.Partition, Key: []byte("c1"), Value: value, Headers: []kgo.RecordHeader{{Key: "ringbridge.reply.first.attempt.at", Value: at}},
	}, 2)
	made, err := w.box.Import(sandbox.Import{Status: "user_reply", InReplyToID: parent.ID, ThreadID: parent.ThreadID, CreatedFrom: "api", Body: "hello", Webhook: &off})
	require.NoError(t, err)

	b := w.start(freePort(t), freePort(t))
	w.eventually(1, waitLong, func() int { return len(w.results()) }, "final results")
	require.Equal(t, 0, b.stop())
	result := w.results()["c1"][0]
	require.True(t, result.Recovered, "%+v", result)
	require.Equal(t, made[0].ID, *result.ResourceID)
	require.Contains(t, b.log.String(), "an attempt on record was aborted")
}
