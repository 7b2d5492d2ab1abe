package ringcentral

import (
	"bytes"
	"context"
	"encoding/json"
	"mime"
	"mime/multipart"
	"net/textproto"
)

// SendMMS sends a message with attachments, otherwise as SendSMS does. The text may be empty.
func (p *Platform) SendMMS(ctx context.Context, m TextMessage) (json.RawMessage, error) {
	if err := m.checkAttachments(); err != nil {
		return nil, err
	}
	body, contentType, err := m.multipart()
	if err != nil {
		return nil, err
	}
	return p.send(ctx, call{op: opSendMMS, body: body, contentType: contentType}, m)
}

func (m TextMessage) checkAttachments() error {
	bytes := 0
	for _, file := range m.Attachments {
		bytes += len(file.Content)
	}
	switch {
	case len(m.Attachments) == 0:
		return invalid(opSendMMS, "without attachments")
	case len(m.Attachments) > MaxMMSAttachments:
		return invalid(opSendMMS, "more than 10 attachments")
	case bytes > MaxMMSAttachmentsBytes:
		return invalid(opSendMMS, "attachments of more than 1500000 bytes")
	case len(m.To) > MaxMMSRecipients:
		return invalid(opSendMMS, "more than 10 recipients")
	}
	return m.check(opSendMMS)
}

// Sendable tells whether a file can be sent: its type is a media type, and its name can be written.
func (f File) Sendable() bool {
	_, err := f.header()
	return err == nil
}

// multipart encodes the message as multipart/mixed: the JSON first, then the files.
func (m TextMessage) multipart() (body []byte, contentType string, err error) {
	var buffer bytes.Buffer
	w := multipart.NewWriter(&buffer)
	parts := []File{{Filename: "request.json", ContentType: "application/json", Content: m.json()}}
	for _, file := range append(parts, m.Attachments...) {
		header, err := file.header()
		if err != nil {
			return nil, "", err
		}
		part, err := w.CreatePart(header)
		if err != nil {
			return nil, "", invalid(opSendMMS, "an attachment can't be encoded")
		}
		if _, err := part.Write(file.Content); err != nil {
			return nil, "", invalid(opSendMMS, "an attachment can't be encoded")
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", invalid(opSendMMS, "an attachment can't be encoded")
	}
	return buffer.Bytes(), mime.FormatMediaType("multipart/mixed", map[string]string{"boundary": w.Boundary()}), nil
}

// header describes the part of a file. Name and type come from other teams: what isn't well formed could write headers of its own.
func (f File) header() (textproto.MIMEHeader, error) {
	kind, params, err := mime.ParseMediaType(f.ContentType)
	if err != nil {
		return nil, invalid(opSendMMS, "an attachment's type is none")
	}
	contentType, disposition := mime.FormatMediaType(kind, params), mime.FormatMediaType("attachment", map[string]string{"filename": f.Filename})
	if contentType == "" || disposition == "" || f.Filename == "" {
		return nil, invalid(opSendMMS, "an attachment's name or type can't be written")
	}
	return textproto.MIMEHeader{"Content-Type": {contentType}, "Content-Disposition": {disposition}}, nil
}
