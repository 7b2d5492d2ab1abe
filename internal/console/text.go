package console

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// text returns what a key or a header holds, for people: any bytes may be in it.
func text(data string) string {
	if utf8.ValidString(data) && !strings.ContainsFunc(data, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
		return data
	}
	return strconv.QuoteToASCII(data)
}

// indented returns JSON as it is read best; a text is shown as it is.
func indented(value any) string {
	if s, ok := value.(string); ok {
		return text(s)
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return "cannot be shown: " + err.Error()
	}
	return strings.TrimRight(b.String(), "\n")
}
