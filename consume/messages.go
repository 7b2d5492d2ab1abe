package consume

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// checkMessageID takes the id of one message only. Without an id the API would
// delete every message, and with several it answers for each.
func checkMessageID(id string) error {
	switch {
	case id == "":
		return errors.New("message_id is empty")
	case strings.Trim(id, "0123456789") != "":
		return errors.New("message_id is not a number")
	}
	return nil
}

func (a apis) updateMessageOf(u *schemas.UpdateMessage) (action, error) {
	change := ringcentral.MessageChange{Restore: u.Restore}
	if u.ReadStatus != nil {
		switch *u.ReadStatus {
		case schemas.ReadStatusRead:
			change.ReadStatus = "Read"
		case schemas.ReadStatusUnread:
			change.ReadStatus = "Unread"
		default:
			return nil, fmt.Errorf("read_status %s is not supported by this version: want READ or UNREAD", *u.ReadStatus)
		}
	}
	if change == (ringcentral.MessageChange{}) {
		return nil, errors.New("there is nothing to change: want read_status or restore")
	}
	return updateMessage{a.messages, u.MessageID, change}, checkMessageID(u.MessageID)
}

func (a apis) deleteMessageOf(d *schemas.DeleteMessage) (action, error) {
	return deleteMessage{a.messages, d.MessageID, d.Purge}, checkMessageID(d.MessageID)
}

// updateMessage sets the read status of a message, or takes a deleted one back.
// It may be repeated. It makes nothing: its result names no resource.
type updateMessage struct {
	api    Messages
	id     string
	change ringcentral.MessageChange
}

func (updateMessage) flavour() flavour { return flavourSMS }
func (updateMessage) repeatable() bool { return true }
func (u updateMessage) twin() string   { return "message\x00" + u.id }

func (u updateMessage) call(ctx context.Context) (string, error) {
	_, err := u.api.UpdateMessage(ctx, u.id, u.change)
	return "", err
}

func (updateMessage) find(context.Context, time.Time, func(string) bool) (string, bool, error) {
	return "", false, errUntellable
}

// deleteMessage deletes a message. A second delete purges it, so each is made
// only after the message was read and is not deleted yet.
type deleteMessage struct {
	api   Messages
	id    string
	purge bool
}

func (deleteMessage) flavour() flavour { return flavourSMS }
func (deleteMessage) repeatable() bool { return false }

// twin keeps two deletes apart: between the read and the delete of one, the
// other's would make it a purge.
func (d deleteMessage) twin() string { return "message\x00" + d.id }

func (d deleteMessage) call(ctx context.Context) (string, error) {
	done, err := d.done(ctx)
	if err != nil {
		return "", unsent(err)
	}
	if done {
		return "", nil
	}
	return "", d.api.DeleteMessage(ctx, d.id, d.purge)
}

// find reads the message. Purged ones are not shown at all.
func (d deleteMessage) find(ctx context.Context, _ time.Time, _ func(string) bool) (string, bool, error) {
	done, err := d.done(ctx)
	switch {
	case isStatus(err, http.StatusNotFound):
		return "", true, nil
	case isStatus(err, http.StatusOK): // and no looking again makes it readable
		return "", false, fmt.Errorf("%w: %w", errUntellable, err)
	}
	return "", done, err
}

// done tells whether the message is deleted, as far as it is to be.
func (d deleteMessage) done(ctx context.Context) (bool, error) {
	raw, err := d.api.Message(ctx, d.id)
	if err != nil {
		return false, err
	}
	var m storedMessage
	if err := json.Unmarshal(raw, &m); err != nil || m.Availability == "" {
		return false, &ringcentral.Error{Op: "get_message", Status: http.StatusOK, Outcome: ringcentral.Unknown, Err: errors.New("the answer does not tell whether the message is deleted")}
	}
	purged := strings.EqualFold(m.Availability, "Purged")
	return purged || !d.purge && strings.EqualFold(m.Availability, "Deleted"), nil
}
