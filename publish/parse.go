package publish

import (
	"github.com/ringbridge/ringbridge/schemas"
)

// Kinds of arrivals that are rows, not events: what a list or a single read of
// the API answered.
const (
	kindContent  = "content"
	kindIdentity = "identity"
	kindMessage  = "message"
	// kindAuthor is the bridge's own: an identity that was fetched after a content of its
	// had gone out without it. The arrival's resource is the content.
	kindAuthor = "author"
)

// An authorFinding is the author of a content.
type authorFinding struct {
	contentID string
	identity  schemas.Identity
}

func parseAuthor(a *schemas.Arrival) (finding, error) {
	identity, err := readIdentity(a.Body, a.API, a.Account)
	if err != nil {
		return nil, err
	}
	return &authorFinding{contentID: deref(a.ResourceID), identity: identity}, nil
}

// A finding is what one arrival says: *contentFinding, *messageFinding,
// *activityFinding or *identityFinding.
type finding any

// parse reads an arrival. Every error is a *ParseError: the bytes are at fault.
//
// What came by webhook is an event, whatever its type is called; what was read
// from the API is a row of its kind. A kind without a parser of its own is taken
// for an event and goes out as activity if it has the form of one.
func parse(a *schemas.Arrival) (finding, error) {
	row := a.Origin != schemas.OriginWebhook
	platform := a.API == schemas.ApiSocial || a.API == schemas.ApiSms
	switch {
	case row && a.Kind == kindMessage && a.API == schemas.ApiSms:
		return parseMessageRow(a)
	case row && a.Kind == kindContent && a.API == schemas.ApiSocial:
		return parseSocialRow(a)
	case row && a.Kind == kindContent && a.API == schemas.ApiEngage:
		return parseContentRow(a)
	case row && a.Kind == kindIdentity && a.API != schemas.ApiSms && a.API != schemas.ApiUnknown:
		return parseIdentityRow(a)
	case row && a.Kind == kindAuthor:
		return parseAuthor(a)
	case platform:
		return parseNotification(a)
	default:
		return parseEvent(a)
	}
}
