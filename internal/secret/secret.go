// Package secret keeps credentials out of logs, errors and pages.
package secret

import (
	"fmt"
	"log/slog"
)

// redacted is what a secret shows instead of itself.
const redacted = "redacted"

// String is a credential. However it is printed, logged or encoded, it shows
// "redacted"; only Reveal gives the value, so that each use can be found.
type String string

// Reveal returns the credential itself.
func (s String) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (s String) String() string { return redacted }

// Format implements fmt.Formatter, for every verb.
func (s String) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue implements slog.LogValuer.
func (s String) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, and with it JSON.
func (s String) MarshalText() ([]byte, error) { return []byte(redacted), nil }
