package publish

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ringbridge/ringbridge/schemas"
)

// elements returns what a list field holds, without nulls and what is empty; nil when it is none.
// One value in place of a list is a list of one, and an object whose keys are all numbers is the
// list of its values in the order of these.
func (o *object) elements(name string) []json.RawMessage {
	raw := o.raw(name)
	if raw == nil || blank(raw) {
		return nil
	}
	var items []json.RawMessage
	switch raw[0] {
	case 't', 'f': // no flag is an element of any list here
		o.markOdd(name)
		return nil
	case '[':
		_ = json.Unmarshal(raw, &items) // it is a part of what was read as JSON
	case '{':
		if items = numbered(raw); items == nil {
			items = []json.RawMessage{raw}
		}
	default:
		items = []json.RawMessage{raw}
	}
	return slices.DeleteFunc(items, func(item json.RawMessage) bool { return present(item) == nil || blank(item) })
}

// numbered returns the values of an object by the numbers that are its keys; nil when they are none.
func numbered(raw json.RawMessage) []json.RawMessage {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(raw, &fields) // it is a part of what was read as JSON
	keys := make([]string, 0, len(fields))
	for key := range fields {
		if key == "" || strings.Trim(key, "0123456789") != "" {
			return nil
		}
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		whole, other := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(whole), len(other)), strings.Compare(whole, other), strings.Compare(a, b))
	})
	items := make([]json.RawMessage, len(keys))
	for i, key := range keys {
		items[i] = fields[key]
	}
	return items
}

// list returns an array of scalars; empty, not nil, when there is none.
func (o *object) list(name string) []string {
	out := []string{}
	for _, item := range o.elements(name) {
		value, ok := scalar(item)
		if !ok {
			o.markOdd(name)
			continue
		}
		out = append(out, *value)
	}
	return out
}

// objects returns the objects of a list.
func (o *object) objects(name string) []*object {
	var out []*object
	for _, item := range o.elements(name) {
		e := o.within(name)
		if json.Unmarshal(item, &e.fields) != nil {
			o.markOdd(name)
			continue
		}
		out = append(out, e)
	}
	return out
}

// parties returns who sends or gets a message. A bare value in place of an object is a phone number.
func (o *object) parties(name string) []*object {
	var out []*object
	for _, item := range o.elements(name) {
		e := o.within(name)
		switch item[0] {
		case '{':
			_ = json.Unmarshal(item, &e.fields) // it is a part of what was read as JSON
		case '[', 't', 'f':
			o.markOdd(name)
			continue
		default:
			e.fields = map[string]json.RawMessage{"phoneNumber": item}
		}
		out = append(out, e)
	}
	return out
}

// texts returns the values of an object as JSON text; empty, not nil, when there is none.
func (o *object) texts(name string) map[string]string {
	out := map[string]string{}
	for key, value := range o.child(name).fields {
		out[key] = validText(value)
	}
	return out
}

// files returns an array of attachments; empty, not nil, when there is none.
func (o *object) files(name string) []schemas.Attachment {
	out := []schemas.Attachment{}
	for _, file := range o.objects(name) {
		out = append(out, schemas.Attachment{
			ID: deref(file.id("id")), ContentType: file.text("content_type"), Filename: file.text("filename"),
			Size: file.integer("size"), URL: file.text("url"),
		})
	}
	return out
}
