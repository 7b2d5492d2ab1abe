package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// messagesFlags choose messages.
type messagesFlags struct {
	since, until         string
	direction, read      string
	number, conversation string
	deleted              bool
	limit                int
	json                 bool
}

// defaultMessages is how many a list shows: more is a question for the topic.
const defaultMessages = 100

func (p *program) messagesCommand() *cobra.Command {
	return group("messages", "Look into the user's text messages and numbers",
		`Asks the RingCentral platform, as the user of RINGCENTRAL_JWT: numbers that can
send, the message store, attachments. Nothing is changed there. The events of
messages are on the topic messages (`+"`ringbridge tail messages`"+`).

Each command gets a token of its own, and the platform allows five in a minute,
those of the bridge among them: use list rather than many gets.`,
		p.messagesNumbersCommand(), p.messagesListCommand(), p.messagesGetCommand(), p.messagesAttachmentCommand())
}

func (p *program) messagesNumbersCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "numbers",
		Short: "List the user's numbers, and what each can send",
		Long: `Lists the numbers of the user, with what can be sent from each: sms, mms,
international. The from of a SendSms must be one that can send; an administrator
cannot send for others.`,
		Example: `  ringbridge messages numbers
  ringbridge messages numbers --json | jq -r 'select(.sends | index("sms")).number'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.messagesNumbers(c.Context(), asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return c
}

func (p *program) messagesListCommand() *cobra.Command {
	var f messagesFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List text messages, newest first",
		Long: `Lists text messages of the store, newest first: id, time, direction, status, from, to
and the beginning of the text. With --json each as the platform has it, one a line.`,
		Example: `  ringbridge messages list
  ringbridge messages list --since 7d --direction outbound --number +16505550100
  ringbridge messages list --conversation 8234962969801171948 --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.messagesList(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.since, "since", "24h", "made at or after: a time (RFC 3339) or how long ago (90m, 3d)")
	flags.StringVar(&f.until, "until", "", "made before: a time or how long ago")
	flags.StringVar(&f.direction, "direction", "", "inbound or outbound")
	flags.StringVar(&f.read, "read-status", "", "read or unread")
	flags.StringVar(&f.number, "number", "", "one side of the message")
	flags.StringVar(&f.conversation, "conversation", "", "only this conversation")
	flags.BoolVar(&f.deleted, "deleted", false, "those that were deleted, as far as the store has them")
	flags.IntVar(&f.limit, "limit", defaultMessages, "at most so many; 0 = all")
	flags.BoolVar(&f.json, "json", false, "one JSON object a line")
	return c
}

func (p *program) messagesGetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "get ID",
		Short: "Show a message as the platform has it",
		Long: `Shows one message of the store as JSON, as the platform has it: ids are numbers there,
some with more digits than a float holds, and are printed as they are.`,
		Example: `  ringbridge messages get 403038404004
  ringbridge messages get 403038404004 | jq .messageStatus`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.messagesGet(c.Context(), args[0]) },
	}
}

// query checks the flags.
func (f messagesFlags) query(now time.Time) (q ringcentral.MessagesQuery, err error) {
	q = ringcentral.MessagesQuery{Types: []string{"SMS"}, To: now, PhoneNumber: f.number, ConversationID: f.conversation}
	if q.From, err = parseTime(f.since, now); err != nil {
		return q, usageError("--since: want a time such as 2026-01-02T15:04:05Z, or how long ago, such as 90m or 3d")
	}
	if f.until != "" {
		if q.To, err = parseTime(f.until, now); err != nil {
			return q, usageError("--until: want a time such as 2026-01-02T15:04:05Z, or how long ago, such as 90m or 3d")
		}
	}
	for _, choice := range []struct {
		flag, given string
		words       []string
		to          *[]string
	}{
		{"--direction", f.direction, []string{"Inbound", "Outbound"}, &q.Directions},
		{"--read-status", f.read, []string{"Read", "Unread"}, &q.ReadStatus},
	} {
		i := slices.IndexFunc(choice.words, func(word string) bool { return strings.EqualFold(word, choice.given) })
		switch {
		case choice.given == "":
		case i < 0:
			return q, usageError("%s: want %s", choice.flag, strings.ToLower(strings.Join(choice.words, " or ")))
		default:
			*choice.to = choice.words[i : i+1]
		}
	}
	if f.deleted {
		q.Availability = []string{"Deleted", "Purged"}
	}
	if f.limit < 0 || !q.From.Before(q.To) {
		return q, usageError("--since, --until, --limit: want a part of the past, its beginning first, and 0 or more messages")
	}
	return q, nil
}

// withPlatform runs do with a client of the platform.
func (p *program) withPlatform(ctx context.Context, do func(*ringcentral.Platform) error) error {
	var cfg struct {
		Platform platformConfig
		Log      logConfig
	}
	if err := load(ctx, &cfg, p.env); err != nil {
		return err
	}
	if !cfg.Platform.Client.Enabled() {
		return errors.New("messages: the RingCentral platform is off: set RINGCENTRAL_CLIENT_ID, RINGCENTRAL_CLIENT_SECRET and RINGCENTRAL_JWT")
	}
	platform := ringcentral.NewPlatform(cfg.Platform.Client, ringcentral.Deps{Logger: newLogger(p.err, cfg.Log)})
	defer platform.Close()
	return do(platform)
}

func (p *program) messagesGet(ctx context.Context, id string) error {
	return p.withPlatform(ctx, func(platform *ringcentral.Platform) error {
		message, err := platform.Message(ctx, id)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		if err := json.Indent(&text, message, "", "  "); err != nil {
			return err
		}
		p.printf("%s\n", text.Bytes())
		return nil
	})
}
