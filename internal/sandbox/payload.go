package sandbox

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Payload is what is odd in what is sent, webhook or notification. The zero value sends all of it,
// as documented. It is applied when an event is made: what is sent again is alike to the byte.
type Payload struct {
	// Omit are fields of the content or message that are left out.
	Omit []string `json:"omit,omitempty"`
	// OmitRate is the chance of each field to be left out, 0 to 1. Those in Keep stay, and ids
	// always do.
	OmitRate float64  `json:"omit_rate,omitempty"`
	Keep     []string `json:"keep,omitempty"`
	// IssuedShift is added to the time of issue: an event that is reported later than it happened, or
	// before it did.
	IssuedShift Duration `json:"issued_shift,omitempty"`
	// Gzip compresses the body, as Content-Encoding says.
	Gzip bool `json:"gzip,omitempty"`
}

// poorer leaves out fields of a JSON object.
func (p Payload) poorer(raw json.RawMessage, c *chance) json.RawMessage {
	if len(p.Omit) == 0 && p.OmitRate == 0 {
		return raw
	}
	return rewritten(raw, func(doc map[string]any) {
		for _, name := range slices.Sorted(maps.Keys(doc)) { // in an order, so that the seed decides
			if slices.Contains(p.Omit, name) || name != "id" && !slices.Contains(p.Keep, name) && c.hit(p.OmitRate) {
				delete(doc, name)
			}
		}
	})
}

// shifted moves a time of the given layout.
func (p Payload) shifted(text, layout string) string {
	at, err := time.Parse(layout, text)
	if err != nil || p.IssuedShift == 0 {
		return text
	}
	return at.Add(time.Duration(p.IssuedShift)).Format(layout)
}

// packed compresses a body where that is wanted, and returns the encoding to name.
func (p Payload) packed(body []byte) ([]byte, string) {
	if !p.Gzip || body == nil {
		return body, ""
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(body) // memory does not fail
	_ = w.Close()
	return out.Bytes(), "gzip"
}

// poorNotice leaves fields out of a notification's body: of a content those of the resource in it.
func (p Payload) poorNotice(raw json.RawMessage, c *chance) json.RawMessage {
	var of struct {
		IssuedAt string          `json:"issuedAt"`
		Resource json.RawMessage `json:"resource"`
	}
	if json.Unmarshal(raw, &of) != nil || of.Resource == nil {
		return p.poorer(raw, c)
	}
	resource := p.poorer(of.Resource, c)
	return rewritten(raw, func(doc map[string]any) {
		doc["issuedAt"], doc["resource"] = p.shifted(of.IssuedAt, timeFormat), resource
	})
}
