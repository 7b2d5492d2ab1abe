package body

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// toUTF8 returns the text in UTF-8 without a byte order mark. What the bytes themselves show goes
// before the name; a name that is not known counts as UTF-8.
func toUTF8(data []byte, name string) []byte {
	const utf8Mark = "\xef\xbb\xbf"
	if bytes.HasPrefix(data, []byte(utf8Mark)) {
		return data[len(utf8Mark):]
	}
	from, unit := wide(data)
	if from == nil {
		if from, unit = named(name, data), 1; from == nil {
			return data
		}
	}
	whole := data[:len(data)/unit*unit] // a last unit that was cut short, such as a line end
	text, err := from.NewDecoder().Bytes(whole)
	if err != nil { // decoders replace what they cannot read; an error is theirs
		return data
	}
	return text
}

// wide returns the form of Unicode that has more than one byte a character, and the bytes of its
// unit, or nil. The first two characters of JSON are ASCII, so without a mark the zeros show
// (RFC 4627, section 3).
func wide(data []byte) (encoding.Encoding, int) {
	if len(data) < 2 {
		return nil, 0
	}
	var first [4]byte
	copy(first[:], data)
	zero := func(pattern string) bool { // 0 = zero, x = anything else
		for i, p := range []byte(pattern) {
			if i >= len(data) || (data[i] == 0) != (p == '0') {
				return false
			}
		}
		return true
	}
	switch {
	case first == [4]byte{0xff, 0xfe, 0, 0} && len(data) >= 4, zero("x000"):
		return utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), 4
	case first == [4]byte{0, 0, 0xfe, 0xff}, zero("000x"):
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM), 4
	case first[0] == 0xff && first[1] == 0xfe, zero("x0x0"):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), 2
	case first[0] == 0xfe && first[1] == 0xff, zero("0x0x"):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), 2
	}
	return nil, 0
}

// named returns the encoding of a name, nil for UTF-8 and for names that are not known. The forms of
// Unicode that wide recognises are never needed by name: text that it does not take for one is none.
// Text that is called ASCII and goes beyond it is UTF-8 where it can be.
func named(name string, data []byte) encoding.Encoding {
	if name == "" || name == "us-ascii" && utf8.Valid(data) {
		return nil
	}
	found, err := htmlindex.Get(name)
	if err != nil {
		return nil
	}
	switch canonical, _ := htmlindex.Name(found); canonical {
	case "utf-8", "utf-16le", "utf-16be", "replacement": // the last would replace all of the text
		return nil
	}
	return found
}
