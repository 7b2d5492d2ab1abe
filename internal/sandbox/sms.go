package sandbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// Documented limits of a text message.
const (
	maxText        = 1000 // UTF-16 units
	maxFiles       = 10
	maxFileBytes   = 1_500_000 // of all files together
	maxRecipients  = 10
	failedDelivery = "SMS-CAR-430" // of the documented form; which numbers there are is not told
	failedSending  = "SMS-RC-410"  // likewise
)

// smsRequest is the body of POST …/sms. There is no field for a reference of the client's: sent twice it texts twice.
type smsRequest struct {
	From Party   `json:"from"`
	To   []Party `json:"to"`
	Text string  `json:"text"`
}

func (r *smsRequest) numbers() []string {
	out := make([]string, len(r.To))
	for i, to := range r.To {
		out[i] = to.PhoneNumber
	}
	return out
}

// sendSMS is POST …/sms: JSON, or multipart with the JSON first and files after it.
func (p *Platform) sendSMS(c *call) reply {
	if _, allowed := p.sms.allow(); p.cfg.SMSPerMinute > 0 && !allowed {
		return p.tooManyTexts()
	}
	var in smsRequest
	if err := json.Unmarshal(c.body, &in); err != nil {
		return badParameter("body")
	}
	if refused := p.refuseSMS(in, c.files); refused != nil {
		return *refused
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.s.now()
	m := p.newMessage(DirectionOutbound, in.From, in.To, in.Text, now)
	for _, f := range c.files {
		m.files = append(m.files, file{id: p.next(), name: f.filename, contentType: f.contentType, data: f.data})
	}
	m.status, m.read, m.owner = MessageQueued, Read, p.ownerOf(in.From.PhoneNumber)
	p.changed(m, now, true)
	c.log.set(func(e *Call) { e.MessageID = strconv.FormatInt(m.id, 10) })
	answer := p.view(m, baseOf(c.r))
	answer.ReadStatus, answer.Conversation = Unread, nil // as in the samples: it is read as soon as it is asked for
	p.progress(m)
	return ok(answer)
}

func (p *Platform) tooManyTexts() reply {
	rep := refused(http.StatusTooManyRequests, codeSMSRate, "SMS sending rate limit exceeded")
	if p.cfg.RetryAfter != RetryAfterOff {
		rep.header = http.Header{"Retry-After": {"60"}}
	}
	return rep
}

// phoneNumber reports whether a text is a number as the API wants it, short codes included.
func phoneNumber(text string) bool {
	digits := strings.TrimPrefix(text, "+")
	return len(digits) >= 3 && len(digits) <= 15 && strings.Trim(digits, "0123456789") == ""
}

// refuseSMS checks a request in the order: sender, recipients, text, files.
func (p *Platform) refuseSMS(in smsRequest, files []part) *reply {
	refuse := func(rep reply) *reply { return &rep }
	own := slices.IndexFunc(p.cfg.Numbers, func(n Number) bool { return n.PhoneNumber == in.From.PhoneNumber })
	size := 0
	for _, f := range files {
		size += len(f.data)
	}
	switch {
	case own < 0:
		return refuse(refused(http.StatusBadRequest, codeNotOwned, "Phone number specified doesn't belong to extension"))
	case !slices.Contains(p.cfg.Numbers[own].Features, "SmsSender"):
		return refuse(refused(http.StatusForbidden, codeCannotSend, "Phone number doesn't support SMS"))
	case len(in.To) == 0 || slices.ContainsFunc(in.To, func(t Party) bool { return !phoneNumber(t.PhoneNumber) }):
		return refuse(badParameter("to.phoneNumber"))
	case len(in.To) > maxRecipients:
		return refuse(refused(http.StatusBadRequest, codeRecipients, "Too many recipients"))
	case len(utf16.Encode([]rune(in.Text))) > maxText || in.Text == "" && len(files) == 0:
		return refuse(badParameter("text"))
	case len(files) > maxFiles || size > maxFileBytes:
		return refuse(badParameter("attachment"))
	}
	return nil
}

// newMessage makes a message without keeping it. Called with the lock held.
func (p *Platform) newMessage(direction string, from Party, to []Party, text string, created time.Time) *message {
	return &message{
		id: p.next(), conversation: conversationOf(from, to), kind: TypeSMS, direction: direction, from: from,
		to: slices.Clone(to), text: text, availability: AvailabilityAlive, created: millis(created),
		visibleAt: p.s.now().Add(p.cfg.StoreLag),
	}
}

// progress moves a text on: Queued, Sent, Delivered, or to one of the failures. A status set by Edit ends that.
func (p *Platform) progress(m *message) {
	failsSending := p.s.faults.chance.hit(p.cfg.SendingFailures)
	failsDelivery := p.s.faults.chance.hit(p.cfg.DeliveryFailures)
	p.after(p.cfg.SentAfter, func() {
		if failsSending {
			p.advance(m, MessageQueued, MessageSendingFailed, failedSending)
			return
		}
		p.advance(m, MessageQueued, MessageSent, "")
		p.after(p.cfg.DeliveredAfter, func() {
			if failsDelivery {
				p.advance(m, MessageSent, MessageDeliveryFailed, failedDelivery)
				return
			}
			p.advance(m, MessageSent, MessageDelivered, "")
		})
	})
}

func (p *Platform) advance(m *message, from, to, code string) {
	if m.status == from && m.availability != AvailabilityPurged {
		m.status, m.deliveryError = to, code
		p.changed(m, p.s.now(), false)
	}
}

// MessageEdit changes a message as others do: the carrier, the user at the telephone. Empty fields stay.
type MessageEdit struct {
	Status       string `json:"status"` // as in Delivered
	ErrorCode    string `json:"error_code"`
	ReadStatus   string `json:"read_status"`
	Availability string `json:"availability"` // Alive, Deleted or Purged
	Hint         *bool  `json:"hint"`         // false tells nobody; nil means true
}

// EditMessage changes a message and returns it, or ErrNotFound.
func (p *Platform) EditMessage(id int64, e MessageEdit) (Message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.store.byID[id]
	if m == nil {
		return Message{}, ErrNotFound
	}
	m.status, m.read = cmp.Or(e.Status, m.status), cmp.Or(e.ReadStatus, m.read)
	m.deliveryError = cmp.Or(e.ErrorCode, m.deliveryError)
	silent := e.Hint != nil && !*e.Hint
	p.muted = silent
	defer func() { p.muted = false }()
	switch e.Availability {
	case AvailabilityDeleted:
		p.remove(m, false)
	case AvailabilityPurged:
		p.remove(m, true)
	default:
		m.availability = cmp.Or(e.Availability, m.availability)
		p.changed(m, p.s.now(), false)
	}
	return p.view(m, ""), nil
}
