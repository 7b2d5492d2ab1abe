package main

import (
	"encoding/json"
	"strings"
)

// A filter is one FIELD=TEXT.
type filter struct {
	path string
	want string
}

func parseFilters(given []string) ([]filter, error) {
	var filters []filter
	for _, text := range given {
		field, want, ok := strings.Cut(text, "=")
		if !ok || field == "" {
			return nil, usageError("--filter %q: want FIELD=TEXT, such as event_type=content.imported", text)
		}
		filters = append(filters, filter{path: strings.TrimPrefix(field, "."), want: want})
	}
	return filters, nil
}

// matches tells whether all filters hold. A field is looked for in the value
// first, then in the record around it (key, headers.…, partition).
func matches(record shownRecord, filters []filter) bool {
	if len(filters) == 0 {
		return true
	}
	// What is compared is what is printed.
	text, err := json.Marshal(record)
	if err != nil {
		return false
	}
	var tree map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if decoder.Decode(&tree) != nil {
		return false
	}
	for _, f := range filters {
		if !f.holds(tree["value"]) && !f.holds(tree) {
			return false
		}
	}
	return true
}

func (f filter) holds(tree any) bool {
	for _, value := range lookUp(tree, f.path) {
		if asText(value) == f.want {
			return true
		}
	}
	return false
}

// lookUp returns what is at the path: names joined by dots. A name may have
// dots in it, as those of headers do; of a list, each element is looked into.
func lookUp(value any, path string) (found []any) {
	switch v := value.(type) {
	case map[string]any:
		for name, child := range v {
			if name == path {
				found = append(found, child)
			} else if rest, ok := strings.CutPrefix(path, name+"."); ok {
				found = append(found, lookUp(child, rest)...)
			}
		}
	case []any:
		for _, element := range v {
			found = append(found, lookUp(element, path)...)
		}
	}
	return found
}

// asText returns what a person would write for the value.
func asText(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return v
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}
