package sandbox

import (
	"strconv"
	"time"
)

// Values of a text message, as the API spells them.
const (
	TypeSMS = "SMS"

	DirectionInbound  = "Inbound"
	DirectionOutbound = "Outbound"

	MessageQueued         = "Queued"
	MessageSent           = "Sent"
	MessageDelivered      = "Delivered"
	MessageDeliveryFailed = "DeliveryFailed"
	MessageSendingFailed  = "SendingFailed"
	MessageReceived       = "Received"

	AvailabilityAlive   = "Alive"
	AvailabilityDeleted = "Deleted"
	AvailabilityPurged  = "Purged"

	Read   = "Read"
	Unread = "Unread"
)

// Message is a message of the store as the REST API shows it. Ids are numbers; ConversationID is beyond 2^53, which is why a
// client must not read it as a float.
type Message struct {
	URI                  string        `json:"uri,omitempty"`
	ID                   int64         `json:"id"`
	To                   []Party       `json:"to,omitempty"`
	From                 *Party        `json:"from,omitempty"`
	Type                 string        `json:"type,omitempty"`
	CreationTime         *Time         `json:"creationTime,omitempty"` // whole seconds
	ReadStatus           string        `json:"readStatus,omitempty"`
	Priority             string        `json:"priority,omitempty"`
	Attachments          []MessageFile `json:"attachments,omitempty"`
	Direction            string        `json:"direction,omitempty"`
	Availability         string        `json:"availability"`
	Subject              string        `json:"subject,omitempty"`
	MessageStatus        string        `json:"messageStatus,omitempty"`
	DeliveryErrorCode    string        `json:"deliveryErrorCode,omitempty"`
	SendingAttemptsCount int           `json:"smsSendingAttemptsCount,omitempty"`
	ConversationID       int64         `json:"conversationId,omitempty"`
	Conversation         *Conversation `json:"conversation,omitempty"`
	LastModifiedTime     *Time         `json:"lastModifiedTime,omitempty"`
	Owner                *Owner        `json:"owner,omitempty"` // of a call queue's messages
}

// Party is a sender or recipient.
type Party struct {
	PhoneNumber   string `json:"phoneNumber,omitempty"`
	Name          string `json:"name,omitempty"`
	Location      string `json:"location,omitempty"`
	MessageStatus string `json:"messageStatus,omitempty"`
}

// Conversation names a conversation by a string, unlike conversationId.
type Conversation struct {
	ID  string `json:"id"`
	URI string `json:"uri"`
}

// MessageFile is an attachment; the text of a message is one too.
type MessageFile struct {
	ID          int64  `json:"id"`
	URI         string `json:"uri"`
	Type        string `json:"type"`
	ContentType string `json:"contentType"`
	Size        int    `json:"size,omitempty"`
	FileName    string `json:"fileName,omitempty"`
}

// message is a message as it is kept.
type message struct {
	id            int64
	owner         string // the call queue whose store it is in; "" is the user
	conversation  int64
	kind          string
	direction     string
	from          Party
	to            []Party
	text          string
	status        string
	deliveryError string
	read          string
	availability  string
	created       time.Time
	modified      time.Time
	visibleAt     time.Time // to the list
	files         []file
	change        int // number of its last entry in store.changes
}

// file is an attachment's bytes.
type file struct {
	id          int64
	name        string
	contentType string
	data        []byte
}

// view is a message as the REST API shows it to a client that addressed it at base. What is purged has lost all but its id.
func (p *Platform) view(m *message, base string) Message {
	out := Message{ID: m.id, Availability: m.availability}
	if m.availability == AvailabilityPurged {
		return out
	}
	self := base + "/restapi/v1.0/account/" + AccountID + "/extension/" + extensionOf(m.owner) + "/message-store/" + strconv.FormatInt(m.id, 10)
	created, modified := wholeSeconds(m.created), Time{m.modified}
	out.URI, out.Type, out.Direction, out.Subject = self, m.kind, m.direction, m.text
	out.From, out.To = &m.from, m.recipients()
	out.CreationTime, out.LastModifiedTime = &created, &modified
	out.ReadStatus, out.Priority, out.MessageStatus, out.DeliveryErrorCode = m.read, "Normal", m.status, m.deliveryError
	out.Attachments = p.filesOf(m, base)
	if m.direction == DirectionOutbound && m.status != MessageQueued {
		out.SendingAttemptsCount = 1
	}
	out.ConversationID, out.Owner = m.conversation, p.viewOwner(m)
	if !p.cfg.OldConversations {
		id := strconv.FormatInt(m.conversation, 10)
		out.Conversation = &Conversation{ID: id, URI: base + "/restapi/v1.0/conversation/" + id}
	}
	return out
}

// recipients tell their own status only where there are several.
func (m *message) recipients() []Party {
	to := append([]Party(nil), m.to...)
	if len(to) > 1 && m.direction == DirectionOutbound {
		for i := range to {
			to[i].MessageStatus = m.status
		}
	}
	return to
}

// filesOf lists the attachments. The text's is on the API's host, the others' on that of the media.
func (p *Platform) filesOf(m *message, base string) []MessageFile {
	id := strconv.FormatInt(m.id, 10)
	path := "/restapi/v1.0/account/" + AccountID + "/extension/" + extensionOf(m.owner) + "/message-store/" + id + "/content/"
	var out []MessageFile
	if m.kind == TypeSMS {
		out = append(out, MessageFile{ID: m.id, URI: base + path + id, Type: "Text", ContentType: "text/plain"})
	}
	media, kind := p.cfg.MediaURL, "MmsAttachment"
	if media == "" {
		media = base
	}
	if m.kind != TypeSMS {
		kind = "AudioRecording"
	}
	for _, f := range m.files {
		out = append(out, MessageFile{
			ID: f.id, URI: media + path + strconv.FormatInt(f.id, 10), Type: kind, ContentType: f.contentType,
			Size: len(f.data), FileName: f.name,
		})
	}
	return out
}
