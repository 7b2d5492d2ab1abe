package schemas

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hamba/avro/v2"
)

// maxValueBytes is the Avro library's own bound of a string's bytes and, apart
// from them, of an array's items; its defaults are 1 MiB and none. It is above
// the topics' max.message.bytes, so nothing honest meets it. What a value claims
// beyond its bytes, the survey refuses first.
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
	untyped  avro.API // knows none of our types; see readNarrow
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
	c := &Codec{api: newAPI(), untyped: limits().Freeze(), registry: registry, own: map[string]ownSchema{}}
	for name, id := range ids {
		schema, err := parse(Text(name))
		if err != nil {
			return nil, fmt.Errorf("schemas: own schema %s: %w", name, err)
		}
		c.own[name] = ownSchema{schema: schema, id: id}
	}
	return c, nil
}

func limits() avro.Config {
	return avro.Config{MaxByteSliceSize: maxValueBytes, MaxSliceAllocSize: maxValueBytes}
}

func newAPI() avro.API {
	config := limits()
	// A union branch of an unknown name is an error, not a map.
	config.UnionResolutionError = true
	api := config.Freeze()
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
// writer's schema could not be fetched, and that trying again may help. What it
// takes of memory and time is bounded by the length of the value.
func (c *Codec) Decode(ctx context.Context, data []byte, v Value) error {
	if len(data) < frameBytes || data[0] != 0 {
		return &UndecodableError{errors.New("not in Confluent wire format (a zero byte and a 4-byte schema id)")}
	}
	id := int(binary.BigEndian.Uint32(data[1:frameBytes]))
	reader, err := c.readers.get(ctx, id, v.record(), c.resolve)
	if err != nil {
		return err
	}
	if err := c.read(reader, data[frameBytes:], v); err != nil {
		return &UndecodableError{fmt.Errorf("schema %d as %s: %w", id, v.record(), err)}
	}
	return nil
}

// read reads a value without its frame.
func (c *Codec) read(reader reader, data []byte, v Value) (err error) {
	// The Avro library panics on some malformed input; the bytes are at fault.
	defer recoverAs(&err, "malformed")
	if err := survey(reader.writer, data); err != nil {
		return err
	}
	err = c.api.Unmarshal(reader.joined, data, v)
	command, isCommand := v.(*ReplyCommand)
	if !isCommand || err == nil && ActionName(command.Action) != "" {
		return err
	}
	if c.readNarrow(reader.joined, data, command) == nil {
		return nil
	}
	if err == nil {
		err = errors.New("the action is not of a type that this program has")
	}
	return err
}

// resolve fetches the writer's schema and joins it with the binary's own.
func (c *Codec) resolve(ctx context.Context, id int, record string) (reader, error) {
	own, ok := c.own[record]
	if !ok {
		return reader{}, fmt.Errorf("schemas: decode %s: the codec was not prepared for it", record)
	}
	if id == own.id {
		return reader{writer: own.schema, joined: own.schema}, nil
	}
	text, err := c.registry.schemaText(ctx, id)
	if err != nil {
		return reader{}, err
	}
	joined, err := join(own.schema, text)
	if err != nil {
		return reader{}, &UndecodableError{fmt.Errorf("schema %d as %s: %w", id, record, err)}
	}
	return joined, nil
}

// join makes the reader of what was written by the schema of this text.
func join(own avro.Schema, text string) (_ reader, err error) {
	defer recoverAs(&err, "the schema cannot be joined with this program's")
	writer, err := parse(text)
	if err != nil {
		return reader{}, fmt.Errorf("not a schema this program can parse: %w", err)
	}
	if err := weighSchema(writer); err != nil {
		return reader{}, err
	}
	joined, err := avro.NewSchemaCompatibility().Resolve(own, writer)
	if err != nil {
		return reader{}, fmt.Errorf("cannot be read by this program: %w", err)
	}
	return reader{writer: writer, joined: joined}, nil
}

// recoverAs makes a panic of the Avro library an error. The panic's own text is
// left out: it can hold a part of the value.
func recoverAs(err *error, fault string) {
	if recover() != nil {
		*err = errors.New(fault)
	}
}
