package publish

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// A ParseError says which part of an arrival has a shape that no parser
// understands. Its text holds names of fields, never what they held, as that is
// the customers' text.
type ParseError struct {
	Field string // where, as in "resource.metadata.body"; "" = the whole
	Want  string // what was expected there
}

// Error implements error.
func (e *ParseError) Error() string {
	if e.Field == "" {
		return "publish: parse: want " + e.Want
	}
	return fmt.Sprintf("publish: parse: %s: want %s", e.Field, e.Want)
}

// An object reads the fields of a JSON object leniently: the API writes ids as
// strings or numbers and flags as booleans or words, and leaves out or nulls
// what it does not know. Names are matched exactly, unlike encoding/json's. A
// field of a shape that no reading fits is an error, not a null: a letter can be
// replayed once the parser knows better, while a dropped value is gone.
//
// The first error sticks, so that a parser reads all fields and asks once.
//
// Fields are asked for by the names of Engage Digital, which the schemas have as
// well; an object of another API knows what they are called there.
type object struct {
	path   string // prefix of the fields' names in errors
	names  naming
	fields map[string]json.RawMessage
	err    *error
}

// readObject reads data as an object whose fields have the API's names.
func readObject(data []byte, api schemas.Api) *object {
	var err error
	o := &object{err: &err}
	if api == schemas.ApiSocial || api == schemas.ApiSms {
		o.names = platformNames
	}
	if json.Unmarshal(data, &o.fields) != nil || o.fields == nil {
		err = &ParseError{Want: "a JSON object"}
	}
	return o
}

// fault returns the first error of the object and those read from it.
func (o *object) fault() error { return *o.err }

func (o *object) fail(name, want string) {
	if *o.err == nil {
		*o.err = &ParseError{Field: o.path + o.called(name), Want: want}
	}
}

// told returns JSON that tells something; nil for nothing and for null.
func told(value json.RawMessage) json.RawMessage {
	if bytes.Equal(value, []byte("null")) {
		return nil
	}
	return value
}

// raw returns the field's JSON; nil when it is absent or null.
func (o *object) raw(name string) json.RawMessage {
	return told(o.fields[o.called(name)])
}

// has tells whether the field is there and not null.
func (o *object) has(name string) bool { return o.raw(name) != nil }

// child returns an object field; one without fields when it is absent or null.
func (o *object) child(name string) *object {
	c := &object{path: o.path + o.called(name) + ".", names: o.names, err: o.err}
	if raw := o.raw(name); raw != nil && json.Unmarshal(raw, &c.fields) != nil {
		o.fail(name, "an object")
	}
	return c
}

// text returns a string field; numbers and booleans as they are written.
func (o *object) text(name string) *string {
	value, ok := scalar(o.raw(name))
	if !ok {
		o.fail(name, "text")
		return nil
	}
	return value
}

// id is text that is null when empty: no resource has an empty id.
func (o *object) id(name string) *string {
	value := o.text(name)
	if value != nil && *value == "" {
		return nil
	}
	return value
}

// scalar reads a string, number or boolean; nil for nothing. A number keeps its
// digits: ids exceed what a float holds.
func scalar(raw json.RawMessage) (*string, bool) {
	if raw == nil {
		return nil, true
	}
	switch raw[0] {
	case '{', '[':
		return nil, false
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return nil, false
		}
		return &s, true
	}
	s := string(raw)
	return &s, true
}

// flag returns a boolean field, also written as a word or a digit.
func (o *object) flag(name string) *bool {
	value, ok := scalar(o.raw(name))
	if !ok {
		o.fail(name, "true or false")
		return nil
	}
	if value == nil || *value == "" {
		return nil
	}
	b, err := strconv.ParseBool(strings.ToLower(*value))
	if err != nil {
		o.fail(name, "true or false")
		return nil
	}
	return &b
}

// integer returns a whole number, also written as text or with a fraction of zero.
func (o *object) integer(name string) *int64 {
	value := o.id(name)
	if value == nil {
		return nil
	}
	if n, err := strconv.ParseInt(*value, 10, 64); err == nil {
		return &n
	}
	f, err := strconv.ParseFloat(*value, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > maxExact {
		o.fail(name, "a whole number")
		return nil
	}
	return new(int64(f))
}

// maxExact is the greatest whole number below which a float skips none.
const maxExact = 1 << 53

// list returns an array of scalars; empty, not nil, when absent or null.
func (o *object) list(name string) []string {
	out := []string{}
	for _, item := range o.items(name) {
		value, ok := scalar(item)
		if !ok {
			o.fail(name, "an array of text")
			return out
		}
		if value != nil {
			out = append(out, *value)
		}
	}
	return out
}

// items returns the elements of an array; none when it is absent or null.
func (o *object) items(name string) []json.RawMessage {
	var items []json.RawMessage
	if raw := o.raw(name); raw != nil && json.Unmarshal(raw, &items) != nil {
		o.fail(name, "an array")
	}
	for i, item := range items {
		items[i] = told(item)
	}
	return items
}

// texts returns the values of an object as JSON text; empty, not nil, when it
// is absent or null. An empty array is an empty object: some languages cannot
// tell them apart.
func (o *object) texts(name string) map[string]string {
	out := map[string]string{}
	raw := o.raw(name)
	if raw == nil {
		return out
	}
	if raw[0] == '[' && len(o.items(name)) == 0 {
		return out
	}
	for key, value := range o.child(name).fields {
		out[key] = validText(value)
	}
	return out
}

// instant returns a timestamp in UTC, in milliseconds as the schemas hold it.
func (o *object) instant(name string) *time.Time {
	value := o.id(name)
	if value == nil {
		return nil
	}
	// The offset without a colon is what older notifications write.
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, *value); err == nil {
			t = t.UTC().Truncate(time.Millisecond)
			return &t
		}
	}
	o.fail(name, "a timestamp as in RFC 3339")
	return nil
}

// element returns an array's element, which must be an object; nil when it is none.
func (o *object) element(name string, i int, item json.RawMessage) *object {
	e := &object{path: o.path + o.called(name) + "." + strconv.Itoa(i) + ".", names: o.names, err: o.err}
	if item == nil || json.Unmarshal(item, &e.fields) != nil {
		o.fail(name, "an array of objects")
		return nil
	}
	return e
}

// files returns an array of attachments; empty, not nil, when absent or null.
func (o *object) files(name string) []schemas.Attachment {
	out := []schemas.Attachment{}
	for i, item := range o.items(name) {
		file := o.element(name, i, item)
		if file == nil {
			return out
		}
		out = append(out, schemas.Attachment{
			ID: deref(file.id("id")), ContentType: file.text("content_type"), Filename: file.text("filename"),
			Size: file.integer("size"), URL: file.text("url"),
		})
	}
	return out
}

// validText is JSON as received, fit for a field that must be UTF-8: readers in
// other languages refuse a value with other bytes.
func validText(raw []byte) string { return strings.ToValidUTF8(string(raw), "\uFFFD") }

// deref returns what p points to, or the zero value.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
