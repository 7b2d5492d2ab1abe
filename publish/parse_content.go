package publish

import (
	"cmp"
	"slices"
	"strconv"
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
	f.tracked = trackedOf(o, &f.content)
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

// firstSight returns the type of event that a content's first appearance in a
// row stands for: the same as its webhook would have had. A status that does not
// tell is completed by who made the content and how.
func firstSight(c *schemas.Content) string {
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

// trackedOf takes the fingerprints of the fields whose change makes an update.
// What the arrival leaves out or nulls is unknown, not changed.
func trackedOf(o *object, c *schemas.Content) tracked {
	var t tracked
	know := func(f field, known bool, value ...string) {
		if known {
			t[f] = fingerprint(value...)
		}
	}
	flag := func(f field, p *bool) { know(f, p != nil, strconv.FormatBool(deref(p))) }
	text := func(f field, p *string) { know(f, p != nil, deref(p)) }
	know(fieldBody, o.has("body"), c.Body)
	text(fieldStatus, c.Status)
	flag(fieldPrivate, c.Private)
	flag(fieldPublished, c.Published)
	flag(fieldRemotelyDeleted, c.RemotelyDeleted)
	know(fieldCategories, o.has("category_ids"), sorted(c.CategoryIds)...)
	text(fieldIntervention, c.InterventionID)
	text(fieldSynchronization, c.SynchronizationStatus)
	text(fieldSynchronizationError, c.SynchronizationError)
	know(fieldAttachments, o.has("attachments"), sorted(attachmentIDs(c.Attachments))...)
	return t
}

func attachmentIDs(files []schemas.Attachment) []string {
	ids := make([]string, 0, len(files))
	for _, file := range files {
		ids = append(ids, file.ID)
	}
	return ids
}

// sorted returns a sorted copy: the API's arrays are sets.
func sorted(values []string) []string { return slices.Sorted(slices.Values(values)) }

// millis is the resolution of the schemas' timestamps.
func millis(t time.Time) int64 { return t.UnixMilli() }
