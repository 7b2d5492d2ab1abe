package publish

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/instant"
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

// An object reads the fields of a JSON object leniently: the API writes ids as strings or numbers
// and flags as booleans or words, and leaves out or nulls what it does not know. Names are matched
// exactly, unlike encoding/json's, but for those that adopt reads; of two members of one name the
// last counts.
//
// A value that no reading fits is odd. An odd field is null, or empty for a list or a map: an
// event is worth more than any of its optional fields, and what was received goes out with it.
//
// Fields are asked for by the names of Engage Digital, which the schemas have as well; an object of
// another API knows what they are called there.
type object struct {
	path   string // prefix of the fields' names
	names  naming
	fields map[string]json.RawMessage
	odd    *oddFields
	err    error // the JSON is no object
}

// oddFields are the paths of the fields whose values no reading fits, without the positions in
// lists: so they are no more than there are names in this package. None of them holds customers'
// text.
type oddFields map[string]bool

// list returns the paths in alphabetical order.
func (f *oddFields) list() []string {
	if f == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(*f))
}

// readObject reads data as an object whose fields have the API's names.
func readObject(data []byte, api schemas.Api) *object {
	o := &object{odd: &oddFields{}}
	if api == schemas.ApiSocial || api == schemas.ApiSms {
		o.names = platformNames
	}
	if json.Unmarshal(data, &o.fields) != nil || o.fields == nil {
		o.err = &ParseError{Want: "a JSON object"}
	}
	return o
}

// fault returns why there is no object at all; nil when there is one.
func (o *object) fault() error { return o.err }

// markOdd remembers that no reading fits the field's value.
func (o *object) markOdd(name string) { (*o.odd)[o.path+o.called(name)] = true }

// adopt makes a member known by the name that it differs from only in the case of its letters, where
// none of that very name says anything. It is for what an event must have: its type and ids. Of
// several such members the first in alphabetical order counts.
func (o *object) adopt(names ...string) {
	for _, name := range names {
		if o.has(name) {
			continue
		}
		found := ""
		for key, value := range o.fields {
			if strings.EqualFold(key, name) && present(value) != nil && (found == "" || key < found) {
				found = key
			}
		}
		if found != "" {
			o.fields[name] = o.fields[found]
			delete(o.fields, found)
		}
	}
}

// present returns JSON that is there; nil for nothing and for null.
func present(value json.RawMessage) json.RawMessage {
	if bytes.Equal(value, []byte("null")) {
		return nil
	}
	return value
}

// raw returns the field's JSON; nil when it is absent or null.
func (o *object) raw(name string) json.RawMessage {
	return present(o.fields[o.called(name)])
}

// has reports whether the field is there and not null.
func (o *object) has(name string) bool { return o.raw(name) != nil }

// shows reports whether the field is there, not null, and was read: an odd value shows nothing.
func (o *object) shows(name string) bool {
	return o.has(name) && !(*o.odd)[o.path+o.called(name)]
}

// blank reports whether JSON is an empty text, list or object, which are empty whatever the field
// holds: some languages cannot distinguish them.
func blank(raw json.RawMessage) bool {
	switch raw[0] {
	case '"':
		return len(raw) == 2
	case '[', '{':
		return len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0
	}
	return false
}

// child returns an object field; one without fields when it is none.
func (o *object) child(name string) *object {
	c, raw := o.within(name), o.raw(name)
	if raw != nil && !blank(raw) && json.Unmarshal(raw, &c.fields) != nil {
		o.markOdd(name)
	}
	return c
}

// within returns an object without fields below the field.
func (o *object) within(name string) *object {
	return &object{path: o.path + o.called(name) + ".", names: o.names, odd: o.odd}
}

// text returns a string field; numbers and booleans as they are written.
func (o *object) text(name string) *string {
	raw := o.raw(name)
	value, ok := scalar(raw)
	if !ok && !blank(raw) {
		o.markOdd(name)
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
	value := o.id(name)
	if value == nil {
		return nil
	}
	switch strings.ToLower(strings.TrimSpace(*value)) {
	case "true", "t", "yes", "y", "on", "1":
		return new(true)
	case "false", "f", "no", "n", "off", "0":
		return new(false)
	}
	o.markOdd(name)
	return nil
}

// integer returns a whole number, also written as text or with a fraction of zero.
func (o *object) integer(name string) *int64 {
	value := o.id(name)
	if value == nil {
		return nil
	}
	text := strings.TrimSpace(*value)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return &n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > maxExact {
		o.markOdd(name)
		return nil
	}
	return new(int64(f))
}

// maxExact is the greatest whole number below which a float skips none.
const maxExact = 1 << 53

// small returns a whole number of 32 bits.
func (o *object) small(name string) *int {
	n := o.integer(name)
	if n == nil {
		return nil
	}
	if *n < math.MinInt32 || *n > math.MaxInt32 {
		o.markOdd(name)
		return nil
	}
	return new(int(*n))
}

// instant returns a timestamp in UTC, in milliseconds as the schemas hold it.
func (o *object) instant(name string) *time.Time {
	raw := o.raw(name)
	if raw == nil || blank(raw) {
		return nil
	}
	t, ok := instant.Parse(raw)
	if !ok {
		o.markOdd(name)
		return nil
	}
	t = t.Truncate(time.Millisecond)
	return &t
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
