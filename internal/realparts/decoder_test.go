//go:build real

package realparts_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/realparts"
)

const everything = `{"type":"record","name":"Everything","namespace":"real","fields":[
	{"name":"text","type":"string"},
	{"name":"absent","type":["null","string"],"default":null},
	{"name":"present","type":["null","string"],"default":null},
	{"name":"choice","type":[{"type":"record","name":"Left","fields":[]},
		{"type":"record","name":"Right","fields":[{"name":"n","type":"int"}]}]},
	{"name":"state","type":{"type":"enum","name":"State","symbols":["ON","OFF"]}},
	{"name":"blob","type":"bytes"},
	{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"list","type":{"type":"array","items":"string"}},
	{"name":"map","type":{"type":"map","values":"long"}},
	{"name":"flag","type":"boolean"}]}`

// datum is one Everything, written out by the letter of the Avro specification: the test trusts no codec.
func datum() []byte {
	return slices.Concat(
		[]byte("\x06h\xc3\xa9"),          // text: 3 bytes
		[]byte{0},                        // absent: branch 0
		[]byte("\x02\x06yes"),            // present: branch 1, 3 bytes
		[]byte{2, 1},                     // choice: branch 1, n = -1
		[]byte{2},                        // state: symbol 1
		[]byte{4, 0x00, 0xff},            // blob: 2 bytes
		[]byte{0xb8, 0x17},               // at: 1500
		[]byte("\x04\x02x\x02y\x00"),     // list: block of 2, end
		[]byte{2, 2, 'k', 0x80, 0x01, 0}, // map: block of 1, k = 64, end
		[]byte{1},                        // flag
	)
}

func TestDecoderReadsEveryKindOfField(t *testing.T) {
	id := register(t, newRegistry(t), "everything-value", everything)
	decoder := newDecoder(t)

	got, err := decoder.DecodeFull(framed(id, datum()))
	require.NoError(t, err)
	require.Equal(t, "real.Everything", got.Schema)
	require.Equal(t, id, got.ID)
	require.JSONEq(t, `{"text":"hé","absent":null,"present":"yes","choice":{"real.Right":{"n":-1}},"state":"OFF",
		"blob":"AP8=","at":"1970-01-01T00:00:01.500Z","list":["x","y"],"map":{"k":64},"flag":true}`, string(got.Value))
}

func TestDecoderRefusesWhatIsNotWholeAndGoesOn(t *testing.T) {
	id := register(t, newRegistry(t), "everything-value", everything)
	decoder := newDecoder(t)
	for name, tc := range map[string]struct {
		value []byte
		says  string
	}{
		"empty":              {nil, "wire format"},
		"no magic byte":      {[]byte("{\"a\":1}"), "wire format"},
		"cut short":          {framed(id, datum()[:10]), "EOF"},
		"bytes left over":    {framed(id, append(datum(), 0)), "left over"},
		"schema nobody made": {framed(999_999, datum()), "404"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decoder.Decode(tc.value)
			require.ErrorContains(t, err, tc.says)
		})
	}
	_, err := decoder.Decode(framed(id, datum()))
	require.NoError(t, err)
}

func newDecoder(t *testing.T) *realparts.Decoder {
	t.Helper()
	decoder, err := realparts.NewDecoder(t.Context(), parts.Registry.URL())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, decoder.Close()) })
	return decoder
}

// framed puts a datum into Confluent wire format.
func framed(id int, datum []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(id)), datum...)
}
