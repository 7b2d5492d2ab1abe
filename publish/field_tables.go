package publish

import (
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// contentFields are the fields of a Content, but for its id and what is derived from others (its
// direction). Their numbers are stored: append, never reorder.
//
//nolint:gochecknoglobals // a table
var contentFields = func() []field[schemas.Content] {
	type c = schemas.Content
	return []field[c]{
		textField("source_id", func(v *c) **string { return &v.SourceID }),
		textField("source_type", func(v *c) **string { return &v.SourceType }),
		textField("thread_id", func(v *c) **string { return &v.ThreadID }),
		textField("intervention_id", func(v *c) **string { return &v.InterventionID }),
		textField("in_reply_to_id", func(v *c) **string { return &v.InReplyToID }),
		textField("in_reply_to_author_id", func(v *c) **string { return &v.InReplyToAuthorID }),
		textField("author_id", func(v *c) **string { return &v.AuthorID }),
		textField("creator_id", func(v *c) **string { return &v.CreatorID }),
		textField("status", func(v *c) **string { return &v.Status }),
		textField("type", func(v *c) **string { return &v.Type }),
		textField("language", func(v *c) **string { return &v.Language }),
		textField("title", func(v *c) **string { return &v.Title }),
		plainField("body", "", func(v *c) *string { return &v.Body }),
		plainField("body_format", schemas.BodyFormatText, func(v *c) *schemas.BodyFormat { return &v.BodyFormat }),
		flagField("private", func(v *c) **bool { return &v.Private }),
		flagField("published", func(v *c) **bool { return &v.Published }),
		flagField("remotely_deleted", func(v *c) **bool { return &v.RemotelyDeleted }),
		listField("attachments", func(v *c) *[]schemas.Attachment { return &v.Attachments }),
		listField("category_ids", func(v *c) *[]string { return &v.CategoryIds }),
		textField("foreign_id", func(v *c) **string { return &v.ForeignID }),
		listField("foreign_categories", func(v *c) *[]string { return &v.ForeignCategories }),
		textField("created_from", func(v *c) **string { return &v.CreatedFrom }),
		timeField("created_at", func(v *c) **time.Time { return &v.CreatedAt }),
		timeField("updated_at", func(v *c) **time.Time { return &v.UpdatedAt }),
		textField("synchronization_status", func(v *c) **string { return &v.SynchronizationStatus }),
		textField("synchronization_error", func(v *c) **string { return &v.SynchronizationError }),
		mapField("context_data", func(v *c) *map[string]string { return &v.ContextData }),
		integerField("rating", func(v *c) **int { return &v.Rating }),
		textField("rating_reason", func(v *c) **string { return &v.RatingReason }),
	}
}()

// messageFields are the fields of a Message, but for its id. Their numbers are stored: append, never
// reorder.
//
//nolint:gochecknoglobals // a table
var messageFields = func() []field[schemas.Message] {
	type m = schemas.Message
	return []field[m]{
		textField("conversation_id", func(v *m) **string { return &v.ConversationID }),
		textField("extension_id", func(v *m) **string { return &v.ExtensionID }),
		plainField("direction", schemas.DirectionUnknown, func(v *m) *schemas.Direction { return &v.Direction }),
		textField("type", func(v *m) **string { return &v.Type }),
		recordField("from", func(v *m) **schemas.Sender { return &v.From }),
		listField("to", func(v *m) *[]schemas.Recipient { return &v.To }),
		plainField("text", "", func(v *m) *string { return &v.Text }),
		textField("status", func(v *m) **string { return &v.Status }),
		textField("availability", func(v *m) **string { return &v.Availability }),
		textField("read_status", func(v *m) **string { return &v.ReadStatus }),
		listField("attachments", func(v *m) *[]schemas.Attachment { return &v.Attachments }),
		textField("delivery_error_code", func(v *m) **string { return &v.DeliveryErrorCode }),
		timeField("created_at", func(v *m) **time.Time { return &v.CreatedAt }),
		timeField("updated_at", func(v *m) **time.Time { return &v.UpdatedAt }),
		integerField("segment_count", func(v *m) **int { return &v.SegmentCount }),
		timeField("delivered_at", func(v *m) **time.Time { return &v.DeliveredAt }),
		textField("owner_extension_id", func(v *m) **string { return &v.OwnerExtensionID }),
		textField("owner_name", func(v *m) **string { return &v.OwnerName }),
	}
}()

// authorField is the number of a content's author_id.
//
//nolint:gochecknoglobals // of the table
var authorField = numbersOf(contentFields, "author_id")[0]
