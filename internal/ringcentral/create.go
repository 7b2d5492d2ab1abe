package ringcentral

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// CreateContent is what to create: a reply if InReplyToID is set, else a new discussion. Nil and empty fields are not sent.
type CreateContent struct {
	Body string
	// BodyFormat is text or html in any case. Only html is sent: text is the API's default, and sources without rich text know no format.
	BodyFormat string

	InReplyToID *string // mandatory where the source can't initiate
	SourceID    *string // mandatory without InReplyToID
	AuthorID    *string // the identity to speak as; default: the token user's first on the source
	Private     *bool
	Title       *string // e-mail

	// To has two forms in the API: the single string "to" for a phone number or an identity's foreign id, and the list "to[]" for e-mail.
	// One entry without an @ goes as the string, everything else as the list.
	To, Cc, Bcc []string

	AttachmentIDs    []string
	TemplateName     *string // WhatsApp
	TemplateLanguage *string

	// StructuredContent is a structured message, a JSON object; the body may be empty then.
	StructuredContent json.RawMessage
	// ContextData are custom fields, name to JSON text. Engage has no such parameter and is not sent it.
	ContextData map[string]string
	// Components fill a WhatsApp template, a JSON array. Engage is not sent it either.
	Components json.RawMessage
	// AutoSubmitted marks an automatic message: it reopens nothing and counts in no statistics.
	AutoSubmitted *bool
}

// CreateContent creates a content and returns it as received. The API has no idempotency key: after an Unknown outcome, look for the content
// before sending it again. The answer means "accepted"; what becomes of it on the source is told later by its synchronization_status.
//
// It is sent as a form, and as JSON where the API demands it, for structured content: never in the address, which is where logs
// on the way would show a customer's text.
func (e *Engage) CreateContent(ctx context.Context, content CreateContent) (json.RawMessage, error) {
	body, contentType := content.form(), "application/x-www-form-urlencoded"
	if content.structured() {
		var err error
		if body, err = content.json(); err != nil {
			return nil, &Error{Op: opCreateContent, Outcome: NotSent, Err: err}
		}
		contentType = "application/json"
	}
	var created json.RawMessage
	err := e.c.do(ctx, call{
		op: opCreateContent, method: http.MethodPost, path: contentsPath, body: body, contentType: contentType, priority: Reply,
		texts: content.private(), read: readResource(&created),
	})
	return created, err
}

func (c CreateContent) structured() bool {
	s := bytes.TrimSpace(c.StructuredContent)
	return len(s) > 0 && string(s) != "null"
}

// parameters are those that have one value, in the API's names.
func (c CreateContent) parameters() map[string]string {
	p := map[string]string{"body": c.Body}
	if strings.EqualFold(c.BodyFormat, "html") {
		p["body_format"] = "html"
	}
	for name, value := range map[string]*string{
		"in_reply_to_id": c.InReplyToID, "source_id": c.SourceID, "author_id": c.AuthorID, "title": c.Title,
		"template_name": c.TemplateName, "template_language": c.TemplateLanguage,
	} {
		if value != nil && *value != "" {
			p[name] = *value
		}
	}
	if c.singleTo() {
		p["to"] = c.To[0]
	}
	return p
}

// singleTo reports whether To is the string of a phone or channel, and not a list of e-mail addresses.
func (c CreateContent) singleTo() bool { return len(c.To) == 1 && !strings.Contains(c.To[0], "@") }

func (c CreateContent) flags() map[string]bool {
	flags := map[string]bool{}
	for name, value := range map[string]*bool{"private": c.Private, "auto_submitted": c.AutoSubmitted} {
		if value != nil {
			flags[name] = *value
		}
	}
	return flags
}

func (c CreateContent) lists() map[string][]string {
	lists := map[string][]string{}
	for name, values := range map[string][]string{"to": c.To, "cc": c.Cc, "bcc": c.Bcc, "attachment_ids": c.AttachmentIDs} {
		if len(values) > 0 {
			lists[name] = values
		}
	}
	if c.singleTo() {
		delete(lists, "to")
	}
	return lists
}

func (c CreateContent) form() []byte {
	form := url.Values{}
	for name, value := range c.parameters() {
		form.Set(name, value)
	}
	for name, value := range c.flags() {
		form.Set(name, strconv.FormatBool(value))
	}
	for name, values := range c.lists() {
		form[name+"[]"] = values
	}
	return []byte(form.Encode())
}

func (c CreateContent) json() ([]byte, error) {
	object := map[string]any{"structured_content": c.StructuredContent}
	for name, value := range c.parameters() {
		if name != "body" || value != "" {
			object[name] = value
		}
	}
	for name, value := range c.flags() {
		object[name] = value
	}
	for name, values := range c.lists() {
		object[name] = values
	}
	body, err := json.Marshal(object)
	if err != nil {
		// The error would quote the content.
		return nil, fmt.Errorf("%w: structured content is not JSON", ErrInvalid)
	}
	return body, nil
}

// private lists what the content says and to whom.
func (c CreateContent) private() []string {
	texts := append([]string{c.Body, string(c.StructuredContent)}, c.To...)
	if c.Title != nil {
		texts = append(texts, *c.Title)
	}
	return append(append(texts, c.Cc...), c.Bcc...)
}
