package publish

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/ringbridge/ringbridge/schemas"
)

// An activityFinding is an event without a schema of its own.
type activityFinding struct {
	event      schemas.ActivityEvent // all but the event's id
	occurrence string                // tells two events of one type and resource apart
	odd        *oddFields
}

// parseEvent reads one event of an Engage webhook request:
// {type, id, issued_at, user_id, resource: {type, id, metadata}}. An event that
// is about no content and names no resource goes by its own id.
func parseEvent(a *schemas.Arrival, o *object) (finding, error) {
	resource := o.child("resource")
	resource.adopt("id", "metadata")
	eventType, eventID := o.id("type"), o.id("id")
	if eventType == nil {
		return nil, &ParseError{Field: "type", Want: "the event's type"}
	}
	at := *cmp.Or(o.instant("issued_at"), &a.ReceivedAt)
	occurrence := *cmp.Or(eventID, new(bodyDigest(a.Body)))
	if a.API == schemas.ApiEngage && isContentType(*eventType) {
		return parseContentEvent(a, resource, contentFinding{eventType: *eventType, occurrence: occurrence, at: at, occurredAt: at})
	}
	resourceID := cmp.Or(resource.id("id"), eventID)
	if resourceID == nil {
		return nil, &ParseError{Field: "resource.id", Want: "the resource's id"}
	}
	return &activityFinding{occurrence: occurrence, odd: o.odd, event: schemas.ActivityEvent{
		EventType: *eventType, OccurredAt: at, ReceivedAt: a.ReceivedAt, Account: a.Account,
		ResourceType: resource.text("type"), ResourceID: resourceID, UserID: o.id("user_id"), Data: validText(a.Body),
	}}, nil
}

// bodyDigest tells apart what has no id of its own.
func bodyDigest(body []byte) string {
	digest := sha256.Sum256(body)
	return hex.EncodeToString(digest[:])
}

// Types of content events that the rules of contents name.
const (
	typeImported  = "content.imported"
	typeReplied   = "content.replied"
	typeInitiated = "content.discussion_initiated"
	typeApproved  = "content.approved"
	typeExported  = "content.exported"
	typeUpdated   = "content.updated" // ours: no webhook has it
)

// isContentType tells whether a webhook's event is about a content in the form
// of contents. Types that are not known yet go to activity, even when their name
// says content: their metadata may have another form. Among them is
// content.updated, should the API ever send it: its event ids are ours.
func isContentType(eventType string) bool {
	switch eventType {
	case typeImported, typeReplied, typeInitiated, typeApproved, typeExported,
		"content.update_exported", "content.thread_auto_closed", "content.thread_closed", "content.thread_opened":
		return true
	}
	return false
}

// parseContentEvent completes f with the content that the event carries in its metadata. An event
// about a content that does not name it is none.
func parseContentEvent(a *schemas.Arrival, resource *object, f contentFinding) (finding, error) {
	meta := resource.child("metadata")
	f.content = readContent(meta)
	f.content.ID = deref(cmp.Or(resource.id("id"), meta.id("id")))
	if f.content.ID == "" {
		return nil, &ParseError{Field: "resource.id", Want: "the content's id"}
	}
	f.hasAttachment = deref(meta.flag("has_attachment"))
	f.told, f.derived = toldOfContent(meta), map[string]bool{}
	// resource.type is the channel and the kind of content, or the kind alone.
	channel, kind, both := strings.Cut(deref(resource.text("type")), "/")
	if !both {
		channel, kind = "", channel
	}
	if f.content.SourceType == nil && channel != "" {
		f.content.SourceType, f.derived["source_type"] = &channel, true
	}
	if f.content.Type == nil && kind != "" {
		f.content.Type, f.derived["type"] = &kind, true
	}
	f.changed = f.content.UpdatedAt
	f.raw, f.odd = validText(a.Body), resource.odd
	return &f, nil
}
