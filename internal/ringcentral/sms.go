package ringcentral

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf16"
)

// What the platform takes at most in one text message.
const (
	MaxSMSText             = 1000 // UTF-16 units
	MaxMMSRecipients       = 10
	MaxMMSAttachments      = 10
	MaxMMSAttachmentsBytes = 1_500_000 // of all together
)

// TextMessage is what to send. From must be a number of the user with the feature SmsSender (MmsSender with attachments): nobody can send
// for others.
type TextMessage struct {
	From string
	To   []string
	Text string
	// Attachments make it an MMS.
	Attachments []File
}

// File is an attachment of an MMS.
type File struct {
	Filename    string
	ContentType string // for example image/png
	Content     []byte
}

// SendSMS sends a text and returns the message as received: accepted, not delivered. It never goes out faster than SMSRate. There is no
// idempotency key: after an Unknown outcome, look for the message before sending it again.
func (p *Platform) SendSMS(ctx context.Context, m TextMessage) (json.RawMessage, error) {
	switch {
	case len(m.Attachments) > 0:
		return nil, invalid(opSendSMS, "attachments make it an MMS")
	case m.Text == "":
		return nil, invalid(opSendSMS, "without a text")
	}
	if err := m.check(opSendSMS); err != nil {
		return nil, err
	}
	return p.send(ctx, call{op: opSendSMS, body: m.json(), contentType: "application/json"}, m)
}

func (p *Platform) send(ctx context.Context, k call, m TextMessage) (json.RawMessage, error) {
	var sent json.RawMessage
	k.route, k.method, k.path, k.priority = routeSMS, http.MethodPost, extensionPath+"/sms", Reply
	k.texts, k.read = append([]string{m.Text}, m.To...), readResource(&sent)
	err := p.c.do(ctx, k)
	return sent, err
}

// check refuses what the platform would.
func (m TextMessage) check(op string) error {
	switch {
	case m.From == "":
		return invalid(op, "without a sender")
	case len(m.To) == 0 || emptyFilter(m.To):
		return invalid(op, "without a recipient")
	case len(utf16.Encode([]rune(m.Text))) > MaxSMSText:
		return invalid(op, "the text is longer than 1000 units of UTF-16")
	}
	return nil
}

// json is the body of an SMS, and the first part of an MMS.
func (m TextMessage) json() []byte {
	type number struct {
		PhoneNumber string `json:"phoneNumber"`
	}
	message := struct {
		From number   `json:"from"`
		To   []number `json:"to"`
		Text string   `json:"text,omitempty"`
	}{From: number{m.From}, Text: strings.ToValidUTF8(m.Text, "\uFFFD")}
	for _, to := range m.To {
		message.To = append(message.To, number{to})
	}
	body, _ := json.Marshal(message) // strings always can be
	return body
}
