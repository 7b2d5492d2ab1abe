// Package body reads the body of a request as UTF-8 text, whatever form it came in.
//
//	compressed? ─▶ a form's payload? ─▶ which character set? ─▶ texts
//
// The headers of the request say most of it, but not always, and not always rightly. So compression
// is also recognised by its first bytes, and Unicode by its mark or by the zeros that JSON has in it.
// Memory and time are bounded by the size of the body and by the limit.
//
// The package knows nothing of events, and keeps plain UTF-8 as it is, without a copy.
package body

import (
	"bytes"
	"net/url"
	"strings"
)

// A Body is what came, with what the headers of the request say of it.
type Body struct {
	Bytes    []byte
	Type     string // Content-Type; "" = unknown
	Encoding string // Content-Encoding, several with commas in the order in which they were applied
}

// Texts returns the text of the body in UTF-8, without a byte order mark in front and without zero
// bytes behind it. A form has a text for each of its payloads. Bytes that the character set does not
// have are kept where it is UTF-8, else they become U+FFFD.
//
// limit bounds what compressed bytes become, in bytes. Errors: ErrTooLarge, ErrCompression and
// ErrEncoding, wrapped.
func (b Body) Texts(limit int64) ([][]byte, error) {
	data, err := decompress(b.Bytes, b.Encoding, limit)
	if err != nil {
		return nil, err
	}
	texts := [][]byte{data}
	if payloads := payloads(data); len(payloads) > 0 {
		texts = payloads
	}
	for i, text := range texts {
		texts[i] = bytes.TrimRight(toUTF8(text, charset(b.Type)), "\x00")
	}
	return texts, nil
}

// payloadField is the field of a form that holds the JSON, by the custom of other senders.
const payloadField = "payload"

// payloads returns the JSON documents of a form. Forms are recognised by what they look like: JSON
// is often sent under a form's type, and no JSON begins this way.
func payloads(data []byte) [][]byte {
	const first = payloadField + "="
	data = bytes.TrimSpace(data)
	if !bytes.HasPrefix(data, []byte(first)) && (!formed(data) || !bytes.Contains(data, []byte("&"+first))) {
		return nil
	}
	form, _ := url.ParseQuery(string(data)) // with an error, what could be read
	var found [][]byte
	for _, payload := range form[payloadField] {
		found = append(found, []byte(payload))
	}
	return found
}

// formed reports whether data begins with the name of a form's field.
func formed(data []byte) bool {
	name, _, found := bytes.Cut(data, []byte("="))
	return found && len(name) > 0 && !bytes.ContainsAny(name, "{[\"\x00")
}

// charset returns the character set that a content type names; "" = none. A type that breaks the
// rules of its grammar is read as far as it goes.
func charset(contentType string) string {
	for parameter := range strings.SplitSeq(contentType, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if strings.EqualFold(strings.TrimSpace(name), "charset") {
			return strings.ToLower(strings.Trim(value, " \t\"'"))
		}
	}
	return ""
}
