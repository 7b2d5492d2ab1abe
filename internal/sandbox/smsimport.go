package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// MessageImport is a message that others send or receive: a customer's text, or one that a colleague sent from the telephone.
// Every field may be empty.
type MessageImport struct {
	From string `json:"from"` // a customer's number; of an outbound message DefaultNumber
	To   string `json:"to"`   // the first number that can send; of an outbound message a customer's; a call queue's has its store
	// Others are further recipients, as in a group MMS.
	Others    []string `json:"others"`
	Text      string   `json:"text"`
	Direction string   `json:"direction"` // Inbound when empty
	Type      string   `json:"type"`      // SMS when empty; Fax, VoiceMail, Pager, or one that nobody knows
	// Status is Received when empty, of an outbound message Queued, moving on as if sent through the API.
	Status string       `json:"status"`
	Files  []ImportFile `json:"files"`
	// CreatedAt is the time of creation; the past makes a message that only now reached the store.
	CreatedAt time.Time `json:"created_at"`
	// Instant and Hint false send no notification of that kind. Nil means true.
	Instant *bool `json:"instant"`
	Hint    *bool `json:"hint"`
	// Count imports that many, each from a number of its own unless From is set. 0 means 1.
	Count int `json:"count"`
}

// ImportFile is an attachment of an import.
type ImportFile struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Data        []byte `json:"data"` // base64 in JSON
}

// ImportMessages adds messages and returns them, or ErrInvalid.
func (p *Platform) ImportMessages(in MessageImport) ([]Message, error) {
	count := max(in.Count, 1)
	switch {
	case count > maxImport:
		return nil, fmt.Errorf("%w: count is above %d", ErrInvalid, maxImport)
	case in.Direction != "" && in.Direction != DirectionInbound && in.Direction != DirectionOutbound:
		return nil, fmt.Errorf("%w: direction %q", ErrInvalid, in.Direction)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Message, 0, count)
	for range count {
		out = append(out, p.view(p.importMessage(in), ""))
	}
	return out, nil
}

func (p *Platform) importMessage(in MessageImport) *message {
	now := p.s.now()
	p.store.imported++
	customer := fmt.Sprintf("+1650%07d", p.store.imported)
	own := p.cfg.Numbers[max(0, slices.IndexFunc(p.cfg.Numbers, func(n Number) bool {
		return slices.Contains(n.Features, "SmsSender")
	}))].PhoneNumber
	in.Direction, in.Type = cmp.Or(in.Direction, DirectionInbound), cmp.Or(in.Type, TypeSMS)
	in.Text = cmp.Or(in.Text, fmt.Sprintf("Hello, this is text %d", p.store.imported))
	outbound := in.Direction == DirectionOutbound
	from, to := cmp.Or(in.From, customer), cmp.Or(in.To, own)
	if outbound {
		from, to = cmp.Or(in.From, own), cmp.Or(in.To, customer)
	}
	parties := []Party{{PhoneNumber: to}}
	for _, other := range in.Others {
		parties = append(parties, Party{PhoneNumber: other})
	}
	created := in.CreatedAt
	if created.IsZero() {
		created = now
	}
	m := p.newMessage(in.Direction, Party{PhoneNumber: from}, parties, in.Text, created)
	if m.owner = p.ownerOf(to); outbound {
		m.owner = p.ownerOf(from)
	}
	m.kind, m.status, m.read = in.Type, cmp.Or(in.Status, MessageReceived), Unread
	if outbound {
		m.status, m.read = cmp.Or(in.Status, MessageQueued), Read
	}
	for _, f := range in.Files {
		m.files = append(m.files, file{id: p.next(), name: f.Name, contentType: f.ContentType, data: f.Data})
	}
	p.muted = in.Hint != nil && !*in.Hint
	p.changed(m, now, true)
	p.muted = false
	if !outbound && m.kind == TypeSMS && (in.Instant == nil || *in.Instant) {
		p.instant(m)
	}
	if outbound && in.Status == "" {
		p.progress(m)
	}
	return m
}
