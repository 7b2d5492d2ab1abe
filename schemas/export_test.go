package schemas

import (
	"github.com/hamba/avro/v2"
)

// OfflineCodec returns a codec without a registry: it encodes, and reads what
// its own schemas wrote. Its ids begin at 1, in the order of Subjects.
func OfflineCodec() (*Codec, error) {
	ids := map[string]int{}
	for i, subject := range Subjects() {
		ids[subject.Record] = i + 1
	}
	return newCodec(nil, ids)
}

// ReadFrom reads a value without its frame as written by the schema of this
// text, with nothing remembered: a fuzzer makes schemas without end.
func (c *Codec) ReadFrom(writer string, data []byte, v Value) error {
	joined, err := join(c.own[v.record()].schema, writer)
	if err != nil {
		return err
	}
	return (&Codec{api: newAPI(), untyped: limits().Freeze()}).read(joined, data, v)
}

// Parse reads a schema.
func Parse(text string) (avro.Schema, error) { return parse(text) }
