package webhook

import (
	"bytes"
	"encoding/json"
	"iter"
)

// separators stand between documents: white space, zeros of a padding, byte order marks, and the
// record separator of RFC 7464.
const separators = " \t\r\n\x00\ufeff\x1e"

// documents yields the JSON documents of a text, one behind the other. Where a document is broken,
// the rest is read line by line: a line that is JSON is a document, and what lies between two of
// them comes with valid false. The time it takes is linear in the length of the text.
func documents(text []byte) iter.Seq2[[]byte, bool] {
	return func(yield func(document []byte, valid bool) bool) {
		if json.Valid(text) { // nearly always
			yield(text, true)
			return
		}
		for text = bytes.TrimLeft(text, separators); len(text) > 0; text = bytes.TrimLeft(text, separators) {
			var document json.RawMessage
			if json.NewDecoder(bytes.NewReader(text)).Decode(&document) != nil {
				lines(text, yield)
				return
			}
			n := len(document)
			if !yield(text[:n], true) {
				return
			}
			text = text[n:]
		}
	}
}

// lines yields the lines that are JSON, and what lies between them.
func lines(text []byte, yield func([]byte, bool) bool) {
	broken := 0 // bytes before the line that are no document
	for broken < len(text) {
		line := text[broken:]
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line = line[:n+1]
		}
		document := bytes.Trim(line, separators)
		if !json.Valid(document) {
			broken += len(line)
			continue
		}
		if before := bytes.Trim(text[:broken], separators); len(before) > 0 && !yield(before, false) {
			return
		}
		if !yield(document, true) {
			return
		}
		text, broken = text[broken+len(line):], 0
	}
	if rest := bytes.Trim(text, separators); len(rest) > 0 {
		yield(rest, false)
	}
}
