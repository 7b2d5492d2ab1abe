package main_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReplyPutsCommandsOnTheTopic(t *testing.T) {
	w := newWorld(t).withTopics(t)
	for fact, test := range map[string]struct {
		args  string
		stdin string
		check func(*testing.T, map[string]any)
	}{
		"an answer": {args: "--in-reply-to c1 --body hi --private=false --key thread --not-after 10m", check: func(t *testing.T, r map[string]any) {
			t.Helper()
			require.Equal(t, "thread", r["key"])
			value := r["value"].(map[string]any)
			require.NotEmpty(t, value["not_after"])
			create := value["action"].(map[string]any)["CreateContent"].(map[string]any)
			require.Equal(t, "c1", create["in_reply_to_id"])
			require.Equal(t, false, create["private"])
			require.Nil(t, create["source_id"])
		}},
		"a discussion": {args: "--source s1 --to +1555 --body hi", check: func(t *testing.T, r map[string]any) {
			t.Helper()
			require.Equal(t, "s1", r["key"])
			create := r["value"].(map[string]any)["action"].(map[string]any)["CreateContent"].(map[string]any)
			require.Equal(t, []any{"+1555"}, create["to"])
			require.Nil(t, create["private"])
		}},
		"a handover": {args: "--handover agent:bot --identity i1 --type messenger", check: func(t *testing.T, r map[string]any) {
			t.Helper()
			require.Equal(t, "i1", r["key"])
			handover := r["value"].(map[string]any)["action"].(map[string]any)["Handover"].(map[string]any)
			require.Equal(t, []any{"AGENT", "BOT"}, []any{handover["from"], handover["to"]})
		}},
		"a content with fields, on the platform": {args: `--social --in-reply-to c1 --body hi --context-data a={"n":1,"m":2} --context-data b=x`, check: func(t *testing.T, r map[string]any) {
			t.Helper()
			create := r["value"].(map[string]any)["action"].(map[string]any)["CreateContent"].(map[string]any)
			require.Equal(t, "SOCIAL", create["api"])
			require.Equal(t, map[string]any{"a": `{"n":1,"m":2}`, "b": "x"}, create["context_data"])
		}},
		"a text": {args: "--from +15550001 --to +15550002,+15550003 --body hi", check: func(t *testing.T, r map[string]any) {
			t.Helper()
			require.Equal(t, "+15550002,+15550003", r["key"])
			text := r["value"].(map[string]any)["action"].(map[string]any)["SendSms"].(map[string]any)
			require.Equal(t, []any{"+15550001", "hi"}, []any{text["from"], text["text"]})
		}},
		"a change of a message": {args: "--update-message 17 --read-status unread", check: func(t *testing.T, r map[string]any) {
			t.Helper()
			require.Equal(t, "17", r["key"])
			update := r["value"].(map[string]any)["action"].(map[string]any)["UpdateMessage"].(map[string]any)
			require.Equal(t, []any{"UNREAD", false}, []any{update["read_status"], update["restore"]})
		}},
		"the end of a message": {args: "--delete-message 17 --purge", check: func(t *testing.T, r map[string]any) {
			t.Helper()
			remove := r["value"].(map[string]any)["action"].(map[string]any)["DeleteMessage"].(map[string]any)
			require.Equal(t, []any{"17", true}, []any{remove["message_id"], remove["purge"]})
		}},
		"a file": {args: "--file -", stdin: `{"command_id":"mine","action":{"CreateContent":{"in_reply_to_id":"c9","body":"x"}}}`, check: func(t *testing.T, r map[string]any) {
			t.Helper()
			require.Equal(t, "mine", r["value"].(map[string]any)["command_id"])
			require.Equal(t, "c9", r["key"])
		}},
	} {
		t.Run(fact, func(t *testing.T) {
			got := w.runWith(t, test.stdin, append([]string{"reply"}, strings.Fields(test.args)...)...)
			require.Zero(t, got.code, got.err)
			id := lines(t, got.out)[0]["command_id"]
			for _, record := range w.replies(t) {
				if record["value"].(map[string]any)["command_id"] == id {
					test.check(t, record)
					return
				}
			}
			require.Fail(t, "the command is not on the topic")
		})
	}
}
