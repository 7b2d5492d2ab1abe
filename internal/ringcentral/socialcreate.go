package ringcentral

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// CreateContent creates a content and returns it as received. There is no idempotency key: after an Unknown outcome, look for the content
// before sending it again.
//
// What the API has no parameter for is refused with ErrInvalid rather than left out: a structured message without its structure, or
// tags shown as text, would be another message than the one that was asked for. Whether a body is too long depends on the channel, which
// only the caller may know: see BodyLimit.
func (p *Platform) CreateContent(ctx context.Context, content CreateContent) (json.RawMessage, error) {
	body, err := p.names.create(content)
	if err != nil {
		return nil, &Error{Op: opCreateContent, Outcome: NotSent, Err: err}
	}
	var created json.RawMessage
	err = p.social(ctx, call{
		op: opCreateContent, method: http.MethodPost, path: contentsPath, body: body, contentType: "application/json", priority: Reply,
		texts: append(content.private(), content.context()...), read: readResource(&created),
	})
	return created, err
}

// create encodes content in the words of the generation.
func (n names) create(c CreateContent) ([]byte, error) {
	switch {
	case c.structured():
		return nil, fmt.Errorf("%w: the API takes no structured content", ErrInvalid)
	case strings.EqualFold(c.BodyFormat, "html"):
		return nil, fmt.Errorf("%w: the API takes no HTML", ErrInvalid)
	}
	object := map[string]any{}
	for name, value := range map[string]*string{
		"inReplyToContentId": c.InReplyToID, n.channelID: c.SourceID, "authorIdentityId": c.AuthorID, "title": c.Title,
		"templateName": c.TemplateName, "templateLanguage": c.TemplateLanguage, "body": &c.Body,
	} {
		if value != nil && *value != "" {
			object[name] = *value
		}
	}
	for name, values := range map[string][]string{"to": c.To, "cc": c.Cc, "bcc": c.Bcc, "attachmentIds": c.AttachmentIDs} {
		if len(values) > 0 {
			object[name] = values
		}
	}
	if c.Private != nil {
		object["public"] = !*c.Private
	}
	if c.AutoSubmitted != nil {
		object["autoSubmitted"] = *c.AutoSubmitted
	}
	if len(c.ContextData) > 0 {
		object["contextData"] = jsonValues(c.ContextData)
	}
	if len(bytes.TrimSpace(c.Components)) > 0 {
		object["components"] = c.Components
	}
	body, err := json.Marshal(object)
	if err != nil {
		// The error would quote the content.
		return nil, fmt.Errorf("%w: components are not JSON", ErrInvalid)
	}
	return body, nil
}

// jsonValues takes each text as the JSON that it is, and what is none as a string.
func jsonValues(texts map[string]string) map[string]json.RawMessage {
	values := make(map[string]json.RawMessage, len(texts))
	for name, value := range texts {
		raw := json.RawMessage(value)
		if !json.Valid(raw) {
			raw, _ = json.Marshal(value) // a string always can be
		}
		values[name] = raw
	}
	return values
}

// context lists the values of the custom fields, which may be about the customer.
func (c CreateContent) context() []string {
	texts := []string{string(c.Components)}
	for _, value := range c.ContextData {
		texts = append(texts, value)
	}
	return texts
}
