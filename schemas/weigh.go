package schemas

import (
	"errors"

	"github.com/hamba/avro/v2"
)

// The bounds of a writer's schema. This program's own are 6 deep and have some
// hundred types; the Avro library builds a decoder for each mention of a type.
const (
	maxSchemaDepth = 64
	maxSchemaTypes = 20_000
)

// The sentinels of weighSchema.
var (
	errDeepSchema  = errors.New("the schema refers to itself, or is nested too deeply")
	errGreatSchema = errors.New("the schema is too large")
)

// weighSchema returns why a writer's schema is not to be read by, or nil. Types
// are counted as often as they are mentioned. A type that contains itself makes
// the library build decoders until the stack ends, which ends the process; types
// that each mention the next one twice, until the memory does.
func weighSchema(schema avro.Schema) error {
	left := maxSchemaTypes
	return weigh(schema, maxSchemaDepth, &left)
}

func weigh(schema avro.Schema, depth int, left *int) error {
	if ref, ok := schema.(*avro.RefSchema); ok {
		schema = ref.Schema()
	}
	if *left--; *left < 0 {
		return errGreatSchema
	}
	if depth == 0 {
		return errDeepSchema
	}
	for _, part := range partsOf(schema) {
		if err := weigh(part, depth-1, left); err != nil {
			return err
		}
	}
	return nil
}

// partsOf lists the types that a type directly consists of.
func partsOf(schema avro.Schema) []avro.Schema {
	switch t := schema.(type) {
	case *avro.ArraySchema:
		return []avro.Schema{t.Items()}
	case *avro.MapSchema:
		return []avro.Schema{t.Values()}
	case *avro.UnionSchema:
		return t.Types()
	case *avro.RecordSchema:
		parts := make([]avro.Schema, len(t.Fields()))
		for i, field := range t.Fields() {
			parts[i] = field.Type()
		}
		return parts
	}
	return nil
}
