package consume

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	// clockSkew is how far the API's clock may be behind ours: a content is an
	// effect of a call even if it seems this much older. A clock that is further
	// ahead than this is told by the broker, which takes no record from it.
	clockSkew = time.Hour
	// lookPages bounds one look: more than so many pages since the call in one
	// conversation, and the look cannot tell.
	lookPages = 10
)

// reachesBack tells whether a look whose pages are used up has seen all that can be the effect of calls since then, as that is told
// by the API's own clock: only where that is not known might it be among what is older, up to clockSkew.
func reachesBack(oldest, since time.Time) bool {
	return !oldest.IsZero() && oldest.Before(since.Add(-closeClock))
}

func (a apis) createContentOf(c *schemas.CreateContent) (action, error) {
	structured := text(c.StructuredContent)
	switch {
	case text(c.InReplyToID) == "" && text(c.SourceID) == "":
		return nil, errors.New("in_reply_to_id (to answer) or source_id (to start a discussion) is needed")
	case c.Body == "" && structured == "" && text(c.TemplateName) == "":
		return nil, errors.New("body is empty, and there is neither structured_content nor a template")
	case structured != "" && !isObject(structured):
		return nil, errors.New("structured_content is not a JSON object")
	}
	create := createContent{contentOf(c)}
	switch c.API {
	case schemas.ContentApiEngage:
		return engageContent{create, a.engage}, nil
	case schemas.ContentApiSocial:
		return create.social(a.social)
	case schemas.ContentApiUnknown:
	}
	return nil, fmt.Errorf("api %s is not supported by this version: want ENGAGE or SOCIAL", c.API)
}

func contentOf(c *schemas.CreateContent) ringcentral.CreateContent {
	content := ringcentral.CreateContent{
		Body: c.Body, BodyFormat: strings.ToLower(string(c.BodyFormat)), InReplyToID: c.InReplyToID, SourceID: c.SourceID,
		AuthorID: c.AuthorID, Private: c.Private, Title: c.Title, To: c.To, Cc: c.Cc, Bcc: c.Bcc, AttachmentIDs: c.AttachmentIds,
		TemplateName: c.TemplateName, TemplateLanguage: c.TemplateLanguage, ContextData: c.ContextData,
	}
	if text(c.StructuredContent) != "" {
		content.StructuredContent = json.RawMessage(*c.StructuredContent)
	}
	if c.AutoSubmitted {
		content.AutoSubmitted = &c.AutoSubmitted
	}
	return content
}

func isObject(s string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(s), &object) == nil && object != nil
}

// createContent is a reply, or the start of a discussion, in either API. It is
// not repeatable: the customer would be answered twice.
type createContent struct{ ringcentral.CreateContent }

func (createContent) repeatable() bool { return false }

// twin tells replies apart that the API would show alike. Both APIs show the
// same contents, so a reply through one can be the twin of one through the other.
func (c createContent) twin() string {
	return strings.Join([]string{text(c.InReplyToID), text(c.SourceID), strings.Join(c.To, ","), normal(c.Body)}, "\x00")
}

// first takes the oldest candidate that no other command has. Candidates come
// newest first.
func first(candidates []string, take func(string) bool) (resource string, found bool) {
	for _, candidate := range slices.Backward(candidates) {
		if take(candidate) {
			return candidate, true
		}
	}
	return "", false
}

var tags = regexp.MustCompile(`<[^>]*>`)

// normal is a text without what the API may change in it: markup and spacing.
func normal(body string) string {
	return spaced(tags.ReplaceAllString(body, " "))
}

// spaced is a text with single spaces.
func spaced(text string) string { return strings.Join(strings.Fields(text), " ") }
