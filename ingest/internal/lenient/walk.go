package lenient

import (
	"bytes"
	"encoding/json"
	"iter"
)

// Members yields the members of a JSON object: each name, unescaped, and the bytes of its value.
// Names may repeat. It yields nothing for what is no object. The data must be valid JSON, and what
// is yielded is part of it.
func Members(data []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for at := enter(data, '{'); at < len(data) && data[at] == '"'; at = next(data, at) {
			name := data[at:end(data, at)]
			at = space(data, at+len(name))         // the colon
			at = space(data, min(at+1, len(data))) // the value
			value := data[at:end(data, at)]
			if at += len(value); !yield(unquote(name), value) {
				return
			}
		}
	}
}

// Elements yields the bytes of each element of a JSON array, and nothing for what is no array. The
// data must be valid JSON, and what is yielded is part of it.
func Elements(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for at := enter(data, '['); at < len(data) && data[at] != ']'; at = next(data, at) {
			value := data[at:end(data, at)]
			if at += len(value); !yield(value) {
				return
			}
		}
	}
}

// Pick returns the values of the named members of a JSON object, nil for one that is missing. Case
// does not count, as with encoding/json. repeated reports that a name stands there more than once
// with different values: the last one is returned, but nobody can know which one is meant.
func Pick(data []byte, names ...string) (values [][]byte, repeated bool) {
	values = make([][]byte, len(names))
	for name, value := range Members(data) {
		for i := range names {
			if !Same(name, names[i]) {
				continue
			}
			repeated = repeated || values[i] != nil && !bytes.Equal(values[i], value)
			values[i] = value
		}
	}
	return values, repeated
}

// Same reports whether a member has the name, in whatever case.
func Same(member []byte, name string) bool {
	return len(member) == len(name) && bytes.EqualFold(member, []byte(name))
}

// TextOf reads a value as Text does; nil is the empty text.
func TextOf(value []byte) string {
	var t Text
	if len(value) > 0 {
		_ = t.UnmarshalJSON(value) // never fails
	}
	return string(t)
}

// enter returns where the first name or element of a container stands; the end of the data when it
// is another value.
func enter(data []byte, opening byte) int {
	at := space(data, 0)
	if at == len(data) || data[at] != opening {
		return len(data)
	}
	return space(data, at+1)
}

// next returns where the name or element after a comma stands. Behind the last one it returns
// where the container ends.
func next(data []byte, at int) int {
	if at = space(data, at); at < len(data) && data[at] == ',' {
		return space(data, at+1)
	}
	return len(data)
}

// space returns the first place from at on that is no white space.
func space(data []byte, at int) int {
	for at < len(data) && (data[at] == ' ' || data[at] == '\n' || data[at] == '\r' || data[at] == '\t') {
		at++
	}
	return at
}

// end returns where the value ends that begins at a place.
func end(data []byte, at int) int {
	for depth := 0; at < len(data); {
		switch data[at] {
		case '"':
			at = quoted(data, at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			depth--
			at++
		case ',', ':', ' ', '\n', '\r', '\t':
			at++
		default: // a number or a literal
			for at < len(data) && !bytes.ContainsRune([]byte(",:]} \n\r\t"), rune(data[at])) {
				at++
			}
		}
		if depth <= 0 {
			return at
		}
	}
	return len(data)
}

// quoted returns where the string ends that begins at a place.
func quoted(data []byte, at int) int {
	for at++; at < len(data); at++ {
		switch data[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return len(data)
}

// unquote returns what a quoted name says.
func unquote(name []byte) []byte {
	if bytes.IndexByte(name, '\\') < 0 {
		return bytes.Trim(name, `"`)
	}
	var text string
	_ = json.Unmarshal(name, &text) // it is valid
	return []byte(text)
}
