package consume

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// messagesPage is how many messages a look-up reads at once.
const messagesPage = 100

// closeClock is how much older than its call a text may seem and still be taken
// for its effect. A text shows no sign of who sent it, so one that is older is
// taken for nobody's: an agent may have sent the same words.
const closeClock = time.Minute

// phoneNumber is E.164, with or without its plus, or a short code.
var phoneNumber = regexp.MustCompile(`^(\+[1-9][0-9]{6,14}|[0-9]{3,15})$`)

func (a apis) sendSMSOf(s *schemas.SendSMS) (action, error) {
	size := 0
	for _, file := range s.Attachments {
		size += len(file.Content)
	}
	switch {
	case !phoneNumber.MatchString(s.From):
		return nil, errors.New("from is no phone number such as +15551234567")
	case len(s.To) == 0:
		return nil, errors.New("to is empty")
	case slices.ContainsFunc(s.To, func(to string) bool { return !phoneNumber.MatchString(to) }):
		return nil, errors.New("to holds what is no phone number such as +15551234567")
	case len(s.To) > ringcentral.MaxMMSRecipients: // a text to several is sent as a group MMS
		return nil, fmt.Errorf("to holds %d numbers: want at most %d", len(s.To), ringcentral.MaxMMSRecipients)
	case strings.TrimSpace(s.Text) == "" && len(s.Attachments) == 0:
		return nil, errors.New("text is empty, and there is no attachment")
	case len(utf16.Encode([]rune(s.Text))) > ringcentral.MaxSMSText:
		return nil, fmt.Errorf("text is longer than %d UTF-16 units", ringcentral.MaxSMSText)
	case len(s.Attachments) > ringcentral.MaxMMSAttachments:
		return nil, fmt.Errorf("%d attachments: want at most %d", len(s.Attachments), ringcentral.MaxMMSAttachments)
	case size > ringcentral.MaxMMSAttachmentsBytes:
		return nil, fmt.Errorf("attachments of %d bytes: want at most %d", size, ringcentral.MaxMMSAttachmentsBytes)
	}
	message := ringcentral.TextMessage{From: s.From, To: s.To, Text: s.Text}
	for i, upload := range s.Attachments {
		file := ringcentral.File{Filename: upload.Filename, ContentType: upload.ContentType, Content: upload.Content}
		if !file.Sendable() {
			return nil, fmt.Errorf("the content_type of attachment %d is none such as image/png, or its filename cannot be sent", i+1)
		}
		message.Attachments = append(message.Attachments, file)
	}
	return sendSMS{a.messages, message}, nil
}

// sendSMS is a text message, or an MMS. It is not repeatable.
type sendSMS struct {
	api     Messages
	message ringcentral.TextMessage
}

func (sendSMS) flavour() flavour { return flavourSMS }
func (sendSMS) repeatable() bool { return false }

func (s sendSMS) call(ctx context.Context) (string, error) {
	send, op := s.api.SendSMS, "send_sms"
	if len(s.message.Attachments) > 0 {
		send, op = s.api.SendMMS, "send_mms"
	}
	raw, err := send(ctx, s.message)
	return madeBy(op, raw, err)
}

// twin is equal for texts that the store would show alike, whatever is attached.
func (s sendSMS) twin() string {
	to := make([]string, len(s.message.To))
	for i, number := range s.message.To {
		to[i] = digits(number)
	}
	slices.Sort(to)
	return strings.Join([]string{"sms", digits(s.message.From), strings.Join(slices.Compact(to), ","), spaced(s.message.Text)}, "\x00")
}

// storedMessage is what is read of a message. Its id may be beyond a float64.
type storedMessage struct {
	Direction    string                `json:"direction"`
	Availability string                `json:"availability"`
	Subject      string                `json:"subject"`
	Type         string                `json:"type"`
	From         party                 `json:"from"`
	To           []party               `json:"to"`
	CreationTime ringcentral.Timestamp `json:"creationTime"` // whole seconds
}

type party struct {
	PhoneNumber string `json:"phoneNumber"`
}

// find reads what was sent since the first call from the message store. A text
// that was deleted since is there too.
func (s sendSMS) find(ctx context.Context, since time.Time, take func(string) bool) (string, bool, error) {
	since = since.Truncate(time.Second)
	query := ringcentral.MessagesQuery{
		Directions: []string{"Outbound"}, Availability: []string{"Alive", "Deleted"}, From: since.Add(-clockSkew), PerPage: messagesPage,
	}
	// The store knows numbers in E.164 only; another spelling would find nothing.
	if to := s.message.To[0]; strings.HasPrefix(to, "+") {
		query.PhoneNumber = to
	}
	var candidates, older []string
	var oldest time.Time
	for range lookPages {
		page, err := s.api.Messages(ctx, query)
		if err != nil {
			return "", false, err
		}
		for _, raw := range page.Records {
			at, matches, err := s.matches(raw)
			oldest = at
			switch {
			case err != nil:
				return "", false, err
			case matches && at.Before(since.Add(-closeClock)):
				older = append(older, ringcentral.ID(raw))
			case matches:
				candidates = append(candidates, ringcentral.ID(raw))
			}
		}
		if page.Next == "" {
			return chooseText(candidates, older, take)
		}
		query.Next = page.Next
	}
	if reachesBack(oldest, since) {
		return chooseText(candidates, older, take)
	}
	return "", false, fmt.Errorf("%w: too many messages since the call", errUntellable)
}

// chooseText takes a text that is as old as the call. One that is older by our
// clock may be the effect if that clock is wrong.
func chooseText(candidates, older []string, take func(string) bool) (string, bool, error) {
	if resource, found := first(candidates, take); found {
		return resource, true, nil
	}
	if _, found := first(older, take); found {
		return "", false, errUnsure
	}
	return "", false, nil
}

// matches tells whether a message may be the effect of this call, and when it
// was made.
func (s sendSMS) matches(raw json.RawMessage) (at time.Time, matches bool, err error) {
	var m storedMessage
	if err := json.Unmarshal(raw, &m); err != nil || ringcentral.ID(raw) == "" {
		return at, false, fmt.Errorf("%w: a message in the answer cannot be read", errUntellable)
	}
	to := make([]string, len(m.To))
	for i, p := range m.To {
		to[i] = p.PhoneNumber
	}
	matches = !strings.EqualFold(m.Direction, "Inbound") && !strings.EqualFold(m.Type, "Fax") &&
		sameNumber(m.From.PhoneNumber, s.message.From) && sameNumbers(to, s.message.To) &&
		spaced(m.Subject) == spaced(strings.ToValidUTF8(s.message.Text, "\uFFFD"))
	return m.CreationTime.Time, matches, nil
}

// sameNumbers tells whether two lists hold the same numbers, in any order.
func sameNumbers(a, b []string) bool {
	within := func(list, other []string) bool {
		return !slices.ContainsFunc(list, func(n string) bool {
			return !slices.ContainsFunc(other, func(o string) bool { return sameNumber(n, o) })
		})
	}
	return len(a) > 0 && within(a, b) && within(b, a)
}

// sameNumber compares numbers; one may have been given without its country.
func sameNumber(a, b string) bool {
	const national = 7 // digits that are no short code any more
	a, b = digits(a), digits(b)
	if len(a) < len(b) {
		a, b = b, a
	}
	return a == b || len(b) >= national && strings.HasSuffix(a, b)
}

// digits are a number without what is written between them.
func digits(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}
