package sandbox

import (
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
)

// messagePatch is the body of PUT and PATCH.
type messagePatch struct {
	ReadStatus   string `json:"readStatus"`
	Availability string `json:"availability"`
}

func (c *call) patch() (messagePatch, *reply) {
	var in messagePatch
	if err := json.Unmarshal(c.body, &in); err != nil {
		rep := badParameter("body")
		return in, &rep
	}
	if in.ReadStatus != "" && in.ReadStatus != Read && in.ReadStatus != Unread {
		rep := badParameter("readStatus")
		return in, &rep
	}
	return in, nil
}

// putMessage is PUT …/message-store/{id}: the read status, and nothing else.
func (p *Platform) putMessage(c *call) reply {
	in, refused := c.patch()
	if refused != nil {
		return *refused
	}
	if in.ReadStatus == "" {
		return badParameter("readStatus")
	}
	return p.change(c, messagePatch{ReadStatus: in.ReadStatus})
}

// patchMessage is PATCH …/message-store/{id}: the read status, and Alive restores what was deleted.
func (p *Platform) patchMessage(c *call) reply {
	in, refused := c.patch()
	switch {
	case refused != nil:
		return *refused
	case in.Availability != "" && in.Availability != AvailabilityAlive:
		return badParameter("availability")
	case in == messagePatch{}:
		return badParameter("readStatus")
	}
	return p.change(c, in)
}

func (p *Platform) change(c *call, in messagePatch) reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, found := p.lookUp(c)
	if !found {
		return missing("messageId")
	}
	before := *m
	if in.ReadStatus != "" {
		m.read = in.ReadStatus
	}
	if in.Availability != "" {
		m.availability = in.Availability
	}
	if m.read != before.read || m.availability != before.availability {
		p.changed(m, p.s.now(), false)
	}
	return ok(p.view(m, baseOf(c.r)))
}

// deleteMessage is DELETE …/message-store/{id}: once it is deleted, twice it is purged. A retry that was not needed purges.
func (p *Platform) deleteMessage(c *call) reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, found := p.lookUp(c)
	if !found {
		return missing("messageId")
	}
	p.remove(m, c.params.get("purge") == "true")
	return reply{status: http.StatusNoContent, raw: []byte{}}
}

// deleteAll is DELETE …/message-store without an id, as a client builds it from an empty one: everything goes.
func (p *Platform) deleteAll(c *call) reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.store.disasters++
	for _, m := range p.store.byCreated {
		if m.owner == p.storeOf(c) && m.availability != AvailabilityPurged {
			p.remove(m, c.params.get("purge") == "true")
		}
	}
	return reply{status: http.StatusNoContent, raw: []byte{}}
}

// downloadContent is GET …/message-store/{id}/content/{attachment}.
func (p *Platform) downloadContent(c *call) reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, found := p.lookUp(c)
	if !found {
		return missing("messageId")
	}
	id, _ := strconv.ParseInt(c.r.PathValue("attachment"), 10, 64)
	if id == m.id && m.kind == TypeSMS {
		return bytesOf("text/plain; charset=utf-8", "", []byte(m.text), c)
	}
	for _, f := range m.files {
		if f.id == id {
			return bytesOf(f.contentType, f.name, f.data, c)
		}
	}
	return missing("attachmentId")
}

func bytesOf(contentType, name string, data []byte, c *call) reply {
	disposition := "inline"
	if c.params.get("contentDisposition") == "Attachment" {
		disposition = "attachment"
	}
	options := map[string]string{}
	if name != "" {
		options["filename"] = name
	}
	return reply{status: http.StatusOK, raw: append([]byte{}, data...), header: http.Header{
		"Content-Type": {contentType}, "Content-Disposition": {mime.FormatMediaType(disposition, options)},
	}}
}
