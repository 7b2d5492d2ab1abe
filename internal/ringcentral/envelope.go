package ringcentral

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
)

// byteOrderMark may stand before the JSON of an answer.
var byteOrderMark = []byte("\xef\xbb\xbf")

// errUncountedRecords marks a page that counts rows and leaves out their list.
var errUncountedRecords = errors.New("a page without the records that it counts")

// An envelope is a JSON object around the rows of a list. It is read leniently: numbers come as text, a list or an object is null, names
// come in another case. What is absent or of a shape that makes no sense counts as not said. The zero value says nothing.
type envelope map[string]json.RawMessage

// readEnvelope reads the object around a list.
func readEnvelope(body []byte) (envelope, error) {
	var e envelope
	if err := json.Unmarshal(bytes.TrimPrefix(body, byteOrderMark), &e); err != nil || e == nil {
		return nil, errNotPage
	}
	return e, nil
}

// field returns a field by its name, or else by its name in another case. Null counts as absent.
func (e envelope) field(name string) (json.RawMessage, bool) {
	value, ok := e[name]
	if !ok {
		for _, key := range e.names() {
			if strings.EqualFold(key, name) {
				value, ok = e[key], true
				break
			}
		}
	}
	if !ok || string(value) == "null" {
		return nil, false
	}
	return value, true
}

// names returns the names of all fields, sorted.
func (e envelope) names() []string {
	names := make([]string, 0, len(e))
	for name := range e {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// has reports whether one of the fields is there, null included.
func (e envelope) has(names ...string) bool {
	return slices.ContainsFunc(e.names(), func(key string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(key, name) })
	})
}

// records returns the rows: a list, an object of numbered keys, or none where null stands for an empty list. Without the field, one of
// the marks must show that the object is the envelope of a list: an answer of another kind must not pass for an empty list, which would
// mean that nothing happened.
func (e envelope) records(marks ...string) ([]json.RawMessage, error) {
	value, ok := e.field("records")
	if !ok {
		if !e.has("records") && !e.has(marks...) {
			return nil, errNoRecords
		}
		return []json.RawMessage{}, nil
	}
	list := []json.RawMessage{}
	if json.Unmarshal(value, &list) == nil {
		return list, nil
	}
	var numbered map[string]json.RawMessage
	if json.Unmarshal(value, &numbered) != nil {
		return nil, errNotPage
	}
	return inOrder(numbered)
}

// inOrder returns the values of an object whose keys are numbers, by those numbers.
func inOrder(numbered map[string]json.RawMessage) ([]json.RawMessage, error) {
	keys := make([]int, 0, len(numbered))
	for key := range numbered {
		n, err := strconv.Atoi(key)
		if err != nil || strconv.Itoa(n) != key {
			return nil, errNotPage
		}
		keys = append(keys, n)
	}
	slices.Sort(keys)
	list := make([]json.RawMessage, 0, len(keys))
	for _, key := range keys {
		list = append(list, numbered[strconv.Itoa(key)])
	}
	return list, nil
}

// number returns a whole number that is not negative, which may come as text or with a fraction of zero.
func (e envelope) number(name string) (n int, ok bool) {
	value, err := strconv.ParseFloat(e.text(name), 64)
	if err != nil || value < 0 || value > math.MaxInt32 || value != math.Trunc(value) {
		return 0, false
	}
	return int(value), true
}

// text returns a text, or the digits of a number; "" for anything else.
func (e envelope) text(name string) string {
	value, ok := e.field(name)
	if !ok {
		return ""
	}
	var text string
	var number json.Number
	switch {
	case json.Unmarshal(value, &text) == nil:
		return strings.TrimSpace(text)
	case json.Unmarshal(value, &number) == nil:
		return number.String()
	}
	return ""
}

// flag returns a truth value, which may come as text or as a number; false where it is not said.
func (e envelope) flag(name string) bool {
	value, ok := e.field(name)
	if !ok {
		return false
	}
	switch strings.ToLower(strings.Trim(string(value), `" `)) {
	case "true", "1", "yes":
		return true
	}
	return false
}

// timestamp returns a time; zero where none can be read.
func (e envelope) timestamp(name string) (t Timestamp) {
	if value, ok := e.field(name); ok {
		_ = t.UnmarshalJSON(value) // never fails
	}
	return t
}

// object returns an object within the object.
func (e envelope) object(name string) envelope {
	var inner envelope
	if value, ok := e.field(name); ok {
		_ = json.Unmarshal(value, &inner) // of another shape: it says nothing
	}
	return inner
}
