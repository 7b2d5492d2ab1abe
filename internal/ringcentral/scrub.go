package ringcentral

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxCode and maxMessage bound, in bytes, what an error keeps of the API's words: enough to act on, and room for both in a header.
	maxCode    = 100
	maxMessage = 300
	// minQuote is the shortest run of bytes that counts as a quotation of the customer's text. Shorter ones occur in any two sentences.
	minQuote = 12
	// minPrivate is the shortest text worth hiding: taking every "ok" out of an explanation would only make it unreadable.
	minPrivate = 4
)

// scrubber takes out of a text what must not be logged: the credentials, and the words a call was to send, which APIs
// like to repeat in their complaints.
type scrubber struct {
	secrets []string
	texts   []string
}

// clean returns s on one line, without secrets and quotations, no longer than limit bytes.
func (s scrubber) clean(text string, limit int) string {
	// They go first and from the whole text: a cut in the middle of one would leave a half that no longer matches.
	for _, secret := range s.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	text = cut(text, 4*limit)
	for _, private := range s.texts {
		text = unquote(text, private)
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	return cut(strings.TrimSpace(text), limit)
}

// unquote replaces what text repeats of private by an ellipsis in brackets: every run of minQuote bytes or more, and of a
// shorter private text the whole.
func unquote(text, private string) string {
	if len(private) < minPrivate {
		return text
	}
	run := min(minQuote, len(private))
	var b strings.Builder
	for len(text) >= run {
		if !strings.Contains(private, text[:run]) {
			b.WriteByte(text[0])
			text = text[1:]
			continue
		}
		n := run
		for n < len(text) && strings.Contains(private, text[:n+1]) {
			n++
		}
		b.WriteString("[…]")
		text = text[n:]
	}
	return b.String() + text
}

// cut returns at most limit bytes of s, whole characters only.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// scrubbedError shows a cleaned text of an error and unwraps to the error itself.
type scrubbedError struct {
	text string
	err  error
}

func (e scrubbedError) Error() string { return e.text }

func (e scrubbedError) Unwrap() error { return e.err }
