package publish

import (
	"cmp"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// parseContentRow reads a content as the API's lists and reads show it.
func parseContentRow(a *schemas.Arrival) (finding, error) {
	o := readObject(a.Body, a.API)
	c := readContent(o)
	c.Private = o.flag("private_message")
	return contentRow(a, o, c)
}

// contentRow completes what a row says about its content.
func contentRow(a *schemas.Arrival, o *object, c schemas.Content) (finding, error) {
	f := contentFinding{content: c, raw: validText(a.Body)}
	f.content.ID = deref(o.id("id"))
	f.content.Title = o.text("title")
	f.complete, f.changed = true, f.content.UpdatedAt
	if err := o.fault(); err != nil {
		return nil, err
	}
	if f.content.ID == "" {
		return nil, &ParseError{Field: "id", Want: "the content's id"}
	}
	f.at = *cmp.Or(f.content.UpdatedAt, f.content.CreatedAt, &a.ReceivedAt)
	f.occurredAt = *cmp.Or(f.content.CreatedAt, f.content.UpdatedAt, &a.ReceivedAt)
	return &f, nil
}

// readContent reads the fields that webhooks and rows name alike.
func readContent(o *object) schemas.Content {
	c := schemas.Content{
		SourceID: o.id("source_id"), SourceType: o.text("source_type"), ThreadID: o.id("thread_id"), InterventionID: o.id("intervention_id"),
		InReplyToID: o.id("in_reply_to_id"), InReplyToAuthorID: o.id("in_reply_to_author_id"), AuthorID: o.id("author_id"), CreatorID: o.id("creator_id"),
		Status: o.text("status"), Type: o.text("type"), Language: o.text("language"),
		Body: deref(o.text("body")), BodyFormat: schemas.BodyFormatText,
		Published: o.flag("published"), RemotelyDeleted: o.flag("remotely_deleted"), Attachments: o.files("attachments"),
		CategoryIds: o.list("category_ids"), ForeignID: o.id("foreign_id"), ForeignCategories: o.list("foreign_categories"),
		CreatedFrom: o.text("created_from"), CreatedAt: o.instant("created_at"), UpdatedAt: o.instant("updated_at"),
		SynchronizationStatus: o.text("synchronization_status"), SynchronizationError: o.text("synchronization_error"),
		ContextData: o.texts("context_data"),
	}
	if strings.EqualFold(deref(o.text("body_input_format")), "html") {
		c.BodyFormat = schemas.BodyFormatHtml
	}
	c.Direction = directionOf(deref(c.Status))
	return c
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
