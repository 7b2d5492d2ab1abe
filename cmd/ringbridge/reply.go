package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/ringbridge/ringbridge/schemas"
)

// Exit statuses of reply --wait.
const (
	exitDeadLettered = 3
	exitNoResult     = 4
)

// replyFlags describe a command, and what to do with it.
type replyFlags struct {
	file    string
	key     string
	id      string
	by      string
	expires string
	wait    bool
	timeout time.Duration

	content  schemas.CreateContent
	social   bool
	context  []string
	inReply  string
	source   string
	html     bool
	private  bool
	title    string
	author   string
	template string
	language string
	rich     string

	handover string
	to       schemas.Handover
	kind     string
	app      string
	engaged  string
	trigger  string

	message messageFlags
}

func (p *program) replyCommand() *cobra.Command {
	var f replyFlags
	c := &cobra.Command{
		Use:   "reply",
		Short: "Put a reply command on the topic",
		Long: `Puts a command on the replies topic: an answer to a content (--in-reply-to), a new
discussion (--source), a text message (--from), a change or the end of one
(--update-message, --delete-message), a handover between bot and agent (--handover),
or any commands from a file (--file, one JSON object or one a line):

  {"action": {"CreateContent": {"in_reply_to_id": "5f0…", "body": "On its way"}}}

command_id, issued_at and issued_by are filled in where they are left out. A second
command with the same command_id is not carried out.

The record's key decides the order: commands with equal keys are carried out one
after the other, others at the same time. Best is the conversation, the thread's
id: --key. Without it the key is in_reply_to_id, else source_id, else the identity, the
message or the numbers texted to.

Exit status: 0 the command is on the topic, or with --wait SUCCEEDED; 3 it was
DEAD_LETTERED; 4 no result within --timeout.`,
		Example: `  ringbridge reply --in-reply-to 5f0… --key 5ee… --body "On its way" --wait
  ringbridge reply --source 5e1… --to +15551234567 --body "Hello" --not-after 10m
  ringbridge reply --from +15557654321 --to +15551234567 --body "On its way" --wait
  ringbridge reply --delete-message 403038404004
  ringbridge reply --handover bot:agent --identity 1234567890 --type messenger
  echo '{"action":{"CreateContent":{"in_reply_to_id":"5f0…","body":"Hi"}}}' | ringbridge reply --file - --wait`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("private") {
				f.content.Private = &f.private
			}
			return p.reply(c.Context(), f)
		},
	}
	f.register(c)
	return c
}

func (f *replyFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.file, "file", "", "read commands as JSON from a file; - = standard input")
	flags.StringVar(&f.key, "key", "", "the record's key: the conversation, the thread's id")
	flags.StringVar(&f.id, "command-id", "", "the command's id; a new UUID when empty")
	flags.StringVar(&f.by, "issued-by", "ringbridge reply", "who issues it, for people to read")
	flags.StringVar(&f.expires, "not-after", "", "give it up after this time (RFC 3339) or so long from now (10m)")
	flags.BoolVar(&f.wait, "wait", false, "wait for the result and print it as JSON")
	flags.DurationVar(&f.timeout, "timeout", time.Minute, "how long --wait waits")

	flags.StringVar(&f.inReply, "in-reply-to", "", "the content to answer")
	flags.StringVar(&f.source, "source", "", "the channel to start a discussion on")
	flags.StringVar(&f.content.Body, "body", "", "the text")
	flags.BoolVar(&f.social, "social", false, "through Social Messaging instead of Engage Digital")
	flags.StringArrayVar(&f.context, "context-data", nil, "a custom field, name=JSON; repeat it for more; --social only")
	flags.BoolVar(&f.html, "html", false, "the text is HTML")
	flags.BoolVar(&f.private, "private", false, "hide it from the public; not given = the channel's default")
	flags.StringVar(&f.title, "title", "", "subject, to start an e-mail discussion")
	flags.StringSliceVar(&f.content.To, "to", nil, "recipients, to start a discussion")
	flags.StringSliceVar(&f.content.Cc, "cc", nil, "copies, e-mail only")
	flags.StringSliceVar(&f.content.Bcc, "bcc", nil, "blind copies, e-mail only")
	flags.StringVar(&f.author, "author", "", "identity to speak as")
	flags.StringSliceVar(&f.content.AttachmentIds, "attachment", nil, "ids of files uploaded before")
	flags.StringVar(&f.template, "template", "", "WhatsApp template")
	flags.StringVar(&f.language, "template-language", "", "language of the template")
	flags.StringVar(&f.rich, "structured", "", "structured content, JSON")
	flags.BoolVar(&f.content.AutoSubmitted, "auto-submitted", false, "an automatic answer, left out of statistics")

	flags.StringVar(&f.handover, "handover", "", "hand over: bot:agent or agent:bot")
	flags.StringVar(&f.to.IdentityForeignID, "identity", "", "the customer, by the id on the channel")
	flags.StringVar(&f.kind, "type", "", "kind of channel, such as messenger")
	flags.StringVar(&f.app, "app", "", "the bot's app, for agent:bot on Messenger")
	flags.StringVar(&f.engaged, "intervention", "", "the intervention, for a virtual agent")
	flags.StringSliceVar(&f.to.ThreadCategoryIds, "category", nil, "categories to give the thread")
	flags.StringVar(&f.trigger, "trigger", "", "rule of the virtual agent to start")

	f.message.register(c)
}
