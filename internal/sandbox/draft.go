package sandbox

import (
	"cmp"
	"strconv"
	"strings"
)

// draft is a POST /1.0/contents, understood.
type draft struct {
	params     params
	parent     *stored // nil starts a discussion
	source     *Source
	thread     *Thread // nil starts one
	authorID   string
	format     string
	private    bool
	auto       bool
	structured any
}

// draft checks a request in the order: does what it names exist, may it be answered, is it well-formed.
func (s *Server) draft(p params) (draft, *reply) {
	d := draft{params: p, format: cmp.Or(p.get("body_format"), "text")}
	if refused := s.address(&d); refused != nil {
		return d, refused
	}
	var faults violations
	if raw, given := p.objects["structured_content"]; given {
		d.structured = raw
	}
	if strings.TrimSpace(p.get("body")) == "" && d.structured == nil {
		faults.add("body", "can't be blank")
	}
	if d.format != "text" && d.format != "html" {
		faults.add("body_format", "is not included in the list")
	}
	d.private = faults.boolean(p, "private", d.source.Private)
	d.auto = faults.boolean(p, "auto_submitted", false)
	d.authorID = p.get("author_id")
	if d.authorID != "" && s.state.identities[d.authorID] == nil {
		faults.add("author_id", "is unknown")
	}
	for _, id := range p.list("attachment_ids") {
		if s.state.attachments[id] == nil {
			faults.add("attachment_ids", "has an unknown attachment")
		}
	}
	faults.recipients(d)
	if len(faults) > 0 {
		rep := invalid(faults...)
		return d, &rep
	}
	return d, nil
}

// address finds parent, thread and source.
func (s *Server) address(d *draft) *reply {
	parentID, sourceID := d.params.get("in_reply_to_id"), d.params.get("source_id")
	refuse := func(rep reply) *reply { return &rep }
	switch {
	case parentID != "":
		d.parent = s.state.contents[parentID]
		if d.parent == nil {
			return refuse(notFound("Content"))
		}
		d.thread, d.source = s.state.threads[d.parent.ThreadID], s.state.sources[d.parent.SourceID]
		if d.thread.Closed {
			return refuse(threadClosed())
		}
		if d.parent.SynchronizationStatus != ExportSuccess {
			return refuse(invalid(violation{"in_reply_to", "is not synchronized"}))
		}
		if s.cfg.RequireIntervention && s.openIntervention(d.thread.ID) == nil {
			return refuse(invalid(violation{"in_reply_to", "is not under an open intervention"}))
		}
	case sourceID != "":
		d.source = s.state.sources[sourceID]
		if d.source == nil {
			return refuse(notFound("ContentSource"))
		}
		if d.source.ReplyOnly {
			return refuse(invalid(violation{"in_reply_to_id", "can't be blank on this source"}))
		}
	default:
		return refuse(invalid(violation{"source_id", "can't be blank without in_reply_to_id"}))
	}
	return nil
}

// recipients checks to, to[] and title, whose rules depend on the channel.
func (v *violations) recipients(d draft) {
	to := d.params.get("to")
	switch {
	case d.parent != nil:
		if to != "" {
			v.add("to", "must be blank on a reply")
		}
	case d.source.Type == "email":
		if d.params.get("title") == "" {
			v.add("title", "can't be blank")
		}
		if len(d.params.list("to")) == 0 {
			v.add("to", "can't be blank")
		}
	case d.source.Type == "sms" || d.source.Type == "whats_app":
		if !strings.HasPrefix(to, "+") && !strings.HasPrefix(to, "00") {
			v.add("to", "must be a phone number that starts with + or 00")
		}
	case d.source.Type == "engage_messaging" || d.source.Type == "sdk":
		if to == "" {
			v.add("to", "can't be blank")
		}
	}
}

// boolean reads a parameter that is true or false, or absent.
func (v *violations) boolean(p params, name string, absent bool) bool {
	text := p.get(name)
	if text == "" {
		return absent
	}
	out, err := strconv.ParseBool(text) // takes the older spelling "1" too
	if err != nil {
		v.add(name, "is not a boolean")
	}
	return out
}
