package schemas_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/ringbridge/ringbridge/schemas"
)

// fakeRegistry serves an in-process registry and returns its address.
func fakeRegistry(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(srfake.NewRegistry().Handler())
	t.Cleanup(server.Close)
	return server.URL
}

func newRegistry(t *testing.T, url string) *schemas.Registry {
	t.Helper()
	registry, err := schemas.NewRegistry(schemas.Config{URL: url})
	require.NoError(t, err)
	return registry
}

func prepare(t *testing.T, url string) *schemas.Codec {
	t.Helper()
	codec, err := newRegistry(t, url).Prepare(t.Context(), "t.", true)
	require.NoError(t, err)
	return codec
}

func TestEveryFieldHasADocAndEveryEnumADefault(t *testing.T) {
	for _, subject := range schemas.Subjects() {
		var tree any
		require.NoError(t, json.Unmarshal([]byte(schemas.Text(subject.Record)), &tree))
		walk(t, subject.Record, tree)
	}
}

func walk(t *testing.T, path string, node any) {
	t.Helper()
	switch n := node.(type) {
	case map[string]any:
		if fields, ok := n["fields"].([]any); ok {
			require.NotEmpty(t, n["doc"], path)
			for _, field := range fields {
				f := field.(map[string]any)
				name := path + "." + f["name"].(string)
				require.NotEmpty(t, f["doc"], name)
				if union, ok := f["type"].([]any); ok && union[0] == "null" {
					require.Contains(t, f, "default", name)
				}
			}
		}
		if n["type"] == "enum" {
			require.Contains(t, n["symbols"], n["default"], path)
		}
		for key, child := range n {
			walk(t, path+"/"+key, child)
		}
	case []any:
		for _, child := range n {
			walk(t, path, child)
		}
	}
}

func TestEveryTextStandsAlone(t *testing.T) {
	for _, subject := range schemas.Subjects() {
		_, err := avro.ParseWithCache(schemas.Text(subject.Record), "", &avro.SchemaCache{})
		require.NoError(t, err, subject.Record)
	}
}

func command() *schemas.ReplyCommand {
	return &schemas.ReplyCommand{
		CommandID: "c-1", IssuedAt: time.UnixMilli(1_700_000_000_123).UTC(), NotAfter: new(time.UnixMilli(1_800_000_000_000).UTC()),
		Metadata: map[string]string{"k": "v"},
		Action: &schemas.CreateContent{
			API: schemas.ContentApiEngage, InReplyToID: new("5fbeb319535778000776a8da"), Body: "héllo", BodyFormat: schemas.BodyFormatHtml,
			Private: new(true), To: []string{}, Cc: []string{}, Bcc: []string{}, AttachmentIds: []string{"a"}, ContextData: map[string]string{},
		},
	}
}

func TestWhatIsEncodedIsDecoded(t *testing.T) {
	codec := prepare(t, fakeRegistry(t))
	data, err := codec.Encode(command())
	require.NoError(t, err)
	require.Equal(t, byte(0), data[0])
	var got schemas.ReplyCommand
	require.NoError(t, codec.Decode(t.Context(), data, &got))
	require.Equal(t, command(), &got)
}

func TestEveryActionSurvives(t *testing.T) {
	codec := prepare(t, fakeRegistry(t))
	for name, action := range map[string]any{
		"handover": &schemas.Handover{IdentityForeignID: "1", From: "BOT", To: "AGENT", ThreadCategoryIds: []string{}},
		"sms":      &schemas.SendSMS{From: "+1", To: []string{"+2"}, Attachments: []schemas.Upload{{Filename: "f", ContentType: "t", Content: []byte{0, 1}}}},
		"update":   &schemas.UpdateMessage{MessageID: "9", ReadStatus: new(schemas.ReadStatusRead)},
		"delete":   &schemas.DeleteMessage{MessageID: "9", Purge: true},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := codec.Encode(&schemas.ReplyCommand{CommandID: "c", IssuedAt: time.Now(), Action: action})
			require.NoError(t, err)
			var got schemas.ReplyCommand
			require.NoError(t, codec.Decode(t.Context(), data, &got))
			require.Equal(t, action, got.Action)
		})
	}
}

func TestAnOlderWriterIsRead(t *testing.T) {
	url := fakeRegistry(t)
	codec := prepare(t, url)
	older := `{"type":"record","name":"ReplyCommand","namespace":"ringbridge.v1","fields":[
		{"name":"command_id","type":"string"},
		{"name":"note","type":"string"},
		{"name":"issued_at","type":{"type":"long","logicalType":"timestamp-millis"}},
		{"name":"action","type":[{"type":"record","name":"CreateContent","fields":[{"name":"body","type":"string"},
			{"name":"body_format","type":{"type":"enum","name":"BodyFormat","symbols":["MARKDOWN","TEXT"]}}]}]}]}`
	client, err := sr.NewClient(sr.URLs(url))
	require.NoError(t, err)
	registered, err := client.CreateSchema(t.Context(), "other", sr.Schema{Schema: older})
	require.NoError(t, err)
	schema, err := avro.ParseWithCache(older, "", &avro.SchemaCache{})
	require.NoError(t, err)
	body, err := avro.Marshal(schema, map[string]any{
		"command_id": "c-9", "note": "x", "issued_at": time.UnixMilli(5).UTC(),
		"action": map[string]any{"ringbridge.v1.CreateContent": map[string]any{"body": "hi", "body_format": "MARKDOWN"}},
	})
	require.NoError(t, err)
	var got schemas.ReplyCommand
	require.NoError(t, codec.Decode(t.Context(), append([]byte{0, 0, 0, 0, byte(registered.ID)}, body...), &got))
	require.Equal(t, "c-9", got.CommandID)
	action := got.Action.(*schemas.CreateContent)
	require.Equal(t, "hi", action.Body)
	require.Equal(t, schemas.BodyFormatText, action.BodyFormat, "an unknown symbol becomes the default")
	require.Equal(t, schemas.ContentApiEngage, action.API, "an absent field becomes the default")
}

