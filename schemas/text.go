package schemas

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"sync"

	"github.com/ringbridge/ringbridge/schemas/internal/gotypes"
)

//go:embed *.avsc
var files embed.FS

// namespace is the Avro namespace of every schema of this package.
const namespace = "ringbridge.v1"

// Text returns the self-contained Avro schema (JSON) of the record with this
// short name, such as "ContentEvent", docs included. It panics for a name that
// no file defines: names are constants of this program.
func Text(name string) string {
	text, ok := texts()[name]
	if !ok {
		panic("schemas: no schema named " + name)
	}
	return text
}

// texts holds the self-contained text of the record of each file.
//
// The files share named types (Api, Identity …), each written once in the file
// that comes first. A registry wants every schema whole, so the first reference
// to a type of another file is replaced by the type itself.
//
//nolint:gochecknoglobals // computed once from files that are part of the binary
var texts = sync.OnceValue(func() map[string]string {
	named := map[string]any{}
	var roots []string
	for _, file := range gotypes.Files() {
		raw, err := files.ReadFile(file)
		if err != nil {
			panic(fmt.Sprintf("schemas: %v", err))
		}
		var tree map[string]any
		if err := json.Unmarshal(raw, &tree); err != nil {
			panic(fmt.Sprintf("schemas: %s: %v", file, err))
		}
		collect(tree, named)
		roots = append(roots, tree["name"].(string))
	}
	out := map[string]string{}
	for _, name := range roots {
		text, err := json.Marshal(expand(name, named, map[string]bool{}))
		if err != nil {
			panic(fmt.Sprintf("schemas: %s: %v", name, err))
		}
		out[name] = string(text)
	}
	return out
})

// collect files every named type below node under its name.
func collect(node any, named map[string]any) {
	switch n := node.(type) {
	case map[string]any:
		if name, ok := n["name"].(string); ok && (n["type"] == "record" || n["type"] == "enum") {
			named[name] = n
		}
		for _, child := range n {
			collect(child, named)
		}
	case []any:
		for _, child := range n {
			collect(child, named)
		}
	}
}

// expand returns the type with each named type written out where it is met
// first, and by name after that, as Avro wants it.
func expand(typ any, named map[string]any, written map[string]bool) any {
	switch t := typ.(type) {
	case string:
		def, ok := named[t]
		if !ok {
			return t // a primitive
		}
		if written[t] {
			return t
		}
		return expand(def, named, written)
	case []any:
		out := make([]any, len(t))
		for i, branch := range t {
			out[i] = expand(branch, named, written)
		}
		return out
	case map[string]any:
		return expandDefinition(t, named, written)
	}
	return typ
}

func expandDefinition(def map[string]any, named map[string]any, written map[string]bool) any {
	if name, ok := def["name"].(string); ok {
		if written[name] {
			return name
		}
		written[name] = true
	}
	out := map[string]any{}
	maps.Copy(out, def)
	switch def["type"] {
	case "array":
		out["items"] = expand(def["items"], named, written)
	case "map":
		out["values"] = expand(def["values"], named, written)
	case "record":
		var fields []any
		for _, field := range def["fields"].([]any) {
			f := map[string]any{}
			maps.Copy(f, field.(map[string]any))
			f["type"] = expand(f["type"], named, written)
			fields = append(fields, f)
		}
		out["fields"] = fields
	}
	return out
}
