package schemas_test

import (
	"maps"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/ringbridge/ringbridge/schemas"
)

// TestANarrowerWriterIsRead decodes commands of teams whose own schemas have
// plain types where the contract has unions, as Avro allows.
func TestANarrowerWriterIsRead(t *testing.T) {
	const head = `{"type":"record","name":"ReplyCommand","namespace":"ringbridge.v1","fields":[{"name":"command_id","type":"string"},
		{"name":"issued_at","type":{"type":"long","logicalType":"timestamp-millis"}},`
	const create = `{"type":"record","name":"CreateContent","fields":[{"name":"body","type":"string"},{"name":"in_reply_to_id","type":"string"},
		{"name":"private","type":"boolean"},{"name":"to","type":{"type":"array","items":"string"}}]}`
	fields := map[string]any{"body": "hi", "in_reply_to_id": "p", "private": true, "to": []any{"a"}}
	issued := time.UnixMilli(5).UTC()
	for fact, test := range map[string]struct {
		schema string
		action any
		more   map[string]any
	}{
		"an action that is no union": {schema: head + `{"name":"action","type":` + create + `}]}`, action: fields},
		"a union of fewer actions":   {schema: head + `{"name":"action","type":[` + create + `]}]}`, action: map[string]any{"ringbridge.v1.CreateContent": fields}},
		"a time that is never null": {
			schema: head + `{"name":"not_after","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"action","type":` + create + `}]}`,
			action: fields, more: map[string]any{"not_after": time.UnixMilli(7).UTC()},
		},
	} {
		t.Run(fact, func(t *testing.T) {
			url := fakeRegistry(t)
			codec := prepare(t, url)
			client, err := sr.NewClient(sr.URLs(url))
			require.NoError(t, err)
			registered, err := client.CreateSchema(t.Context(), "other", sr.Schema{Schema: test.schema})
			require.NoError(t, err)
			writer, err := avro.ParseWithCache(test.schema, "", &avro.SchemaCache{})
			require.NoError(t, err)
			value := map[string]any{"command_id": "c", "issued_at": issued, "action": test.action}
			maps.Copy(value, test.more)
			body, err := avro.Marshal(writer, value)
			require.NoError(t, err)

			var got schemas.ReplyCommand
			require.NoError(t, codec.Decode(t.Context(), append([]byte{0, 0, 0, 0, byte(registered.ID)}, body...), &got))
			require.Equal(t, "c", got.CommandID)
			require.Equal(t, issued, got.IssuedAt.UTC())
			require.Equal(t, test.more != nil, got.NotAfter != nil)
			action := got.Action.(*schemas.CreateContent)
			require.Equal(t, "hi", action.Body)
			require.Equal(t, "p", *action.InReplyToID)
			require.True(t, *action.Private)
			require.Equal(t, []string{"a"}, action.To)
			require.Equal(t, schemas.ContentApiEngage, action.API)
			require.Nil(t, action.SourceID)
			require.False(t, action.AutoSubmitted)
		})
	}
}
