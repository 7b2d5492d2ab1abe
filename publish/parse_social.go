package publish

import (
	"strings"
	"unicode"

	"github.com/ringbridge/ringbridge/schemas"
)

// lowerSnake writes a name as Engage does: UserReply is user_reply.
func lowerSnake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// parseSocialEvent reads the notification of a content event:
// body {issuedAt, resource}. The resource is poor: it has neither times nor
// files, and not always a body. A row completes it by content.updated.
func parseSocialEvent(a *schemas.Arrival, n *notification, eventType string) (finding, error) {
	body := n.envelope.child("body")
	body.adopt("resource")
	resource := body.child("resource")
	resource.adopt("id")
	issued := n.at
	if at := body.instant("issuedAt"); at != nil {
		issued = *at
	}
	f := contentFinding{
		eventType: eventType, occurrence: n.occurrence, at: issued, occurredAt: issued,
		content: readContent(resource), raw: validText(a.Body), odd: n.envelope.odd,
	}
	f.content.ID = deref(resource.id("id"))
	if f.content.ID == "" {
		return nil, &ParseError{Field: "body.resource.id", Want: "the content's id"}
	}
	f.changed = f.content.UpdatedAt
	f.told = toldOfContent(resource)
	return &f, nil
}
