package publish

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// A contentFinding is what an arrival says about a content.
type contentFinding struct {
	eventType  string // the webhook's type; "" = a row, which shows a state and no event
	occurrence string // of a webhook: distinguishes events of one type

	at         time.Time  // of an update that a row makes
	occurredAt time.Time  // of the event; of a row, of its first sight
	changed    *time.Time // the state's own time, as read; nil = it has none

	content       schemas.Content
	complete      bool            // a row or a single read: what it lacks is empty
	told          map[string]bool // of a webhook: the fields of the content that it shows
	derived       map[string]bool // of a webhook: those that follow from something else
	hasAttachment bool            // the webhook says that there are files, without naming them
	raw           string          // as received
	odd           *oddFields
}

// parseContentRow reads a content as the API's lists show it.
func parseContentRow(a *schemas.Arrival) (finding, error) {
	f, err := parseContentBody(a.Body, a.API, a.ReceivedAt)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// parseContentBody reads a content as the API's lists and single reads show it: all of its state at
// once. received is when it was read. The error is a *ParseError.
func parseContentBody(body []byte, api schemas.Api, received time.Time) (*contentFinding, error) {
	o := readObject(body, api)
	if err := o.fault(); err != nil {
		return nil, err
	}
	o.adopt("id")
	f := &contentFinding{content: readContent(o), complete: true, raw: validText(body), odd: o.odd}
	f.content.ID = deref(o.id("id"))
	if f.content.ID == "" {
		return nil, &ParseError{Field: "id", Want: "the content's id"}
	}
	f.changed = f.content.UpdatedAt
	f.at = *cmp.Or(f.content.UpdatedAt, f.content.CreatedAt, &received)
	f.occurredAt = *cmp.Or(f.content.CreatedAt, f.content.UpdatedAt, &received)
	return f, nil
}

// readContent reads a content of any API, all but its id.
func readContent(o *object) schemas.Content {
	c := schemas.Content{
		SourceID: o.id("source_id"), SourceType: o.text("source_type"), ThreadID: o.id("thread_id"), InterventionID: o.id("intervention_id"),
		InReplyToID: o.id("in_reply_to_id"), InReplyToAuthorID: o.id("in_reply_to_author_id"), AuthorID: o.id("author_id"), CreatorID: o.id("creator_id"),
		Status: statusOf(o), Type: o.text("type"), Language: o.text("language"), Title: firstOf(o.text("thread_title"), o.text("title")),
		Body: deref(o.text("body")), BodyFormat: schemas.BodyFormatText,
		Private: privateOf(o), Published: o.flag("published"), RemotelyDeleted: o.flag("remotely_deleted"), Attachments: o.files("attachments"),
		CategoryIds: o.list("category_ids"), ForeignID: o.id("foreign_id"), ForeignCategories: o.list("foreign_categories"),
		CreatedFrom: o.text("created_from"), CreatedAt: o.instant("created_at"), UpdatedAt: o.instant("updated_at"),
		SynchronizationStatus: o.text("synchronization_status"), SynchronizationError: o.text("synchronization_error"),
		ContextData: o.texts("context_data"), Rating: o.small("rating"), RatingReason: o.text("rating_reason"),
	}
	if strings.EqualFold(deref(o.text("body_input_format")), "html") {
		c.BodyFormat = schemas.BodyFormatHtml
	}
	c.Direction = directionOf(deref(c.Status))
	return c
}

// statusOf returns the status as Engage writes it: the platform's UserReply is user_reply.
func statusOf(o *object) *string {
	status := o.text("status")
	if status != nil && o.names != nil {
		return new(lowerSnake(*status))
	}
	return status
}

// privateOf returns whether the content is hidden: Engage's webhooks call it private, its rows
// private_message, and the platform says the opposite.
func privateOf(o *object) *bool {
	private := cmp.Or(o.flag("private"), o.flag("private_message"))
	if public := o.flag("public"); private == nil && public != nil {
		return new(!*public)
	}
	return private
}

// contentMembers returns the members of an event's JSON that show each field of Content, by the
// field's name in the schema. Other names than these are equal in both.
func contentMembers(field string) []string {
	switch field {
	case "private":
		return []string{"private", "private_message", "public"}
	case "title":
		return []string{"thread_title", "title"}
	case "body_format":
		return []string{"body_input_format"}
	case "direction":
		return []string{"status"}
	}
	return []string{field}
}

// toldOfContent returns the fields of Content that an event shows. The id is one of them: without it
// there is no finding.
func toldOfContent(o *object) map[string]bool {
	out := map[string]bool{"id": true}
	for _, field := range contentFieldNames() {
		if slices.ContainsFunc(contentMembers(field), o.shows) {
			out[field] = true
		}
	}
	return out
}

// contentFieldNames returns the names of the fields of Content, but for the id.
func contentFieldNames() []string {
	return []string{
		"source_id", "source_type", "thread_id", "intervention_id", "in_reply_to_id", "in_reply_to_author_id", "author_id", "creator_id",
		"direction", "status", "type", "language", "title", "body", "body_format", "private", "published", "remotely_deleted", "attachments",
		"category_ids", "foreign_id", "foreign_categories", "created_from", "created_at", "updated_at", "synchronization_status",
		"synchronization_error", "context_data", "rating", "rating_reason",
	}
}

// directionOf derives who wrote a content: the API has no field for it.
func directionOf(status string) schemas.Direction {
	switch status {
	case "new", "assigned", "replied", "ignored", "forwarded":
		return schemas.DirectionInbound
	case "user_reply", "user_initiated", "pending_approval", "pending":
		return schemas.DirectionOutbound
	}
	return schemas.DirectionUnknown
}

// creationEvent returns the type of event that a content's first appearance in a
// row stands for: the same as its webhook would have had. A status that does not
// tell is completed by who made the content and how.
func creationEvent(c *schemas.Content) string {
	switch deref(c.Status) {
	case "new", "assigned", "replied", "ignored", "forwarded":
		return typeImported
	case "user_reply":
		return typeReplied
	case "user_initiated":
		return typeInitiated
	}
	from := deref(c.CreatedFrom)
	madeHere := c.CreatorID != nil && (strings.EqualFold(from, "interface") || strings.EqualFold(from, "api"))
	switch {
	case madeHere && c.InReplyToID != nil:
		return typeReplied
	case madeHere:
		return typeInitiated
	}
	return typeImported
}

// millis is the resolution of the schemas' timestamps.
func millis(t time.Time) int64 { return t.UnixMilli() }
