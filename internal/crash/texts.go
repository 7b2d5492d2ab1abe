package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// The text messages of a round.
const (
	notifiedLanes = 3 // conversations told by notification alone
	notifiedEach  = 8
	syncedLanes   = 2 // conversations left for the sync
	syncedEach    = 4
	hintedLanes   = 2 // conversations told as the platform tells them, and in the store
	hintedEach    = 4
	textedLanes   = 3 // customers who are sent texts
	storedLanes   = 1 // customers whose texts are read and deleted by commands
	storedEach    = 2
	// sentAfter and deliveredAfter are a text's way: of some the poller sees each status, of others the last.
	sentAfter      = 400 * time.Millisecond
	deliveredAfter = 700 * time.Millisecond
	// repeatedRate is how many of the platform's notifications come twice.
	repeatedRate = 0.1

	platformToken = "platform-token"
	stateDeleted  = "deleted"
)

// notified tells of texts that are not in the message store, so that no sync hides the loss of one.
func (b *bed) notified(ctx context.Context, l lane) error {
	s := &sender{bed: b, turn: l.n, path: platformPath, header: "Verification-Token", secret: platformToken}
	conversation := fmt.Sprintf("15%02d", l.n)
	for n := range notifiedEach {
		if err := l.pause(ctx); err != nil {
			return err
		}
		id := fmt.Sprintf("9%02d%06d%03d", l.n, l.round, n)
		b.book.Tell(id, conversation, l.round*1000+n, true, false)
		body, err := json.Marshal(instant(id, conversation))
		if err != nil {
			return fmt.Errorf("crash: %w", err)
		}
		for range l.times() {
			if err := s.post(ctx, body, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// instant is the notification of a customer's text, as the platform sends it.
func instant(id, conversation string) any {
	type fields map[string]any
	const extension = "/restapi/v1.0/account/" + sandbox.AccountID + "/extension/" + sandbox.ExtensionID
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	return fields{
		"uuid": "5" + id, "event": extension + "/message-store/instant?type=SMS", "timestamp": now, "subscriptionId": "crash", "ownerId": sandbox.ExtensionID,
		"body": fields{
			"id": id, "from": fields{"phoneNumber": "+1650222" + conversation}, "to": []fields{{"phoneNumber": sandbox.DefaultNumber}}, "type": "SMS",
			"creationTime": now, "lastModifiedTime": now, "readStatus": "Unread", "priority": "Normal", "attachments": []fields{},
			"direction": "Inbound", "availability": "Alive", "subject": "text " + id, "messageStatus": "Received",
			"conversation": fields{"id": conversation}, "eventType": "Create",
			"owner": fields{"extensionId": sandbox.ExtensionID, "extensionType": "User", "name": "Crash"},
		},
	}
}

// synced puts texts into the store of which nobody tells: the sync alone finds them, in their order.
func (b *bed) synced(ctx context.Context, l lane) error {
	silent := false
	from := fmt.Sprintf("+1650111%04d", l.n)
	for n := range syncedEach {
		if err := l.pause(ctx); err != nil {
			return err
		}
		if err := b.text(from, l.round*1000+n, sandbox.MessageImport{From: from, Instant: &silent, Hint: &silent}); err != nil {
			return err
		}
	}
	return nil
}

// hinted puts texts into the store and has the platform tell, which does so once and in no order: each stands by itself.
func (b *bed) hinted(ctx context.Context, l lane) error {
	for range hintedEach {
		if err := l.pause(ctx); err != nil {
			return err
		}
		if err := b.text("", 0, sandbox.MessageImport{From: fmt.Sprintf("+1650333%04d", l.n)}); err != nil {
			return err
		}
	}
	return nil
}

// text puts a text into the store, whose event must come. Without a conversation its order is not counted.
func (b *bed) text(conversation string, number int, in sandbox.MessageImport) error {
	made, err := b.box.Platform().ImportMessages(in)
	if err != nil {
		return fmt.Errorf("crash: %w", err)
	}
	id := fmt.Sprint(made[0].ID)
	if conversation == "" {
		conversation = id
	}
	b.book.Tell(id, conversation, number, false, true)
	return nil
}

// texted sends texts to a customer by commands.
func (b *bed) texted(ctx context.Context, l lane) error {
	to := fmt.Sprintf("+1415555%04d", l.n)
	return b.answers(ctx, l, "sms", to, func(body string) any {
		return &schemas.SendSMS{From: sandbox.DefaultNumber, To: []string{to}, Text: body}
	})
}

// stored has a customer's texts marked as read, and then deleted, by commands.
func (b *bed) stored(ctx context.Context, l lane) error {
	from, silent := fmt.Sprintf("+1650444%04d", l.n), false
	for range storedEach {
		if err := l.pause(ctx); err != nil {
			return err
		}
		made, err := b.box.Platform().ImportMessages(sandbox.MessageImport{From: from, Hint: &silent, Instant: &silent})
		if err != nil {
			return fmt.Errorf("crash: %w", err)
		}
		id, read := fmt.Sprint(made[0].ID), schemas.ReadStatusRead
		b.book.Tell(id, id, 0, false, false) // no sync may come before it is deleted
		b.book.Comes(id, stateDeleted)
		if err := b.change(ctx, l, from, "read "+id, &schemas.UpdateMessage{MessageID: id, ReadStatus: &read}); err != nil {
			return err
		}
		if err := b.change(ctx, l, from, stateDeleted+" "+id, &schemas.DeleteMessage{MessageID: id}); err != nil {
			return err
		}
	}
	return nil
}

// change sends a command that makes nothing.
func (b *bed) change(ctx context.Context, l lane, conversation, effect string, action any) error {
	b.book.SendChange(effect, conversation, effect)
	return b.command(ctx, l, conversation, effect, action)
}

// texts are the texts sent, oldest first, and what was done to those that came in.
func (b *bed) texts() (sent, changed []Effect) {
	for _, m := range b.box.Platform().Messages() {
		id := fmt.Sprint(m.ID)
		if m.Direction == sandbox.DirectionOutbound {
			sent = append(sent, Effect{ID: id, Conversation: m.To[0].PhoneNumber, Body: m.Subject})
			continue
		}
		if m.ReadStatus == sandbox.Read {
			changed = append(changed, changeOf("read "+id, m))
		}
		switch m.Availability {
		case sandbox.AvailabilityPurged: // which is a deletion of what is deleted
			changed = append(changed, Effect{ID: stateDeleted + " " + id}, Effect{ID: stateDeleted + " " + id})
		case sandbox.AvailabilityDeleted:
			changed = append(changed, changeOf(stateDeleted+" "+id, m))
		}
	}
	return sent, changed
}

func changeOf(what string, m sandbox.Message) Effect {
	return Effect{ID: what, Conversation: m.From.PhoneNumber, Body: what}
}
