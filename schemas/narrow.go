package schemas

import (
	"encoding/json"
	"fmt"

	"github.com/hamba/avro/v2"
)

// readNarrow reads a command whose writer's schema is narrower than ours: a plain
// type where ours is a union, such as a string that is never null, or an action
// that is always the same. Avro allows that; the library cannot put such a value
// into our types, so it is read without them and takes the way of the commands'
// JSON.
func (c *Codec) readNarrow(schema avro.Schema, data []byte, command *ReplyCommand) (err error) {
	defer recoverAs(&err, "malformed")
	var value any
	if err := c.untyped.Unmarshal(schema, data, &value); err != nil {
		return err
	}
	fields, ok := plainly(schema, value).(map[string]any)
	if !ok {
		return fmt.Errorf("a command is a record, not %T", value)
	}
	if action, ok := fieldOf(schema, "action").(*avro.RecordSchema); ok {
		fields["action"] = map[string]any{action.Name(): fields["action"]}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("a value that has no JSON: %w", err)
	}
	*command = ReplyCommand{}
	return json.Unmarshal(text, command)
}

// plainly takes the names of union branches out of an untyped value, but for
// those of records, of which the short name stays.
func plainly(schema avro.Schema, value any) any {
	switch s := schema.(type) {
	case *avro.UnionSchema:
		return plainBranch(s, value)
	case *avro.RecordSchema:
		if fields, ok := value.(map[string]any); ok {
			for _, field := range s.Fields() {
				fields[field.Name()] = plainly(field.Type(), fields[field.Name()])
			}
		}
	case *avro.ArraySchema:
		if items, ok := value.([]any); ok {
			for i := range items {
				items[i] = plainly(s.Items(), items[i])
			}
		}
	}
	return value
}

func plainBranch(union *avro.UnionSchema, value any) any {
	branch, ok := value.(map[string]any)
	if !ok || len(branch) != 1 {
		return value
	}
	for _, typ := range union.Types() {
		record, isRecord := typ.(*avro.RecordSchema)
		if !isRecord {
			continue
		}
		if fields, ok := branch[record.FullName()]; ok {
			return map[string]any{record.Name(): plainly(record, fields)}
		}
	}
	for _, inner := range branch {
		return inner
	}
	return value
}

func fieldOf(schema avro.Schema, name string) avro.Schema {
	record, ok := schema.(*avro.RecordSchema)
	if !ok {
		return nil
	}
	for _, field := range record.Fields() {
		if field.Name() == name {
			return field.Type()
		}
	}
	return nil
}
