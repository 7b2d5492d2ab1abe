package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// params are a request's parameters, wherever they stood: query, form, multipart form or JSON body. Lists are kept under the
// name with its brackets. JSON objects are kept apart, as only a JSON body can hold them.
type params struct {
	values  url.Values
	objects map[string]json.RawMessage
}

// readParams reads all of the body: what a server has not read keeps it from noticing that the client has left.
func readParams(w http.ResponseWriter, r *http.Request) (params, error) {
	p := params{values: r.URL.Query(), objects: map[string]json.RawMessage{}}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		return p, p.readJSON(r)
	case "multipart/form-data":
		if err := r.ParseMultipartForm(maxBody); err != nil {
			return p, fmt.Errorf("sandbox: multipart: %w", err)
		}
	default:
		if err := r.ParseForm(); err != nil {
			return p, fmt.Errorf("sandbox: form: %w", err)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return p, fmt.Errorf("sandbox: body: %w", err)
		}
	}
	for name, v := range r.PostForm {
		p.values[name] = append(p.values[name], v...)
	}
	return p, nil
}

func (p *params) readJSON(r *http.Request) error {
	var fields map[string]json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&fields); err != nil {
		return fmt.Errorf("sandbox: json: %w", err)
	}
	for name, raw := range fields {
		switch raw[0] {
		case '{':
			p.objects[name] = raw
		case '[':
			var list []json.RawMessage
			if err := json.Unmarshal(raw, &list); err != nil {
				return fmt.Errorf("sandbox: json: %w", err)
			}
			for _, v := range list {
				p.add(strings.TrimSuffix(name, "[]")+"[]", v)
			}
		default:
			p.add(name, raw)
		}
	}
	return nil
}

// add takes a JSON scalar: a string's text, nothing for null, else the literal.
func (p *params) add(name string, raw json.RawMessage) {
	var text string
	switch {
	case string(raw) == "null":
	case json.Unmarshal(raw, &text) == nil:
		p.values.Add(name, text)
	default:
		p.values.Add(name, string(raw))
	}
}

func (p *params) get(name string) string { return p.values.Get(name) }

// joined returns all values of a parameter, with commas between them.
func (p *params) joined(name string) string { return strings.Join(p.values[name], ",") }

// list returns the values of name[].
func (p *params) list(name string) []string { return p.values[name+"[]"] }
