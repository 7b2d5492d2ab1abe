package schemas

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hamba/avro/v2"
)

// maxValueBytes bounds one string, bytes or array while decoding: a length in a
// value is the sender's claim, and memory is taken by it before the bytes are
// read. It is above the topics' max.message.bytes, so nothing honest meets it.
const maxValueBytes = 32 << 20

// frameBytes is the length of the Confluent frame: a zero byte and a 4-byte id.
const frameBytes = 5

// UndecodableError says that the bytes themselves are at fault: not Confluent
// framed, a schema id that the registry does not know, a schema that the
// binary's own cannot read, or Avro that does not fit its schema. Reading the
// value again will not help. Its text holds nothing of the value.
type UndecodableError struct{ Err error }

func (e *UndecodableError) Error() string { return "undecodable: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *UndecodableError) Unwrap() error { return e.Err }

// A Codec turns values into bytes and back. It is safe for concurrent use.
type Codec struct {
	api      avro.API
	registry *Registry
	own      map[string]ownSchema
	readers  readerCache
}

// ownSchema is a schema of the binary with the id the registry gave it.
type ownSchema struct {
	schema avro.Schema
	id     int
}

func newCodec(registry *Registry, ids map[string]int) (*Codec, error) {
	c := &Codec{api: newAPI(), registry: registry, own: map[string]ownSchema{}}
	for name, id := range ids {
		schema, err := parse(Text(name))
		if err != nil {
			return nil, fmt.Errorf("schemas: own schema %s: %w", name, err)
		}
		c.own[name] = ownSchema{schema: schema, id: id}
	}
	return c, nil
}

func newAPI() avro.API {
	api := avro.Config{
		MaxByteSliceSize:  maxValueBytes,
		MaxSliceAllocSize: maxValueBytes,
		// A union branch of an unknown name is an error, not a map.
		UnionResolutionError: true,
	}.Freeze()
	for _, action := range []any{&CreateContent{}, &Handover{}, &SendSMS{}, &UpdateMessage{}, &DeleteMessage{}} {
		api.Register(namespace+"."+ActionName(action), action)
	}
	return api
}

// parse reads a schema with a cache of its own, so that two versions of a type
// never meet under one name.
func parse(text string) (avro.Schema, error) {
	return avro.ParseBytesWithCache([]byte(text), "", &avro.SchemaCache{})
}

// Encode returns the value in Confluent wire format.
func (c *Codec) Encode(v Value) ([]byte, error) {
	own, ok := c.own[v.record()]
	if !ok {
		return nil, fmt.Errorf("schemas: encode %s: the codec was not prepared for it", v.record())
	}
	body, err := c.api.Marshal(own.schema, v)
	if err != nil {
		return nil, fmt.Errorf("schemas: encode %s: %w", v.record(), err)
	}
	out := make([]byte, frameBytes, frameBytes+len(body))
	binary.BigEndian.PutUint32(out[1:], uint32(own.id))
	return append(out, body...), nil
}

// Decode reads a value in Confluent wire format into v. It returns an
// *UndecodableError when the bytes are at fault; any other error means that the
// writer's schema could not be fetched, and that trying again may help.
func (c *Codec) Decode(ctx context.Context, data []byte, v Value) (err error) {
	if len(data) < frameBytes || data[0] != 0 {
		return &UndecodableError{errors.New("not in Confluent wire format (a zero byte and a 4-byte schema id)")}
	}
	id := int(binary.BigEndian.Uint32(data[1:frameBytes]))
	schema, err := c.readers.get(ctx, id, v.record(), c.resolve)
	if err != nil {
		return err
	}
	defer func() {
		// The Avro library panics on some malformed input; the bytes are at fault.
		if p := recover(); p != nil {
			err = &UndecodableError{fmt.Errorf("schema %d as %s: malformed", id, v.record())}
		}
	}()
	if err := c.api.Unmarshal(schema, data[frameBytes:], v); err != nil {
		return &UndecodableError{fmt.Errorf("schema %d as %s: %w", id, v.record(), err)}
	}
	return nil
}

// resolve fetches the writer's schema and joins it with the binary's own.
func (c *Codec) resolve(ctx context.Context, id int, record string) (avro.Schema, error) {
	own, ok := c.own[record]
	if !ok {
		return nil, fmt.Errorf("schemas: decode %s: the codec was not prepared for it", record)
	}
	if id == own.id {
		return own.schema, nil
	}
	text, err := c.registry.schemaText(ctx, id)
	if err != nil {
		return nil, err
	}
	writer, err := parse(text)
	if err != nil {
		return nil, &UndecodableError{fmt.Errorf("schema %d is not a schema this program can parse: %w", id, err)}
	}
	resolved, err := avro.NewSchemaCompatibility().Resolve(own.schema, writer)
	if err != nil {
		return nil, &UndecodableError{fmt.Errorf("schema %d cannot be read as %s: %w", id, record, err)}
	}
	return resolved, nil
}
