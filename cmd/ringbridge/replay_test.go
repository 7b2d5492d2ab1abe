package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/schemas"
)

const publishGroup = "ringcentral.publish"

// publishedContents returns the ids of the contents on the topic.
func (w *world) publishedContents(t *testing.T) (ids []string) {
	t.Helper()
	got := w.run(t, "tail", "contents", "--from", "beginning", "--no-follow")
	require.Zero(t, got.code, got.err)
	for _, event := range lines(t, got.out) {
		ids = append(ids, event["value"].(map[string]any)["content"].(map[string]any)["id"].(string))
	}
	return ids
}

// publishedOffsets returns what the group of publish has committed, in all.
func (w *world) publishedOffsets(t *testing.T) (sum int64) {
	t.Helper()
	committed, err := kadm.NewClient(w.client).FetchOffsets(t.Context(), publishGroup)
	require.NoError(t, err)
	committed.Each(func(o kadm.OffsetResponse) { sum += o.At })
	return sum
}

func TestReplayPublishesOnlyWhatIsNew(t *testing.T) {
	w := newWorld(t).withTopics(t)
	require.Contains(t, w.run(t, "replay", "--from", "earliest").out, "nothing to do")

	r := startBridge(t, w.env)
	r.waitReady(t)
	status, answer, _ := call(t, http.MethodPost, "http://"+r.public+"/webhooks/engage", webhookBody)
	require.Equal(t, http.StatusOK, status, answer)
	require.Eventually(t, func() bool { return len(w.publishedContents(t)) == 1 }, 30*time.Second, 50*time.Millisecond)

	got := w.run(t, "replay", "--from", "earliest")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "1 of the stage publish still run (ringbridge on 127.0.0.1")
	require.Contains(t, w.run(t, "replay", "--from", "earliest", "--dry-run").out, "would read again up to")

	waiting := start(t, w.env, "replay", "--from", "1h", "--wait")
	require.Eventually(t, func() bool { return strings.Contains(waiting.out.String(), "waiting: 1 of the stage publish") }, 10*time.Second, 10*time.Millisecond)
	require.Zero(t, r.end(), "%s", &r.err)
	require.Zero(t, <-waiting.done, "%s", &waiting.err)
	waiting.done <- 0
	require.Contains(t, waiting.out.String(), "done: start the bridge")
	require.Zero(t, w.publishedOffsets(t), "the offset is back at the beginning")

	// What an older parser took for nothing: read, and not published.
	body := `{"type":"content.imported","id":"e2","issued_at":"2026-01-02T03:04:06Z","resource":{"type":"whats_app/message","id":"c2","metadata":{"thread_id":"t1","status":"new"}}}`
	put := w.put(t, &kgo.Record{Topic: "inbox", Key: []byte("t1")}, &schemas.Arrival{
		ArrivalID: "a2", Origin: schemas.OriginWebhook, API: schemas.ApiEngage, Account: "default", Kind: "content.imported", ReceivedAt: time.Now(), ContentType: "application/json", Body: []byte(body),
	})
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: put.Topic, Partition: put.Partition, At: put.Offset + 1, LeaderEpoch: -1})
	require.NoError(t, kadm.NewClient(w.client).CommitAllOffsets(t.Context(), publishGroup, offsets))

	got = w.run(t, "replay", "--from", "earliest")
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, "reads again up to 2 records of ringcentral.inbox")
	require.Contains(t, w.run(t, "replay", "--from", "earliest").out, "nothing to do", "an offset is never moved forward")

	r = startBridge(t, w.env, "--only", "publish")
	require.Eventually(t, func() bool { return w.publishedOffsets(t) == 2 }, 30*time.Second, 50*time.Millisecond, "%s", &r.err)
	require.Equal(t, []string{"c1", "c2"}, w.publishedContents(t), "the first one came once")
	require.Zero(t, r.end(), "%s", &r.err)
}
