package consume

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// Engage is what commands need of Engage Digital; *ringcentral.Engage is one.
// Calls block until answered, are safe for concurrent use, obey the limits of
// the API, and return a *ringcentral.Error.
type Engage interface {
	CreateContent(context.Context, ringcentral.CreateContent) (json.RawMessage, error)
	Handover(context.Context, ringcentral.Handover) error
	Content(ctx context.Context, id string) (json.RawMessage, error)
	Contents(context.Context, ringcentral.ContentsQuery) (ringcentral.Page, error)
}

// An action is what a command asks for, ready to be called.
type action interface {
	// call makes the call, once, and returns the id of what it made, if anything.
	call(ctx context.Context, api Engage) (resource string, err error)
	// find looks for the effect of calls made since then, and returns its id, or
	// "" when it is not there (yet). It takes what take takes: an effect that
	// another command has is not this one's. It returns errUntellable where the
	// API cannot show it.
	find(ctx context.Context, api Engage, since time.Time, take func(id string) bool) (string, error)
	// repeatable tells whether the call may simply be made again.
	repeatable() bool
	// twin is equal for actions whose effects could be taken for each other; ""
	// when there are none.
	twin() string
}

// errUntellable says that it cannot be found out whether a call had its effect.
var errUntellable = errors.New("consume: the API does not show whether it happened")

// actionOf checks a command before any call is made, and returns its action. Its
// errors are for the one who issued the command.
func actionOf(reply *schemas.ReplyCommand) (action, error) {
	switch a := reply.Action.(type) {
	case *schemas.CreateContent:
		return createContentOf(a)
	case *schemas.Handover:
		return handoverOf(a)
	}
	return nil, fmt.Errorf("the action %s is not supported by this version", schemas.ActionName(reply.Action))
}

func createContentOf(a *schemas.CreateContent) (action, error) {
	switch {
	case a.API != schemas.ContentApiEngage:
		return nil, fmt.Errorf("action CreateContent: api %s is not supported by this version: want ENGAGE", a.API)
	case text(a.InReplyToID) == "" && text(a.SourceID) == "":
		return nil, errors.New("action CreateContent: in_reply_to_id (to answer) or source_id (to start a discussion) is needed")
	case a.Body == "" && text(a.StructuredContent) == "" && text(a.TemplateName) == "":
		return nil, errors.New("action CreateContent: body is empty, and there is neither structured_content nor a template")
	case text(a.StructuredContent) != "" && !isObject(*a.StructuredContent):
		return nil, errors.New("action CreateContent: structured_content is not a JSON object")
	}
	c := ringcentral.CreateContent{
		Body: a.Body, BodyFormat: strings.ToLower(string(a.BodyFormat)), InReplyToID: a.InReplyToID, SourceID: a.SourceID,
		AuthorID: a.AuthorID, Private: a.Private, Title: a.Title, To: a.To, Cc: a.Cc, Bcc: a.Bcc, AttachmentIDs: a.AttachmentIds,
		TemplateName: a.TemplateName, TemplateLanguage: a.TemplateLanguage, ContextData: a.ContextData,
	}
	if text(a.StructuredContent) != "" {
		c.StructuredContent = json.RawMessage(*a.StructuredContent)
	}
	if a.AutoSubmitted {
		c.AutoSubmitted = &a.AutoSubmitted
	}
	return createContent{c}, nil
}

func handoverOf(a *schemas.Handover) (action, error) {
	sides := map[schemas.HandoverParty]string{schemas.HandoverPartyBot: "bot", schemas.HandoverPartyAgent: "agent"}
	from, to := sides[a.From], sides[a.To]
	switch {
	case a.IdentityForeignID == "":
		return nil, errors.New("action Handover: identity_foreign_id is empty")
	case from == "" || to == "":
		return nil, errors.New("action Handover: from and to must each be BOT or AGENT")
	case from == to:
		return nil, fmt.Errorf("action Handover: from and to are both %s", a.From)
	}
	return handover{ringcentral.Handover{
		From: from, To: to, IdentityForeignID: a.IdentityForeignID, Type: text(a.Type), AppID: text(a.AppID),
		InterventionID: text(a.InterventionID), ThreadCategoryIDs: a.ThreadCategoryIds, Trigger: text(a.Trigger),
	}}, nil
}

// handover may be made again after an unknown outcome: the second one finds the
// conversation where the first put it.
type handover struct{ ringcentral.Handover }

func (h handover) call(ctx context.Context, api Engage) (string, error) {
	return "", api.Handover(ctx, h.Handover)
}

func (handover) find(context.Context, Engage, time.Time, func(string) bool) (string, error) {
	return "", errUntellable
}

func (handover) repeatable() bool { return true }
func (handover) twin() string     { return "" }

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func isObject(s string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(s), &object) == nil && object != nil
}
