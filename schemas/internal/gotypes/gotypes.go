// Package gotypes turns the Avro schemas into Go source.
//
// The types are made by the Avro library's own generator; this package only
// feeds it the files in an order in which every reference is known.
package gotypes

import (
	"bytes"
	"fmt"
	"go/format"
	"io/fs"
	"regexp"

	"github.com/hamba/avro/v2"
	"github.com/hamba/avro/v2/gen"
)

// Files lists the schema files so that a type is defined before it is used.
func Files() []string {
	return []string{
		"arrival.avsc", "identity.avsc", "content_event.avsc", "message_event.avsc",
		"activity_event.avsc", "reply_command.avsc", "reply_result.avsc",
	}
}

// Generate returns the formatted source of the types of all Files in dir.
func Generate(dir fs.FS) ([]byte, error) {
	g := gen.NewGenerator("schemas", map[string]gen.TagStyle{"json": gen.Original},
		gen.WithEnums(true),
		gen.WithInitialisms([]string{"SMS"}),
	)
	cache := &avro.SchemaCache{}
	for _, name := range Files() {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("gotypes: %w", err)
		}
		schema, err := avro.ParseBytesWithCache(text, "", cache)
		if err != nil {
			return nil, fmt.Errorf("gotypes: parse %s: %w", name, err)
		}
		g.Parse(schema)
	}
	var out bytes.Buffer
	if err := g.Write(&out); err != nil {
		return nil, fmt.Errorf("gotypes: write: %w", err)
	}
	code, err := format.Source(onceEach(out.Bytes()))
	if err != nil {
		return nil, fmt.Errorf("gotypes: format: %w", err)
	}
	return code, nil
}

// enumBlock matches the type and the constants of one enum.
var enumBlock = regexp.MustCompile(`(?s)\ntype (\w+) string\nconst \(.*?\n\)`)

// onceEach drops repeated enums: the generator writes an enum again at every
// reference to it.
func onceEach(code []byte) []byte {
	seen := map[string]bool{}
	return enumBlock.ReplaceAllFunc(code, func(block []byte) []byte {
		name := string(enumBlock.FindSubmatch(block)[1])
		if seen[name] {
			return nil
		}
		seen[name] = true
		return block
	})
}
