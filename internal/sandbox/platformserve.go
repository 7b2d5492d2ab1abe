package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// platformDialect is how one route of the platform is called.
type platformDialect struct {
	p     *Platform
	group RateGroup
	shown string // the group as its headers spell it
	open  bool   // wants no token: it is where tokens come from
	newer bool   // its errors are in the shape of newer services
}

// part is a file of a multipart request.
type part struct {
	filename    string
	contentType string
	data        []byte
}

func (p *Platform) dialectOf(group, route string) platformDialect {
	d := platformDialect{
		p: p, group: RateGroup(strings.ToLower(group)), shown: group, newer: !strings.Contains(route, "/restapi/"),
	}
	if other, moved := p.cfg.Groups[route]; moved {
		d.group, d.shown = RateGroup(strings.ToLower(string(other))), string(other)
	}
	return d
}

// limited adds the rate headers to a handler's answers. The answers of faults and of other limiters have none.
func (p *Platform) limited(h handler) handler {
	return func(c *call) reply {
		rep := h(c)
		if rep.header == nil {
			rep.header = http.Header{}
		}
		d := c.api.(platformDialect)
		p.rates.headers(rep.header, d.group, d.shown)
		return rep
	}
}

func (d platformDialect) read(w http.ResponseWriter, c *call) error {
	c.params = params{values: c.r.URL.Query(), objects: map[string]json.RawMessage{}}
	raw, err := io.ReadAll(http.MaxBytesReader(w, c.r.Body, maxBody))
	if err != nil {
		return fmt.Errorf("sandbox: body: %w", err)
	}
	kind, options, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	switch {
	case kind == "application/x-www-form-urlencoded":
		c.r.Body = io.NopCloser(bytes.NewReader(raw))
		if err := c.r.ParseForm(); err != nil {
			return fmt.Errorf("sandbox: form: %w", err)
		}
		c.params.values = c.r.Form
	case strings.HasPrefix(kind, "multipart/"):
		if err := c.readParts(raw, options["boundary"]); err != nil {
			return err
		}
	default:
		c.body = raw
	}
	if len(c.body) > 0 {
		c.r.Body = io.NopCloser(bytes.NewReader(c.body))
		return c.params.readJSON(c.r)
	}
	return nil
}

// readParts takes the JSON part as the body and the others as files.
func (c *call) readParts(raw []byte, boundary string) error {
	reader := multipart.NewReader(bytes.NewReader(raw), boundary)
	for {
		in, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("sandbox: multipart: %w", err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			return fmt.Errorf("sandbox: multipart: %w", err)
		}
		kind := in.Header.Get("Content-Type")
		if media, _, _ := mime.ParseMediaType(kind); c.body == nil && len(c.files) == 0 && media == "application/json" {
			c.body = data
			continue
		}
		c.files = append(c.files, part{filename: in.FileName(), contentType: kind, data: data})
	}
}

func (d platformDialect) describe(c *call, e *Call) {
	_, e.Auth = accessToken(c)
	if _, _, basic := c.r.BasicAuth(); basic {
		e.Auth = "basic"
	}
	e.RateGroup = string(d.group)
	e.Body = c.params.get("body") + c.params.get("text")
	e.InReplyToID = c.params.get("inReplyToContentId")
	e.SourceID = c.params.get("channelId") + c.params.get("sourceId")
	e.ThreadID = d.p.threadOf(e.InReplyToID)
	var sms smsRequest
	if json.Unmarshal(c.body, &sms) == nil {
		e.From, e.To = sms.From.PhoneNumber, sms.numbers()
	}
}

// value knows, besides the parameters: id, thread_id (of the parent), from, and to (the first recipient).
func (d platformDialect) value(c *call, name string) string {
	switch name {
	case "":
		return ""
	case "id":
		return c.r.PathValue("id")
	case "thread_id":
		return d.p.threadOf(c.params.get("inReplyToContentId"))
	case "from", "to":
		var sms smsRequest
		_ = json.Unmarshal(c.body, &sms) // no text message: no numbers
		if name == "from" {
			return sms.From.PhoneNumber
		}
		return strings.Join(sms.numbers()[:min(1, len(sms.To))], "")
	}
	return c.params.joined(name)
}

func (d platformDialect) arrive(c *call) func() {
	var offender bool
	c.refused, offender = d.p.rates.arrive(d.group)
	if offender {
		c.log.set(func(e *Call) { e.Offender = true })
	}
	if d.open {
		return d.p.sessions.enter()
	}
	return func() {}
}

func (d platformDialect) admit(c *call) (reply, bool) {
	v := c.refused
	if !v.refused {
		if !d.open {
			if rep, refused := d.p.sessions.admit(c); refused {
				return rep, true
			}
		}
		v = d.p.rates.take(d.group)
	}
	if !v.refused {
		return reply{}, false
	}
	rep := d.refusal(http.StatusTooManyRequests)
	rep.header = http.Header{}
	d.p.rates.headers(rep.header, d.group, d.shown)
	switch d.p.cfg.RetryAfter {
	case RetryAfterDate:
		rep.header.Set("Retry-After", d.p.s.now().Add(v.wait+time.Second).UTC().Format(http.TimeFormat))
	case RetryAfterOff:
	default:
		rep.header.Set("Retry-After", strconv.Itoa(int((v.wait+time.Second-1)/time.Second)))
	}
	return rep, true
}
