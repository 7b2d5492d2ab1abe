package publish

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// An activityFinding is an event without a schema of its own.
type activityFinding struct {
	event      schemas.ActivityEvent // all but the event's id
	occurrence string                // tells two events of one type and resource apart
}

// parseEvent reads one event of an Engage webhook request:
// {type, id, issued_at, user_id, resource: {type, id, metadata}}.
func parseEvent(a *schemas.Arrival) (finding, error) {
	o := readObject(a.Body, a.API)
	resource := o.child("resource")
	eventType, resourceID := o.id("type"), resource.id("id")
	issued, occurrence := o.instant("issued_at"), o.id("id")
	user, resourceType := o.id("user_id"), resource.text("type")
	if err := o.fault(); err != nil {
		return nil, err
	}
	if eventType == nil {
		return nil, &ParseError{Field: "type", Want: "the event's type"}
	}
	if resourceID == nil {
		return nil, &ParseError{Field: "resource.id", Want: "the resource's id"}
	}
	at := a.ReceivedAt
	if issued != nil {
		at = *issued
	}
	if occurrence == nil {
		occurrence = new(bodyDigest(a.Body))
	}
	if a.API == schemas.ApiEngage && isContentType(*eventType) {
		return parseContentEvent(a, resource, contentFinding{eventType: *eventType, occurrence: *occurrence, at: at, occurredAt: at})
	}
	return &activityFinding{occurrence: *occurrence, event: schemas.ActivityEvent{
		EventType: *eventType, OccurredAt: at, ReceivedAt: a.ReceivedAt, Account: a.Account,
		ResourceType: resourceType, ResourceID: resourceID, UserID: user, Data: validText(a.Body),
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

// parseContentEvent completes f with the content that the event carries in its
// metadata.
func parseContentEvent(a *schemas.Arrival, resource *object, f contentFinding) (finding, error) {
	meta := resource.child("metadata")
	f.content = readContent(meta)
	f.content.ID = deref(resource.id("id"))
	f.content.Private = meta.flag("private") // a row calls it private_message
	f.content.Title = meta.text("thread_title")
	if f.content.Title == nil {
		f.content.Title = meta.text("title")
	}
	f.hasAttachment = deref(meta.flag("has_attachment"))
	// resource.type is the channel and the kind of content, or the kind alone.
	channel, kind, both := strings.Cut(deref(resource.text("type")), "/")
	if !both {
		channel, kind = "", channel
	}
	derived := map[string]bool{}
	if f.content.SourceType == nil && channel != "" {
		f.content.SourceType = &channel
		derived["source_type"] = true
	}
	if f.content.Type == nil && kind != "" {
		f.content.Type = &kind
		derived["type"] = true
	}
	f.told, f.derived = toldOf(meta, "private", "thread_title"), derived
	f.raw = validText(a.Body)
	return &f, resource.fault()
}

// A contentFinding is what an arrival says about a content.
type contentFinding struct {
	eventType  string // the webhook's type; "" = a row, which tells a state and no event
	occurrence string // of a webhook: tells events of one type apart

	at         time.Time // of the state: which of two arrivals is older
	occurredAt time.Time // of the event; of a row, of its first sight

	content       schemas.Content
	complete      bool            // a row: every field is told
	told          map[string]bool // of a webhook: names of the fields that it shows
	derived       map[string]bool // names of fields that follow from others
	changed       *time.Time      // when it changed, as told
	hasAttachment bool            // the webhook says that there are files, without naming them
	raw           string          // as received
}

// rawText is the arrival as received.
func (f *contentFinding) rawText() *string {
	if f.raw == "" {
		return nil
	}
	return &f.raw
}

func toldOf(o *object, private, title string) map[string]bool {
	told := map[string]bool{}
	for _, f := range contentFields {
		name := f.name
		switch name {
		case "private":
			name = private
		case "title":
			name = title
		case "body_format":
			name = "body_input_format"
		}
		if o.has(name) {
			told[f.name] = true
		}
	}
	if o.has("title") {
		told["title"] = true
	}
	return told
}
