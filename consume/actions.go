package consume

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	Now(context.Context) (time.Time, error) // by the API's clock, which may have to be asked for; fails as not sent
}

// Social is what commands need of Social or Advanced Messaging, by the same
// rules; *ringcentral.Platform is one.
type Social interface {
	CreateContent(context.Context, ringcentral.CreateContent) (json.RawMessage, error)
	Content(ctx context.Context, id string) (json.RawMessage, error)
	Contents(context.Context, ringcentral.SocialQuery) (ringcentral.SocialPage, error)
	Now(context.Context) (time.Time, error)
}

// Messages is what commands need of the text messages and the message store, by
// the same rules; *ringcentral.Platform is one.
type Messages interface {
	SendSMS(context.Context, ringcentral.TextMessage) (json.RawMessage, error)
	SendMMS(context.Context, ringcentral.TextMessage) (json.RawMessage, error)
	Message(ctx context.Context, id string) (json.RawMessage, error)
	Messages(context.Context, ringcentral.MessagesQuery) (ringcentral.MessagePage, error)
	UpdateMessage(ctx context.Context, id string, change ringcentral.MessageChange) (json.RawMessage, error)
	DeleteMessage(ctx context.Context, id string, purge bool) error
	Now(context.Context) (time.Time, error)
}

// An action is what a command asks for, ready to be called.
type action interface {
	// flavour is the API that is called.
	flavour() flavour
	// call makes the call, once, and returns the id of what it made, if anything.
	// What it has to read before that fails as not sent.
	call(ctx context.Context) (resource string, err error)
	// find looks for the effect of calls made since then, by the API's clock. Found is false when it
	// is not there (yet). It takes what take takes: an effect that another command
	// has is not this one's. It returns errUntellable where the API cannot show
	// it, and errUnsure where something may be it or not.
	find(ctx context.Context, since time.Time, take func(id string) bool) (resource string, found bool, err error)
	// repeatable tells whether the call may simply be made again.
	repeatable() bool
	// twin is equal for actions that must not be at work at the same time, as the
	// effect of one could be taken for the other's; "" when there are none.
	twin() string
}

// errUntellable says that it cannot be found out whether a call had its effect.
var errUntellable = errors.New("consume: the API does not show whether it happened")

// errUnsure is errUntellable for now: a later look may find the effect itself.
var errUnsure = fmt.Errorf("%w: what is there may be the effect of this call or of another", errUntellable)

// actionOf checks a command before any call is made, and returns its action. Its
// errors are for the one who issued the command.
func (a apis) actionOf(reply *schemas.ReplyCommand) (act action, err error) {
	switch of := reply.Action.(type) {
	case *schemas.CreateContent:
		act, err = a.createContentOf(of)
	case *schemas.Handover:
		act, err = a.handoverOf(of)
	case *schemas.SendSMS:
		act, err = a.sendSMSOf(of)
	case *schemas.UpdateMessage:
		act, err = a.updateMessageOf(of)
	case *schemas.DeleteMessage:
		act, err = a.deleteMessageOf(of)
	default:
		return nil, fmt.Errorf("the action %s is not supported by this version", schemas.ActionName(reply.Action))
	}
	if err == nil {
		err = a.missing(act.flavour())
	}
	if err != nil {
		return nil, fmt.Errorf("action %s: %w", schemas.ActionName(reply.Action), err)
	}
	return act, nil
}

// madeBy returns the id in the answer to a call that made something. Without one
// it was accepted, but what it made must be found.
func madeBy(op string, raw json.RawMessage, err error) (string, error) {
	if err != nil {
		return "", err
	}
	id := ringcentral.ID(raw)
	if id == "" {
		return "", &ringcentral.Error{Op: op, Status: http.StatusOK, Outcome: ringcentral.Unknown, Err: errors.New("the answer holds no id")}
	}
	return id, nil
}

// unsent marks the failure of what is read before a call: whatever the answer
// was, the call itself did not go out.
func unsent(err error) error {
	failure, ok := errors.AsType[*ringcentral.Error](err)
	if !ok {
		return err
	}
	marked := *failure
	marked.Outcome = ringcentral.NotSent
	return &marked
}

// isStatus tells whether the API answered with this status.
func isStatus(err error, status int) bool {
	failure, ok := errors.AsType[*ringcentral.Error](err)
	return ok && failure.Status == status
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
