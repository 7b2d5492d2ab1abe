package schemas_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/schemas"
)

// FuzzWireFormat decodes any bytes as any of this program's values: the bytes are
// at fault or are a value, which then survives its encoding.
func FuzzWireFormat(f *testing.F) {
	codec, err := schemas.OfflineCodec()
	require.NoError(f, err)
	for i, subject := range schemas.Subjects() {
		value, _ := schemas.New(subject.Topic)
		if command, ok := value.(*schemas.ReplyCommand); ok {
			command.Action = &schemas.SendSMS{Attachments: []schemas.Upload{{Filename: "f"}}}
		}
		if data, err := codec.Encode(value); err == nil {
			f.Add(data)
		}
		f.Add([]byte{0, 0, 0, 0, byte(i + 1), 2, 'x'})
	}
	data, err := codec.Encode(command())
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		for i, subject := range schemas.Subjects() {
			if len(data) >= 5 && data[0] == 0 && binary.BigEndian.Uint32(data[1:]) != uint32(i+1) {
				continue // a foreign id is a question to the registry
			}
			value, _ := schemas.New(subject.Topic)
			err := codec.Decode(t.Context(), data, value)
			if undecodable := (*schemas.UndecodableError)(nil); errors.As(err, &undecodable) {
				continue
			}
			require.NoError(t, err)
			again, err := codec.Encode(value)
			require.NoError(t, err)
			same, _ := schemas.New(subject.Topic)
			require.NoError(t, codec.Decode(t.Context(), again, same))
			require.Equal(t, value, same)
		}
	})
}

// FuzzCommandOfAnyWriter decodes any bytes as a command, under any schema that a
// team may have registered. What passes is a command that can be judged.
func FuzzCommandOfAnyWriter(f *testing.F) {
	codec, err := schemas.OfflineCodec()
	require.NoError(f, err)
	data, err := codec.Encode(command())
	require.NoError(f, err)
	f.Add(schemas.Text("ReplyCommand"), data[5:])
	kept, err := filepath.Glob("versions/ReplyCommand*")
	require.NoError(f, err)
	for _, file := range kept {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(text), data[5:])
	}
	for _, field := range []string{
		"", `{"name":"note","type":{"type":"array","items":"null"}},`, `{"name":"note","type":{"type":"map","values":["null","int"]}},`,
		`{"name":"metadata","type":["null",{"type":"map","values":"bytes"}]},`, `{"name":"not_after","type":["int","null"]},`,
		`{"name":"note","type":{"type":"fixed","name":"F","size":3}},`, `{"name":"issued_by","type":{"type":"enum","name":"E","symbols":["A"]}},`,
		`{"name":"note","type":{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]}]}},`,
	} {
		f.Add(commandOf(field), tail)
		f.Add(commandOf(field), append([]byte{2, 2, 'k', 0}, tail...))
	}
	for _, c := range hostile() {
		if len(c.writer)+len(c.data) < 10_000 { // what is hostile by its length alone would slow the fuzzer down
			f.Add(c.writer, c.data)
		}
	}
	f.Fuzz(func(t *testing.T, writer string, data []byte) {
		var got schemas.ReplyCommand
		if codec.ReadFrom(writer, data, &got) != nil {
			return
		}
		require.NotEmpty(t, schemas.ActionName(got.Action))
		_, err := codec.Encode(&got)
		require.NoError(t, err)
	})
}

// FuzzCommandAsJSON reads any text as a command of the command line.
func FuzzCommandAsJSON(f *testing.F) {
	text, err := json.Marshal(command())
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(`{"command_id":"c","issued_at":"2024-01-01T00:00:00Z","action":{"SendSms":{"attachments":[{"content":"AA=="}]}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var got schemas.ReplyCommand
		if json.Unmarshal(text, &got) == nil {
			require.NotEmpty(t, schemas.ActionName(got.Action))
		}
	})
}
