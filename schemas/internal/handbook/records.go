package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ringbridge/ringbridge/schemas"
)

// files is a folder.
type files interface {
	fs.ReadFileFS
	fs.ReadDirFS
}

// A record is one Avro record, or enum: what a topic carries, or a part of that.
type record struct {
	Topic         string // its name without the prefix; empty for a part
	Compatibility schemas.Compatibility
	Name, Doc     string
	Fields        []field
	Symbols       string
}

// Anchor is what a link to the record's heading ends in.
func (r record) Anchor() string { return strings.ToLower(r.Name) }

type field struct{ Name, Type, Doc string }

// An avroType is a type of a schema: a name, a union, or a definition.
type avroType struct {
	name   string
	union  []avroType
	record *definition
}

type definition struct {
	Type        avroType
	Name, Doc   string
	LogicalType string
	Items       avroType
	Values      avroType
	Symbols     []string
	Fields      []struct {
		Name, Doc string
		Type      avroType
	}
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *avroType) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '"':
		return json.Unmarshal(raw, &t.name)
	case '[':
		return json.Unmarshal(raw, &t.union)
	default:
		t.record = &definition{}
		return json.Unmarshal(raw, t.record)
	}
}

// readRecords returns the record of each topic, each followed by those that it is the first to define.
func readRecords(dir files) ([]record, error) {
	var records []record
	for _, subject := range schemas.Subjects() {
		text, err := dir.ReadFile(fileOf(subject.Record))
		if err != nil {
			return nil, err
		}
		var d definition
		if err := json.Unmarshal(text, &d); err != nil {
			return nil, fmt.Errorf("%s: %w", subject.Record, err)
		}
		found := d.records()
		found[0].Topic, found[0].Compatibility = subject.Topic, subject.Compatibility
		records = append(records, found...)
	}
	return records, nil
}

// fileOf is where a record is kept: ContentEvent in content_event.avsc.
func fileOf(record string) string {
	var name strings.Builder
	for i, r := range record {
		if i > 0 && r >= 'A' && r <= 'Z' {
			name.WriteByte('_')
		}
		name.WriteRune(r)
	}
	return strings.ToLower(name.String()) + ".avsc"
}

// records returns the definition as one, and all that it defines behind it.
func (d *definition) records() []record {
	r := record{Name: d.Name, Doc: d.Doc, Symbols: strings.Join(d.Symbols, ", ")}
	var parts []record
	for _, f := range d.Fields {
		f.Type.walk(func(part *definition) { parts = append(parts, part.records()...) })
		r.Fields = append(r.Fields, field{f.Name, f.Type.String(), f.Doc})
	}
	return append([]record{r}, parts...)
}

// walk calls visit for each record and enum that the type defines, not for what is within those.
func (t avroType) walk(visit func(*definition)) {
	for _, branch := range t.union {
		branch.walk(visit)
	}
	switch d := t.record; {
	case d == nil:
	case d.Fields != nil, d.Symbols != nil:
		visit(d)
	default:
		d.Items.walk(visit)
		d.Values.walk(visit)
		d.Type.walk(visit)
	}
}

// String returns the type as a reader says it.
func (t avroType) String() string {
	if t.union != nil {
		branches := make([]string, len(t.union))
		for i, branch := range t.union {
			branches[i] = branch.String()
		}
		return strings.Join(branches, " or ")
	}
	d := t.record
	switch {
	case d == nil:
		return t.name
	case d.Name != "":
		return d.Name
	case d.LogicalType != "":
		return d.LogicalType
	case d.Type.name == "array":
		return "list of " + d.Items.String()
	case d.Type.name == "map":
		return "map of " + d.Values.String()
	}
	return d.Type.String()
}
