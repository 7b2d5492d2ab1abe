package timeline_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/timeline"
	"github.com/ringbridge/ringbridge/schemas"
)

// Every field of every schema is known to be safe or to be a customer's. A new
// one is replaced until somebody has thought of it, and says so in fields.go.
func TestEveryFieldOfTheSchemasIsClassified(t *testing.T) {
	files, err := filepath.Glob("../../schemas/*.avsc")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	fields := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var schema any
		require.NoError(t, json.Unmarshal(data, &schema))
		walk(schema, func(field string) {
			fields++
			require.True(t, timeline.Classified(field), "%s of %s is neither safe nor a customer's: decide in internal/timeline/fields.go", field, filepath.Base(file))
		})
	}
	require.Greater(t, fields, 100)
	require.False(t, timeline.Classified("Content.new"))
}

// walk hands every field of a schema to each, as SCHEMA.FIELD.
func walk(schema any, each func(field string)) {
	switch s := schema.(type) {
	case []any:
		for _, branch := range s {
			walk(branch, each)
		}
	case map[string]any:
		fields, _ := s["fields"].([]any)
		for _, f := range fields {
			field := f.(map[string]any)
			each(s["name"].(string) + "." + field["name"].(string))
			walk(field["type"], each)
		}
		for _, inner := range []string{"type", "items", "values"} {
			walk(s[inner], each)
		}
	}
}

// masked is what is seen of a value, as JSON.
func masked(t *testing.T, topic string, value any) string {
	t.Helper()
	data, err := json.Marshal(timeline.Mask(topic, value))
	require.NoError(t, err)
	return string(data)
}

func TestWhatCustomersWriteIsReplaced(t *testing.T) {
	for topic, value := range map[string]schemas.Value{
		"inbox": &schemas.Arrival{Kind: "visible", Body: []byte(`{"text":"secret"}`)},
		"contents": &schemas.ContentEvent{
			EventType: "visible", Raw: new("secret"), Author: &schemas.Identity{FirstName: new("secret"), ForeignID: new("secret"), Extra: map[string]string{"secret": "secret"}},
			Content: schemas.Content{Body: "secret", Title: new("secret"), Attachments: []schemas.Attachment{{Filename: new("secret"), URL: new("secret")}}, ContextData: map[string]string{"secret": "1"}},
		},
		"identities": &schemas.Identity{ID: "visible", Email: new("secret"), MobilePhone: new("secret")},
		"messages": &schemas.MessageEvent{
			EventType: "visible", Raw: new("secret"),
			Message: schemas.Message{Text: "secret", From: &schemas.Sender{Name: new("secret")}, To: []schemas.Recipient{{Name: new("secret"), PhoneNumber: new("secret")}}},
		},
		"activity": &schemas.ActivityEvent{EventType: "visible", Data: `{"a":"secret"}`},
		"replies": &schemas.ReplyCommand{CommandID: "visible", Metadata: map[string]string{"secret": "secret"}, Action: &schemas.CreateContent{
			Body: "secret", Title: new("secret"), To: []string{"secret@example.com"}, Cc: []string{"secret"}, StructuredContent: new(`"secret"`),
		}},
		"replies.dlq": &schemas.ReplyCommand{CommandID: "visible", Action: &schemas.SendSMS{Text: "secret", Attachments: []schemas.Upload{{Filename: "secret", Content: []byte("secret")}}}},
	} {
		seen := masked(t, topic, value)
		require.NotContains(t, seen, "secret", topic)
		require.NotContains(t, seen, "c2VjcmV0", topic) // in base64
		require.Contains(t, seen, "visible", topic)
	}
}

func TestMaskLeavesWhatHelps(t *testing.T) {
	sms := &schemas.ReplyCommand{CommandID: "c1", Action: &schemas.SendSMS{From: "+1 (205) 555-0100", To: []string{"+33612345678", "12345"}}}
	seen := masked(t, "replies", sms)
	require.Contains(t, seen, `"from":"•••0100"`)
	require.Contains(t, seen, `"to":["•••5678","•••"]`, "a short number has no last digits to spare")
	require.Contains(t, seen, `"text":""`, "that there is none may be seen")
	require.Contains(t, masked(t, "replies", map[string]any{"command_id": "c1", "new": "secret"}), `"new":"•••"`, "a field that nobody has thought of")
	require.Equal(t, `"•••"`, masked(t, "inbox.dlq", map[string]any{"text": "secret"}), "what has no schema")
	require.Equal(t, `"•••"`, masked(t, "replies", "what cannot be decoded"))
	require.Equal(t, `null`, masked(t, "replies", nil))
	result := &schemas.ReplyResult{CommandID: "c1", Error: new("the API said no")}
	require.Contains(t, masked(t, "replies.results", result), "the API said no", "it never holds what customers write")
}

func TestMaskChangesNothing(t *testing.T) {
	record := map[string]any{"content": map[string]any{"body": "hello"}}
	masked(t, "contents", record)
	require.Equal(t, map[string]any{"content": map[string]any{"body": "hello"}}, record)
}
