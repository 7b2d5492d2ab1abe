package publish

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A field is one that a resource's event carries and that its state remembers. In the state every
// field is text: "" is null, and for a list, a map or a body empty.
type field[T any] struct {
	name string // in the Avro schema
	get  func(*T) string
	set  func(*T, string)
	// unordered lists are equal when they hold the same elements: the API's arrays are sets.
	unordered bool
}

// same reports whether two values of the field are equal.
func (f field[T]) same(a, b string) bool {
	return a == b || f.unordered && a != "" && b != "" && slices.Equal(elements(a), elements(b))
}

// elements returns the elements of a JSON array, sorted.
func elements(list string) []string {
	var items []json.RawMessage
	if json.Unmarshal([]byte(list), &items) != nil {
		return []string{list}
	}
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = string(item)
	}
	slices.Sort(out)
	return out
}

// emptyText marks text that is there and empty, and text that begins with the mark.
const emptyText = "\x00"

func textField[T any](name string, of func(*T) **string) field[T] {
	return field[T]{
		name: name,
		get:  func(v *T) string { return storedText(*of(v)) },
		set:  func(v *T, stored string) { *of(v) = readText(stored) },
	}
}

// storedText distinguishes null from empty text without copying the rest.
func storedText(p *string) string {
	switch {
	case p == nil:
		return ""
	case *p == "", strings.HasPrefix(*p, emptyText):
		return emptyText + *p
	}
	return *p
}

func readText(stored string) *string {
	if stored == "" {
		return nil
	}
	text := strings.TrimPrefix(stored, emptyText)
	return &text
}

// plainField is text that is never null; unknown is what an event shows where nothing is known.
func plainField[T any, S ~string](name string, unknown S, of func(*T) *S) field[T] {
	return field[T]{
		name: name,
		get: func(v *T) string {
			if *of(v) == unknown {
				return ""
			}
			return string(*of(v))
		},
		set: func(v *T, stored string) {
			*of(v) = S(stored)
			if stored == "" {
				*of(v) = unknown
			}
		},
	}
}

func flagField[T any](name string, of func(*T) **bool) field[T] {
	return field[T]{
		name: name,
		get: func(v *T) string {
			if p := *of(v); p != nil {
				return strconv.FormatBool(*p)
			}
			return ""
		},
		set: func(v *T, stored string) {
			if stored != "" {
				*of(v) = new(stored == "true")
			}
		},
	}
}

// timeField keeps milliseconds, as the schemas do.
func timeField[T any](name string, of func(*T) **time.Time) field[T] {
	return field[T]{
		name: name,
		get: func(v *T) string {
			if p := *of(v); p != nil {
				return strconv.FormatInt(millis(*p), 10)
			}
			return ""
		},
		set: func(v *T, stored string) {
			if ms, err := strconv.ParseInt(stored, 10, 64); err == nil {
				*of(v) = new(time.UnixMilli(ms).UTC())
			}
		},
	}
}

func integerField[T any](name string, of func(*T) **int) field[T] {
	return field[T]{
		name: name,
		get: func(v *T) string {
			if p := *of(v); p != nil {
				return strconv.Itoa(*p)
			}
			return ""
		},
		set: func(v *T, stored string) {
			if n, err := strconv.Atoi(stored); err == nil {
				*of(v) = &n
			}
		},
	}
}

// listField is a list that is empty where nothing is known, never nil.
func listField[T, E any](name string, of func(*T) *[]E) field[T] {
	return field[T]{
		name: name, unordered: true,
		get: func(v *T) string {
			if len(*of(v)) == 0 {
				return ""
			}
			return storedJSON(*of(v))
		},
		set: func(v *T, stored string) {
			*of(v) = []E{}
			readJSON(stored, of(v))
		},
	}
}

// mapField is a map that is empty where nothing is known, never nil.
func mapField[T any](name string, of func(*T) *map[string]string) field[T] {
	return field[T]{
		name: name,
		get: func(v *T) string {
			if len(*of(v)) == 0 {
				return ""
			}
			return storedJSON(*of(v)) // its keys are sorted
		},
		set: func(v *T, stored string) {
			*of(v) = map[string]string{}
			readJSON(stored, of(v))
		},
	}
}

func recordField[T, E any](name string, of func(*T) **E) field[T] {
	return field[T]{
		name: name,
		get: func(v *T) string {
			if *of(v) == nil {
				return ""
			}
			return storedJSON(*of(v))
		},
		set: func(v *T, stored string) { readJSON(stored, of(v)) },
	}
}

// storedJSON writes what always can be written: text, numbers, and lists and maps of them.
func storedJSON(value any) string {
	out, _ := json.Marshal(value) //nolint:errchkjson // see above
	return string(out)
}

func readJSON(stored string, value any) {
	if stored != "" {
		_ = json.Unmarshal([]byte(stored), value) // we wrote it
	}
}
