//go:build real

package e2e_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// recovery is how soon everything must work again after a topic was deleted.
const recovery = time.Minute

// TestTheBridgeOutlivesADeletedTopic deletes topics under a bridge that is at work, and creates them again; or nobody but
// the bridge does. Within a minute a new webhook is published, a row polled, and a command carried out, each once, and
// what was there before comes no second time.
func TestTheBridgeOutlivesADeletedTopic(t *testing.T) {
	n := kafka.TopicNames("")
	for name, topics := range map[string][]string{
		"the inbox":   {n.Inbox},
		"the state":   {n.Seen, n.Cursors},
		"the events":  {n.Contents, n.Messages, n.Identities, n.Activity, n.InboxDLQ, n.RepliesDLQ},
		"the replies": {n.Replies},
		"the ledger":  {n.Results},
	} {
		t.Run(name+" created again", func(t *testing.T) {
			t.Parallel()
			outlive(t, topics, true)
		})
	}
	t.Run("they stay deleted", func(t *testing.T) {
		t.Parallel()
		outlive(t, []string{n.Inbox, n.Results, n.Cursors}, false)
	})
}

func outlive(t *testing.T, topics []string, again bool) {
	env := maps.Clone(replySettings)
	maps.Copy(env, map[string]string{"POLL_INTERVAL": "1s", "ENGAGE_WEBHOOK_SECRET": secret, "ENGAGE_WEBHOOK_VERIFY_TOKEN": verify})
	w := newWorld(t, sandbox.Config{}, env)
	s := &supervised{world: w, public: freePort(t), admin: freePort(t)}
	s.bridge = w.start(s.public, s.admin)
	var parents []sandbox.Content
	round := func(n int) {
		off := false
		imported, err := w.box.Import(sandbox.Import{Webhook: &off, Body: fmt.Sprint("polled ", n)})
		require.NoError(t, err)
		parents = append(parents, imported...)
		s.deliver(n)
		w.send(reply(fmt.Sprint("r", n), imported[0].ThreadID, imported[0].ID, fmt.Sprint("answer ", n)))
	}
	round(1)
	s.within(recovery, func() bool { return s.done(1, parents) }, "before")

	adm := kadm.NewClient(w.client)
	begun := time.Now()
	for i, topic := range topics {
		topics[i] = w.prefix + topic
		_, err := adm.DeleteTopic(t.Context(), topics[i])
		require.NoError(t, err)
		w.client.PurgeTopicsFromClient(topics[i])
	}
	gone := func() bool { // the broker takes a moment to forget them
		details, err := adm.ListTopics(kadm.WithAuthorizedOps(t.Context()), topics...)
		require.NoError(t, err)
		return !slices.ContainsFunc(topics, func(topic string) bool { return details[topic].Err == nil })
	}
	require.Eventually(t, gone, 10*time.Second, 20*time.Millisecond)
	if again {
		out, err := w.run("topics", "apply")
		require.NoError(t, err, out)
	} else {
		s.within(15*time.Second, func() bool {
			_, body, err := get(s.bridge.admin + "/readyz")
			return err == nil && !slices.ContainsFunc(topics, func(topic string) bool { return !strings.Contains(body, "topic "+topic+" was deleted") })
		}, "/readyz names the topics")
		s.within(recovery, func() bool { return !gone() }, "the bridge creates them")
	}
	round(2)
	s.within(recovery-time.Since(begun), func() bool { return s.done(2, parents) }, "after")
	t.Logf("%s: works again after %s, the process ended %d times", topics, time.Since(begun).Round(100*time.Millisecond), s.ends)
	s.within(recovery-time.Since(begun), func() bool { return strings.Contains(s.logs(), "starting again with new clients") }, "it starts again")
	for _, topic := range topics {
		require.Contains(t, s.logs(), "topic "+topic+" was deleted")
	}
	round(3)
	s.within(recovery, func() bool { return s.done(3, parents) }, "with new clients")
	status, body, err := get(s.bridge.admin + "/readyz")
	require.NoError(t, err)
	require.Equal(t, 200, status, body)

	time.Sleep(2 * time.Second) // for what comes twice
	require.Zero(t, s.bridge.stop())
	seen := map[string]int{}
	for _, e := range w.contents() {
		seen[e.EventID]++
		require.Equal(t, 1, seen[e.EventID], "%s of %s", e.EventType, e.Content.ID)
	}
	for n := range 3 {
		sent := 0
		for _, c := range w.box.Contents() {
			if string(c.Body) == fmt.Sprint("answer ", n+1) {
				sent++
			}
		}
		require.Equal(t, 1, sent, "answer %d", n+1)
	}
	for id, results := range w.results() {
		require.Len(t, results, 1, id)
		require.Equal(t, schemas.ReplyStateSucceeded, results[0].State, id)
	}
}

// supervised is a bridge that is started again when it ends.
type supervised struct {
	*world
	bridge        *bridge
	public, admin string
	ends          int
	earlier       string // logs
}

// within waits for something, and starts the bridge again when it ends meanwhile.
func (s *supervised) within(bound time.Duration, done func() bool, what string) {
	s.t.Helper()
	for deadline := time.Now().Add(bound); !done(); time.Sleep(200 * time.Millisecond) {
		require.True(s.t, time.Now().Before(deadline), "%s: not within %s\n%s", what, bound, s.logs())
		select {
		case <-s.bridge.ended:
			require.NotZero(s.t, s.bridge.cmd.ProcessState.ExitCode())
			s.ends++
			s.earlier += s.bridge.log.String()
			s.bridge = s.launch(s.public, s.admin)
		default:
		}
	}
}

func (s *supervised) logs() string { return s.earlier + s.bridge.log.String() }

// deliver sends a webhook until it is taken, as its sender does.
func (s *supervised) deliver(n int) {
	s.t.Helper()
	body := fmt.Appendf(nil, `{"id":"r%d","domain_id":"d","events":[{"type":"content.imported","id":"e%d","issued_at":%q,"resource":{
		"type":"whats_app/message","id":"w%d","metadata":{"thread_id":"t%d","body":"hi","status":"new"}}}]}`, n, n, time.Now().UTC().Format(time.RFC3339), n, n)
	s.within(recovery, func() bool {
		status, err := s.bridge.post(body)
		return err == nil && status == 200
	}, "the webhook is taken")
}

// done reports whether all of a round has come out.
func (s *supervised) done(n int, parents []sandbox.Content) bool {
	events := map[string]int{}
	for _, e := range s.contents() {
		events[e.Content.ID]++
	}
	return events[fmt.Sprint("w", n)] > 0 && events[parents[n-1].ID] > 0 && len(s.results()[fmt.Sprint("r", n)]) > 0
}
