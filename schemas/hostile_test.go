package schemas_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/schemas"
)

// Values and schemas that another team's program, or an attacker who may write
// to the topic, can put before the codec. Each of those with a name in capitals
// in its comment took the process down, or hung it, when the Avro library alone
// judged it.

// commandOf returns the schema of a command with these fields before its own.
func commandOf(fields string) string {
	return `{"type":"record","name":"ReplyCommand","namespace":"ringbridge.v1","fields":[` + fields +
		`{"name":"command_id","type":"string"},{"name":"issued_at","type":{"type":"long","logicalType":"timestamp-millis"}},` +
		`{"name":"action","type":[{"type":"record","name":"DeleteMessage","fields":[{"name":"message_id","type":"string"}]}]}]}`
}

// tail is what follows the fields of commandOf.
var tail = []byte{2, 'c', 0, 0, 2, 'm'}

// long writes a number as Avro does.
func long(v int64) []byte { return binary.AppendVarint(nil, v) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// written is a value with its writer's schema.
type written struct {
	writer string
	data   []byte
}

func hostile() map[string]written {
	array := func(items string) string {
		return commandOf(`{"name":"note","type":{"type":"array","items":` + items + `}},`)
	}
	great, least := long(math.MaxInt64), long(math.MinInt64)
	return map[string]written{
		"more unknown items than bytes":           {array(`"long"`), join(great, tail)},                                   // HUNG
		"items of no bytes":                       {array(`{"type":"record","name":"E","fields":[]}`), join(great, tail)}, // HUNG
		"items of no bytes in items":              {array(`{"type":"array","items":"null"}`), join(long(3), long(5), long(0), long(5), long(0), long(5), long(0), long(0), tail)},
		"entries beyond the value":                {commandOf(`{"name":"note","type":{"type":"map","values":"null"}},`), join(great, tail)},
		"the least count there is":                {array(`"long"`), join(least, long(0), long(0), tail)},
		"a block larger than itself":              {array(`"long"`), join(long(-1), long(3), long(0), long(0), tail)},
		"a block that ends before it began":       {array(`"long"`), join(long(-1), least, long(0), long(0), tail)},
		"a number of eleven bytes":                {array(`"long"`), join(long(1), bytes.Repeat([]byte{0x80}, 10), []byte{1}, long(0), tail)},
		"a symbol of six bytes":                   {commandOf(`{"name":"note","type":"int"},`), join(bytes.Repeat([]byte{0x80}, 5), []byte{0}, tail)},
		"bytes left over":                         {commandOf(""), append(bytes.Clone(tail), 0)},
		"a fixed of more than there is":           {commandOf(`{"name":"note","type":{"type":"fixed","name":"F","size":2147483647}},`), tail},
		"a fixed of less than nothing":            {commandOf(`{"name":"note","type":{"type":"fixed","name":"F","size":-9}},`), tail},
		"a schema within itself":                  {commandOf(`{"name":"note","type":{"type":"record","name":"N","fields":[{"name":"next","type":{"type":"array","items":"N"}}]}},`), join(long(0), tail)}, // DIED
		"a schema within itself, only maybe":      {commandOf(`{"name":"note","type":{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]}]}},`), join(bytes.Repeat(long(1), 1<<20), long(0), tail)},
		"a schema of two to the fortieth types":   {commandOf(doubling(40)), join(long(0), tail)}, // DIED
		"no schema":                               {`{"type":"record"}`, tail},
		"a schema nested a hundred deep":          {commandOf(`{"name":"note","type":` + strings.Repeat(`{"type":"array","items":`, 100) + `"long"` + strings.Repeat("}", 100) + `},`), join(long(0), tail)},
		"a schema nested a hundred thousand deep": {commandOf(`{"name":"note","type":` + strings.Repeat(`{"type":"array","items":`, 100_000) + `"long"` + strings.Repeat("}", 100_000) + `},`), join(long(0), tail)},
	}
}

func TestAHostileValueIsUndecodable(t *testing.T) {
	codec, err := schemas.OfflineCodec()
	require.NoError(t, err)
	for fact, c := range hostile() {
		t.Run(fact, func(t *testing.T) {
			require.Error(t, codec.ReadFrom(c.writer, c.data, &schemas.ReplyCommand{}))
		})
	}
}

// doubling returns a field of a type that mentions another twice, which mentions
// another twice, and so on.
func doubling(depth int) string {
	typ := `"long"`
	for i := range depth {
		typ = fmt.Sprintf(`{"type":"record","name":"D%d","fields":[{"name":"a","type":%s},{"name":"b","type":%s}]}`, i, typ, mention(i))
	}
	return `{"name":"note","type":{"type":"array","items":` + typ + `}},`
}

func mention(i int) string {
	if i == 0 {
		return `"long"`
	}
	return fmt.Sprintf(`"D%d"`, i-1)
}

// recipients returns a command of this program's own schema up to the field `to`
// of its CreateContent, and what follows that field.
func recipients(t *testing.T, codec *schemas.Codec) (before, after []byte) {
	t.Helper()
	c := command()
	c.Action.(*schemas.CreateContent).To = []string{"recipient"}
	data, err := codec.Encode(c)
	require.NoError(t, err)
	before, after, found := bytes.Cut(data, join(long(-1), long(10), long(9), []byte("recipient"), long(0)))
	require.True(t, found)
	return before, after
}

func TestCountsThatOverflowAreUndecodable(t *testing.T) {
	codec, err := schemas.OfflineCodec()
	require.NoError(t, err)
	before, after := recipients(t, codec)
	half := long(1 << 62)
	for fact, blocks := range map[string][]byte{
		// The library ended with a slice of a negative length, which nothing may touch.
		"below nothing":       join(long(math.MinInt64), long(0), long(0)),
		"beyond the greatest": join(long(1), long(1), []byte("x"), long(math.MaxInt64), long(0)),
		// The library wrote outside of its slice: DIED, and could not even be stopped by SIGTERM.
		"around to nothing again": join(long(math.MinInt64), long(0), half, bytes.Repeat(join(long(1), []byte("x")), 100_000), long(0)),
	} {
		t.Run(fact, func(t *testing.T) {
			var undecodable *schemas.UndecodableError
			require.ErrorAs(t, codec.Decode(t.Context(), join(before, blocks, after), &schemas.ReplyCommand{}), &undecodable)
		})
	}
}

func TestMemoryIsTakenByTheBytesThereAreNotByTheCount(t *testing.T) {
	codec, err := schemas.OfflineCodec()
	require.NoError(t, err)
	before, after := recipients(t, codec)
	for fact, claim := range map[string][]byte{
		"thirty million items":   long(30_000_000),
		"thirty million letters": join(long(1), long(30_000_000)),
	} {
		t.Run(fact, func(t *testing.T) {
			data := join(before, claim, after)
			var earlier, later runtime.MemStats
			runtime.ReadMemStats(&earlier)
			require.Error(t, codec.Decode(t.Context(), data, &schemas.ReplyCommand{}))
			runtime.ReadMemStats(&later)
			require.Less(t, later.TotalAlloc-earlier.TotalAlloc, uint64(1<<20))
		})
	}
}

// A value cut between two fields must not be read as if the rest were empty: the
// answer would go out without what restricts it.
func TestAValueCutOffAnywhereIsUndecodable(t *testing.T) {
	codec, err := schemas.OfflineCodec()
	require.NoError(t, err)
	data, err := codec.Encode(command())
	require.NoError(t, err)
	for n := range len(data) {
		var undecodable *schemas.UndecodableError
		require.ErrorAs(t, codec.Decode(t.Context(), data[:n], &schemas.ReplyCommand{}), &undecodable, "cut to %d of %d bytes", n, len(data))
	}
	for n := range tail {
		require.Error(t, codec.ReadFrom(commandOf(""), tail[:n], &schemas.ReplyCommand{}), "of another writer, cut to %d bytes", n)
	}
}

func TestHonestFormsOfTheSameValueAreRead(t *testing.T) {
	codec, err := schemas.OfflineCodec()
	require.NoError(t, err)
	before, after := recipients(t, codec)
	item := join(long(9), []byte("recipient"))
	for fact, blocks := range map[string][]byte{
		"a block with its size":    join(long(-2), long(20), item, item, long(0)),
		"a block without its size": join(long(2), item, item, long(0)),
		"two blocks":               join(long(1), item, long(-1), long(10), item, long(0)),
		"a padded number":          join([]byte{0x84, 0x80, 0}, item, item, long(0)),
	} {
		t.Run(fact, func(t *testing.T) {
			var got schemas.ReplyCommand
			require.NoError(t, codec.Decode(t.Context(), join(before, blocks, after), &got))
			require.Equal(t, []string{"recipient", "recipient"}, got.Action.(*schemas.CreateContent).To)
		})
	}
}

func TestFieldsUnknownHereArePassedOver(t *testing.T) {
	codec, err := schemas.OfflineCodec()
	require.NoError(t, err)
	for typ, value := range map[string][]byte{
		`{"type":"array","items":"long"}`:                           join(long(-2), long(2), long(1), long(2), long(0)),
		`{"type":"map","values":{"type":"array","items":"string"}}`: join(long(1), long(1), []byte("k"), long(1), long(1), []byte("v"), long(0), long(0)),
		`["null","double"]`:                                         join(long(1), make([]byte, 8)),
		`{"type":"fixed","name":"F","size":3}`:                      []byte("abc"),
		`"boolean"`:                                                 {1},
		`"float"`:                                                   make([]byte, 4),
	} {
		t.Run(typ, func(t *testing.T) {
			var got schemas.ReplyCommand
			require.NoError(t, codec.ReadFrom(commandOf(`{"name":"note","type":`+typ+`},`), join(value, tail), &got))
			require.Equal(t, "c", got.CommandID)
			require.Equal(t, &schemas.DeleteMessage{MessageID: "m"}, got.Action)
		})
	}
}
