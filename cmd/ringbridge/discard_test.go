package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	ringbridge "github.com/ringbridge/ringbridge/cmd/ringbridge"
	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// conclude puts a result where its command was: on partition 0, as the letters
// of give say.
func (w *world) conclude(t *testing.T, result *schemas.ReplyResult) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(w.env["KAFKA_BROKERS"], ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer client.Close()
	value, err := w.codec.Encode(result)
	require.NoError(t, err)
	record := &kgo.Record{Topic: "ringcentral.replies.results", Key: []byte(result.CommandID), Value: value}
	require.NoError(t, client.ProduceSync(t.Context(), record).FirstErr())
}

func TestDiscardedLettersAreDoneWith(t *testing.T) {
	w := newWorld(t).withTopics(t)
	w.give(t, "one", deadletter.Forbidden, 0)
	w.give(t, "two", deadletter.Expired, 0)
	w.give(t, "aside", deadletter.Forbidden, 3)
	w.conclude(t, &schemas.ReplyResult{CommandID: "one", State: schemas.ReplyStateDeadLettered, At: time.Now()})

	require.Equal(t, 2, w.run(t, "dlq", "discard", "--reason", "forbidden").code, "there is no terminal to ask on")
	dry := w.run(t, "dlq", "discard", "--reason", "forbidden", "--dry-run")
	require.Zero(t, dry.code, dry.err)
	require.Contains(t, dry.out, "would discard 2 letters: 2 forbidden")
	require.Len(t, lines(t, w.run(t, "dlq", "list", "--json").out), 3)

	got := w.run(t, "dlq", "discard", "--reason", "forbidden", "--yes")
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, "2 of 2 discarded")
	who, err := user.Current()
	require.NoError(t, err)
	require.Regexp(t, `action=discarded by="?`+who.Username, got.err)

	listed := lines(t, w.run(t, "dlq", "list", "--json").out)
	require.Len(t, listed, 1)
	require.Equal(t, "two", listed[0]["command_id"])
	require.Equal(t, 2, strings.Count(w.run(t, "dlq", "list", "--all").out, " discarded "))
	show := w.run(t, "dlq", "show", "one").out
	require.Contains(t, show, `"state": "discarded"`)
	require.Contains(t, show, `"state": "DEAD_LETTERED"`, "the command keeps its result")

	require.Contains(t, w.run(t, "dlq", "redrive", "one").out, "0 of 0 sent back")
	sent := w.run(t, "dlq", "redrive", "--max-rounds", "9").out
	require.Contains(t, sent, "skipped   2 that were discarded before")
	require.Contains(t, sent, "1 of 1 sent back")
	require.Contains(t, w.run(t, "dlq", "discard", "--yes").out, "0 of 0 discarded", "what was sent back is done with")
}

func TestALetterOfTheInboxIsDiscardedAlone(t *testing.T) {
	w := newWorld(t).withTopics(t)
	w.give(t, "command", deadletter.Forbidden, 0)
	for range 2 {
		w.put(t, &kgo.Record{Topic: "inbox.dlq", Value: []byte("junk"), Headers: deadletter.Letter{Reason: deadletter.Undecodable, FailedAt: time.Now()}.Headers(nil)}, nil)
	}
	position := lines(t, w.run(t, "dlq", "list", "--topic", "inbox", "--json", "--limit", "1").out)[0]["position"].(string)
	got := w.run(t, "dlq", "discard", "--topic", "inbox.dlq", "--yes", position)
	require.Contains(t, got.out, "1 of 1 discarded", got.err)
	require.Len(t, lines(t, w.run(t, "dlq", "list", "--topic", "inbox", "--json").out), 1)
	require.Len(t, lines(t, w.run(t, "dlq", "list", "--json").out), 1, "the command's letter has the same position")
}

func TestAQuestionIsAnsweredByYesAlone(t *testing.T) {
	for answer, yes := range map[string]bool{"y\n": true, "YES\n": true, "n\n": false, "\n": false, "": false, "yesterday\n": false} {
		var out bytes.Buffer
		err := ringbridge.Confirm(t.Context(), strings.NewReader(answer), &out, "Sure?")
		require.Equal(t, yes, err == nil, answer)
		require.Equal(t, "Sure? [y/N] ", out.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in, writer := io.Pipe()
	t.Cleanup(func() { _ = writer.Close() })
	require.ErrorIs(t, ringbridge.Confirm(ctx, in, &bytes.Buffer{}, "Sure?"), context.Canceled)
}

// Of 200 letters, those of one reason after the other are sent back.
func TestLettersSentBackByReasonAreCarriedOutOnce(t *testing.T) {
	const count = 200
	box := sandbox.New(sandbox.Config{}, sandbox.Deps{})
	t.Cleanup(box.Close)
	api := httptest.NewServer(box.Handler())
	t.Cleanup(api.Close)
	off := false
	parents, err := box.Import(sandbox.Import{Body: "hello?", Webhook: &off})
	require.NoError(t, err)
	w := newWorld(t).withTopics(t)
	reasons := []deadletter.Reason{deadletter.Forbidden, deadletter.RetriesExhausted, deadletter.Expired, deadletter.Internal}
	var given []*kgo.Record
	for i := range count {
		value, err := w.codec.Encode(&schemas.ReplyCommand{CommandID: fmt.Sprint("c", i), IssuedAt: time.Now(), IssuedBy: "test", Action: &schemas.CreateContent{
			API: schemas.ContentApiEngage, BodyFormat: schemas.BodyFormatText, InReplyToID: &parents[0].ID, Body: fmt.Sprint("answer ", i),
		}})
		require.NoError(t, err)
		given = append(given, &kgo.Record{
			Topic: "ringcentral.replies.dlq", Key: fmt.Append(nil, i%20), Value: value,
			Headers: deadletter.Letter{Topic: "ringcentral.replies", Partition: int32(i % 5), Reason: reasons[i%7%4], FailedAt: time.Now()}.Headers(nil),
		})
	}
	require.NoError(t, w.client.ProduceSync(t.Context(), given...).FirstErr())
	env := map[string]string{"ENGAGE_BASE_URL": api.URL + "/1.0", "ENGAGE_ACCESS_TOKEN": sandbox.DefaultToken, "ENGAGE_RATE": "0"}
	maps.Copy(env, w.env)
	r := startBridge(t, env, "--only", "consume")
	for _, reason := range append(reasons, reasons[0]) {
		got := w.run(t, "dlq", "redrive", "--reason", string(reason), "--rate", "1000")
		require.Zero(t, got.code, got.err)
	}
	require.Contains(t, w.run(t, "dlq", "redrive").out, fmt.Sprintf("skipped   %d that were sent back before\n0 of 0", count))
	results := map[string]int{}
	require.Eventually(t, func() bool {
		clear(results)
		for _, record := range lines(t, w.run(t, "tail", "replies.results", "--from", "beginning", "--no-follow", "--filter", "state=SUCCEEDED").out) {
			results[record["key"].(string)]++
		}
		return len(results) == count
	}, 30*time.Second, 200*time.Millisecond, "%s", &r.err)
	for id, n := range results {
		require.Equal(t, 1, n, id)
	}
	written := 0
	for _, content := range box.Contents() {
		if content.Outbound() {
			written++
		}
	}
	require.Equal(t, count, written)
	require.Zero(t, r.end(), "%s", &r.err)
}