func TestUndecodableBytesAreToldApartFromAnOutage(t *testing.T) {
	url := fakeRegistry(t)
	codec := prepare(t, url)
	good, err := codec.Encode(command())
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"nil":                 nil,
		"short":               {0, 0, 0},
		"no magic byte":       []byte("hello, world"),
		"unknown schema":      {0, 0, 0, 9, 9, 1, 2, 3},
		"cut off":             good[:len(good)-3],
		"another's schema":    append([]byte{0, 0, 0, 0, 1}, good[5:]...),
		"a great length":      {0, 0, 0, 0, good[4], 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		"great length, fits":  {0, 0, 0, 0, good[4], 0xfe, 0xff, 0xff, 0xff, 0x0f},
		"negative length":     {0, 0, 0, 0, good[4], 0x01},
		"a union branch of 9": append(append([]byte{}, good[:5]...), 2, 'c', 2, 0, 0, 0, 18),
	} {
		t.Run(name, func(t *testing.T) {
			var undecodable *schemas.UndecodableError
			require.ErrorAs(t, codec.Decode(t.Context(), data, &schemas.ReplyCommand{}), &undecodable)
		})
	}
	t.Run("registry down", func(t *testing.T) {
		server := httptest.NewServer(srfake.NewRegistry().Handler())
		codec := prepare(t, server.URL)
		server.Close()
		var unavailable *schemas.UnavailableError
		require.ErrorAs(t, codec.Decode(t.Context(), []byte{0, 0, 0, 9, 9, 1}, &schemas.ReplyCommand{}), &unavailable)
	})
}

func TestPrepareIsSafeToRepeatAndLookUpOnlyDoesNotRegister(t *testing.T) {
	url := fakeRegistry(t)
	_, err := newRegistry(t, url).Prepare(t.Context(), "t.", false)
	require.ErrorContains(t, err, "SCHEMA_REGISTRY_REGISTER")
	prepare(t, url)
	prepare(t, url)
	_, err = newRegistry(t, url).Prepare(t.Context(), "t.", false)
	require.NoError(t, err)
	client, err := sr.NewClient(sr.URLs(url))
	require.NoError(t, err)
	versions, err := client.SubjectVersions(t.Context(), "t.contents-value")
	require.NoError(t, err)
	require.Equal(t, []int{1}, versions)
	for _, result := range client.Compatibility(t.Context(), "t.contents-value", "t.replies-value") {
		require.NoError(t, result.Err)
		want := map[string]string{"t.contents-value": "FULL_TRANSITIVE", "t.replies-value": "BACKWARD_TRANSITIVE"}[result.Subject]
		require.Equal(t, want, result.Level.String())
	}
}

func TestAnIncompatibleRegistryIsRefused(t *testing.T) {
	url := fakeRegistry(t)
	client, err := sr.NewClient(sr.URLs(url))
	require.NoError(t, err)
	_, err = client.CreateSchema(t.Context(), "t.contents-value", sr.Schema{Schema: `{"type":"record","name":"ContentEvent","namespace":"ringbridge.v1","fields":[{"name":"event_id","type":"int"}]}`})
	require.NoError(t, err)
	_, err = newRegistry(t, url).Prepare(context.Background(), "t.", true)
	var incompatible *schemas.IncompatibleError
	require.ErrorAs(t, err, &incompatible)
	require.ErrorContains(t, err, "t.contents-value")
}

func TestCommandsAsJSON(t *testing.T) {
	text, err := json.Marshal(command())
	require.NoError(t, err)
	var got schemas.ReplyCommand
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, command(), &got)
	for fault, text := range map[string]string{
		"unknown field":   `{"command_id":"c","colour":"red","action":{"Handover":{}}}`,
		"no action":       `{"command_id":"c"}`,
		"no such action":  `{"command_id":"c","action":{"Shout":{}}}`,
		"unknown in it":   `{"command_id":"c","action":{"CreateContent":{"boody":"x"}}}`,
		"two actions":     `{"command_id":"c","action":{"CreateContent":{},"Handover":{}}}`,
		"not even object": `[]`,
	} {
		require.Error(t, json.Unmarshal([]byte(text), &schemas.ReplyCommand{}), fault)
	}
}
