package publish

import (
	"github.com/ringbridge/ringbridge/schemas"
)

// Kinds of arrivals that are rows, not events: what a list or a single read of
// the API answered.
const (
	kindContent  = "content"
	kindIdentity = "identity"
)

// A finding is what one arrival says: *contentFinding, *activityFinding or
// *identityFinding.
type finding any

// parse reads an arrival. Every error is a *ParseError: the bytes are at fault.
//
// What came by webhook is an event, whatever its type is called; what was read
// from the API is a row of its kind. A kind without a parser of its own is taken
// for an event and goes out as activity if it has the form of one.
func parse(a *schemas.Arrival) (finding, error) {
	row := a.Origin != schemas.OriginWebhook && a.API == schemas.ApiEngage
	switch {
	case row && a.Kind == kindContent:
		return parseContentRow(a)
	case row && a.Kind == kindIdentity:
		return parseIdentityRow(a)
	default:
		return parseEvent(a)
	}
}
