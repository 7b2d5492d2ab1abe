package ringcentral

import (
	"fmt"
	"log/slog"
)

// redacted is what a secret shows of itself, set or not: even its length is nobody's business.
const redacted = "redacted"

// Secret is text that does not print: not by fmt under any verb, not by slog, not as JSON or text. Reveal gives the
// text, and is called where a header is set and nowhere else.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (s Secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return redacted }

// Format implements fmt.Formatter, for every verb: %x and %q would print the text otherwise.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, which encoding/json uses too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
