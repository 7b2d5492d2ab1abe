package publish

import (
	"strings"
	"unicode"

	"github.com/ringbridge/ringbridge/schemas"
)

// parseSocialRow reads a content as Social and Advanced Messaging show it.
func parseSocialRow(a *schemas.Arrival) (finding, error) {
	o := readObject(a.Body, a.API)
	return contentRow(a, o, readSocial(o))
}

// readSocial reads a content, or the poor one of a notification.
func readSocial(o *object) schemas.Content {
	c := readContent(o)
	if c.Status != nil {
		c.Status = new(lowerSnake(*c.Status))
	}
	c.Direction = directionOf(deref(c.Status))
	if public := o.flag("public"); public != nil {
		c.Private = new(!*public)
	}
	return c
}

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
	resource := body.child("resource")
	issued := n.at
	if at := body.instant("issuedAt"); at != nil {
		issued = *at
	}
	f := contentFinding{
		eventType: eventType, occurrence: n.occurrence, at: issued, occurredAt: issued,
		content: readSocial(resource), raw: validText(a.Body),
	}
	f.content.ID = deref(resource.id("id"))
	f.content.Title = resource.text("title")
	f.told = toldOf(resource, "public", "title")
	if err := n.envelope.fault(); err != nil {
		return nil, err
	}
	if f.content.ID == "" {
		return nil, &ParseError{Field: "body.resource.id", Want: "the content's id"}
	}
	return &f, nil
}
