package body

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Why a body is not read.
var (
	ErrTooLarge    = errors.New("larger than HTTP_MAX_BODY when it is decompressed")
	ErrCompression = errors.New("its compression is broken")
	ErrEncoding    = errors.New("a content encoding that is not known")
)

// maxLayers is how often a body may be compressed: by the sender and by a proxy. Each layer costs
// time and memory up to the limit.
const maxLayers = 2

// decompress undoes what the encodings say, and gzip that nobody mentions. A proxy may have
// decompressed a body and left the header, so what is JSON already is left as it is.
func decompress(data []byte, encodings string, limit int64) ([]byte, error) {
	var layers []string
	for name := range strings.SplitSeq(encodings, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" && name != "identity" {
			layers = append(layers, name)
		}
	}
	if len(layers) > 0 && json.Valid(data) {
		return data, nil
	}
	if len(layers) > maxLayers {
		return nil, fmt.Errorf("%w: %d layers, at most %d are read", ErrEncoding, len(layers), maxLayers)
	}
	undone := 0
	for ; undone < maxLayers; undone++ {
		var name string
		switch left := len(layers) - undone; {
		case left > 0:
			name = layers[left-1]
		case bytes.HasPrefix(data, []byte("\x1f\x8b")):
			name = "gzip"
		default:
			return data, nil
		}
		var err error
		if data, err = expand(data, name, limit); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// expand undoes one layer.
func expand(data []byte, name string, limit int64) ([]byte, error) {
	var from io.Reader
	var err error
	switch name {
	case "gzip", "x-gzip":
		from, err = gzip.NewReader(bytes.NewReader(data))
	case "deflate":
		// The standard means zlib; much software sends bare deflate.
		if from, err = zlib.NewReader(bytes.NewReader(data)); err != nil {
			from, err = flate.NewReader(bytes.NewReader(data)), nil
		}
	default: // its name is the sender's text
		return nil, ErrEncoding
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCompression, err)
	}
	text, err := io.ReadAll(io.LimitReader(from, limit+1))
	switch {
	case int64(len(text)) > limit:
		return nil, ErrTooLarge
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrCompression, err)
	}
	return text, nil
}
