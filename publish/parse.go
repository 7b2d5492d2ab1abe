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
// What came by webhook is an event, whatever its type is called; what was read from the API is a row
// of its kind. A row of a kind without a parser of its own goes out as activity: as an event if it
// has the form of one, else by its id. Only what has no id, an event without a type and what is no
// JSON object at all is refused.
func parse(a *schemas.Arrival) (finding, error) {
	row := a.Origin != schemas.OriginWebhook
	switch {
	case row && a.Kind == kindMessage && a.API == schemas.ApiSms:
		return parseMessageRow(a)
	case row && a.Kind == kindContent && (a.API == schemas.ApiSocial || a.API == schemas.ApiEngage):
		return parseContentRow(a)
	case row && a.Kind == kindIdentity && (a.API == schemas.ApiSocial || a.API == schemas.ApiEngage):
		return parseIdentityRow(a)
	case row && a.Kind == kindAuthor:
		return parseAuthor(a)
	}
	o := readObject(a.Body, a.API)
	if err := o.fault(); err != nil {
		return nil, err
	}
	o.adopt("type", "event", "resource", "id", "uuid", "body")
	notification := a.API == schemas.ApiSocial || a.API == schemas.ApiSms || a.API == schemas.ApiUnknown && !o.has("type") && o.has("event")
	form := o.has("type") && o.has("resource")
	if notification {
		form = o.has("event")
	}
	switch {
	case row && !form:
		return parseOtherRow(a, o, a.Kind)
	case notification:
		return parseNotification(a, o)
	}
	return parseEvent(a, o)
}

// oddOf returns the class of a finding, and the fields of its arrival whose values no reading fits.
func oddOf(f finding) (class string, fields []string) {
	switch f := f.(type) {
	case *contentFinding:
		return classContent, f.odd.list()
	case *messageFinding:
		return classMessage, f.odd.list()
	case *identityFinding:
		return classIdentity, f.odd.list()
	case *activityFinding:
		return classActivity, f.odd.list()
	}
	return "", nil
}
