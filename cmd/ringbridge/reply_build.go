package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ringbridge/ringbridge/schemas"
)

// maxCommandBytes bounds one command of a file.
const maxCommandBytes = 16 << 20

// commands returns what the flags, or the file, ask for.
func (f *replyFlags) commands(in io.Reader, now time.Time) ([]*schemas.ReplyCommand, error) {
	if f.file == "" {
		command, err := f.command(now)
		if err != nil {
			return nil, err
		}
		return []*schemas.ReplyCommand{command}, nil
	}
	if f.file != "-" {
		file, err := os.Open(f.file)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	return readCommands(in, func(c *schemas.ReplyCommand) { f.fill(c, now) })
}

// readCommands reads JSON commands, one after the other. The whole is read
// before anything is sent, so that a fault in the last line sends nothing.
func readCommands(in io.Reader, fill func(*schemas.ReplyCommand)) ([]*schemas.ReplyCommand, error) {
	var commands []*schemas.ReplyCommand
	decoder := json.NewDecoder(in)
	for n := 1; ; n++ {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) && len(commands) > 0 {
			return commands, nil
		}
		if errors.Is(err, io.EOF) {
			return nil, errors.New("reply: the file holds no command")
		}
		if err != nil {
			return nil, fmt.Errorf("reply: command %d: not JSON: %w", n, err)
		}
		if len(raw) > maxCommandBytes {
			return nil, fmt.Errorf("reply: command %d: larger than %d bytes", n, maxCommandBytes)
		}
		command := &schemas.ReplyCommand{}
		if err := json.Unmarshal(raw, command); err != nil {
			return nil, fmt.Errorf("reply: command %d: %w", n, err)
		}
		fill(command)
		commands = append(commands, command)
	}
}

// fill sets what a command must have and its author left out.
func (f *replyFlags) fill(c *schemas.ReplyCommand, now time.Time) {
	if c.CommandID == "" {
		c.CommandID = uuid.NewString()
	}
	if c.IssuedAt.IsZero() {
		c.IssuedAt = now.UTC()
	}
	if c.IssuedBy == "" {
		c.IssuedBy = f.by
	}
	if c.Metadata == nil {
		c.Metadata = map[string]string{}
	}
	if create, ok := c.Action.(*schemas.CreateContent); ok && create.ContextData == nil {
		create.ContextData = map[string]string{}
	}
}

// command builds the one command that the flags describe.
func (f *replyFlags) command(now time.Time) (*schemas.ReplyCommand, error) {
	c := &schemas.ReplyCommand{CommandID: f.id}
	if f.expires != "" {
		at, err := parseDeadline(f.expires, now)
		if err != nil {
			return nil, usageError("--not-after: want a time such as 2026-01-02T15:04:05Z, or so long from now, such as 10m")
		}
		c.NotAfter = &at
	}
	action, err := f.builder()()
	if err != nil {
		return nil, err
	}
	c.Action = action
	f.fill(c, now)
	return c, nil
}

// builder returns what builds the action that the flags ask for.
func (f *replyFlags) builder() func() (any, error) {
	switch {
	case f.handover != "":
		return f.handoverAction
	case f.message.from != "":
		return f.textAction
	case f.message.update != "":
		return f.updateAction
	case f.message.remove != "":
		return f.deleteAction
	}
	return f.contentAction
}

func parseDeadline(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d).UTC(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	return at.UTC(), err
}

func (f *replyFlags) contentAction() (any, error) {
	c := f.content
	if f.inReply == "" && f.source == "" {
		return nil, usageError("say what to do: --in-reply-to CONTENT, --source CHANNEL, --from NUMBER, --handover bot:agent, --update-message ID, --delete-message ID, or --file")
	}
	if c.Body == "" && f.rich == "" && f.template == "" {
		return nil, usageError("--body: is empty; want a text, or --structured or --template")
	}
	if f.rich != "" && !json.Valid([]byte(f.rich)) {
		return nil, usageError("--structured: is not JSON")
	}
	c.API = schemas.ContentApiEngage
	if f.social {
		c.API = schemas.ContentApiSocial
	}
	c.ContextData = map[string]string{}
	for _, field := range f.context {
		name, value, ok := strings.Cut(field, "=")
		if !ok || name == "" {
			return nil, usageError("--context-data %q: want name=JSON", field)
		}
		c.ContextData[name] = value
	}
	c.BodyFormat = schemas.BodyFormatText
	if f.html {
		c.BodyFormat = schemas.BodyFormatHtml
	}
	c.InReplyToID, c.SourceID, c.Title, c.AuthorID = optional(f.inReply), optional(f.source), optional(f.title), optional(f.author)
	c.TemplateName, c.TemplateLanguage, c.StructuredContent = optional(f.template), optional(f.language), optional(f.rich)
	return &c, nil
}

func (f *replyFlags) handoverAction() (any, error) {
	h := f.to
	from, to, _ := strings.Cut(f.handover, ":")
	h.From, h.To = schemas.HandoverParty(strings.ToUpper(from)), schemas.HandoverParty(strings.ToUpper(to))
	parties := [2]schemas.HandoverParty{h.From, h.To}
	if parties != [2]schemas.HandoverParty{schemas.HandoverPartyBot, schemas.HandoverPartyAgent} &&
		parties != [2]schemas.HandoverParty{schemas.HandoverPartyAgent, schemas.HandoverPartyBot} {
		return nil, usageError("--handover %q: want bot:agent or agent:bot", f.handover)
	}
	if h.IdentityForeignID == "" {
		return nil, usageError("--identity: is empty; want the customer's id on the channel")
	}
	h.Type, h.AppID, h.InterventionID, h.Trigger = optional(f.kind), optional(f.app), optional(f.engaged), optional(f.trigger)
	return &h, nil
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// keyOf returns the record's key when none is given: what comes nearest to the
// conversation, so that commands about the same thing keep their order.
func keyOf(c *schemas.ReplyCommand) []byte {
	var candidates []*string
	switch action := c.Action.(type) {
	case *schemas.CreateContent:
		candidates = []*string{action.InReplyToID, action.SourceID}
	case *schemas.Handover:
		candidates = []*string{&action.IdentityForeignID}
	case *schemas.UpdateMessage:
		candidates = []*string{&action.MessageID}
	case *schemas.DeleteMessage:
		candidates = []*string{&action.MessageID}
	case *schemas.SendSMS:
		to := strings.Join(action.To, ",")
		candidates = []*string{&to}
	}
	for _, candidate := range candidates {
		if candidate != nil && *candidate != "" {
			return []byte(*candidate)
		}
	}
	return []byte(c.CommandID)
}
