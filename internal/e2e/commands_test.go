//go:build real

package e2e_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// TestTheOperatorsCommands answers a content from the command line, gives one up,
// looks at the letter, mends the cause and sends it back, and discards another.
func TestTheOperatorsCommands(t *testing.T) {
	w := newWorld(t, sandbox.Config{}, replySettings)
	off := false
	parents, err := w.box.Import(sandbox.Import{Body: "hello?", Webhook: &off})
	require.NoError(t, err)
	parent := parents[0]
	b := w.start(freePort(t), freePort(t))

	out, err := w.run("reply", "--in-reply-to", parent.ID, "--key", parent.ThreadID, "--body", "hello", "--wait")
	require.NoError(t, err, out)
	require.Contains(t, out, `"SUCCEEDED"`)

	require.NoError(t, w.box.CloseThread(parent.ThreadID))
	out, err = w.run("reply", "--in-reply-to", parent.ID, "--key", parent.ThreadID, "--body", "too late", "--command-id", "late", "--wait")
	require.Equal(t, 3, exitCode(t, err), out)
	require.Contains(t, out, `"forbidden"`)

	out, err = w.run("dlq", "list")
	require.NoError(t, err, out)
	require.Contains(t, out, "late")
	out, err = w.run("dlq", "redrive", "--dry-run")
	require.NoError(t, err, out)
	require.Contains(t, out, "1 forbidden")

	require.NoError(t, w.box.OpenThread(parent.ThreadID))
	out, err = w.run("dlq", "redrive")
	require.NoError(t, err, out)
	w.eventually(2, waitLong, func() int { return len(w.results()["late"]) }, "results of the command sent back")
	results := w.results()["late"]
	require.Equal(t, "SUCCEEDED", string(results[len(results)-1].State))
	out, err = w.run("dlq", "redrive")
	require.NoError(t, err, out)
	require.Contains(t, out, "0 of 0")

	require.NoError(t, w.box.CloseThread(parent.ThreadID))
	out, err = w.run("reply", "--in-reply-to", parent.ID, "--key", parent.ThreadID, "--body", "never mind", "--command-id", "unwanted", "--wait")
	require.Equal(t, 3, exitCode(t, err), out)
	out, err = w.run("dlq", "discard", "--reason", "forbidden")
	require.Equal(t, 2, exitCode(t, err), "nobody can be asked: %s", out)
	out, err = w.run("dlq", "discard", "--reason", "forbidden", "--dry-run")
	require.NoError(t, err, out)
	require.Contains(t, out, "would discard 1 letter: 1 forbidden")
	out, err = w.run("dlq", "discard", "--reason", "forbidden", "--yes")
	require.NoError(t, err, out)
	require.Contains(t, out, "1 of 1 discarded")
	require.NoError(t, w.box.OpenThread(parent.ThreadID))
	out, err = w.run("dlq", "redrive")
	require.NoError(t, err, out)
	require.Contains(t, out, "skipped   1 that were discarded before")
	require.Contains(t, out, "0 of 0")
	out, err = w.run("dlq", "list")
	require.NoError(t, err, out)
	require.NotContains(t, out, "unwanted")
	out, err = w.run("dlq", "show", "unwanted")
	require.NoError(t, err, out)
	require.Contains(t, out, `"state": "discarded"`)
	results = w.results()["unwanted"]
	require.Equal(t, "DEAD_LETTERED", string(results[len(results)-1].State))

	out, err = w.run("tail", "replies.results", "--from", "beginning", "--max", "1")
	require.NoError(t, err, out)
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.TrimSpace(out)), &line))
	require.Equal(t, w.names.Results, line["topic"])
	require.Equal(t, 0, b.stop())
	for _, args := range [][]string{{"topics", "check"}, {"schemas", "check"}, {"version"}} {
		out, err := w.run(args...)
		require.NoError(t, err, out)
	}
}

// TestADoctorTellsOfATransactionThatNobodyEnds leaves one open whose newest record is as old as none of the stages' may be.
func TestADoctorTellsOfATransactionThatNobodyEnds(t *testing.T) {
	w := newWorld(t, sandbox.Config{}, nil)
	out, err := w.run("topics", "apply")
	require.NoError(t, err, out)
	gone, err := kgo.NewClient(kgo.SeedBrokers(parts.Kafka.Addr()), kgo.TransactionalID(w.names.Seen), kgo.TransactionTimeout(time.Minute))
	require.NoError(t, err)
	defer gone.Close()
	require.NoError(t, gone.BeginTransaction())
	old := &kgo.Record{Topic: w.names.Seen, Key: []byte("k"), Timestamp: time.Now().Add(-2 * time.Minute)}
	require.NoError(t, gone.ProduceSync(t.Context(), old).FirstErr())

	out, err = w.run("doctor")
	require.Equal(t, 1, exitCode(t, err), out)
	require.Regexp(t, `FAIL +transactions .*`+w.names.Seen+`/\d+ from offset 0 .*ringbridge topics end-hanging`, out)
	out, err = w.run("topics", "end-hanging")
	require.Equal(t, 1, exitCode(t, err), "nothing was decided: %s", out)
	require.Regexp(t, `left +`+w.names.Seen+`/\d+ from offset 0: .*kafka-transactions.sh`, out)
	require.NoError(t, gone.EndTransaction(t.Context(), kgo.TryAbort))
	out, _ = w.run("doctor")
	require.Regexp(t, `ok +transactions +none hangs`, out)
	out, err = w.run("topics", "end-hanging")
	require.NoError(t, err, out)
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	return exit.ExitCode()
}
