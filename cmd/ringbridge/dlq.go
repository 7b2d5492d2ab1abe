package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/letters"
	"github.com/ringbridge/ringbridge/schemas"
)

// dlqFlags choose letters.
type dlqFlags struct {
	topic        string
	reasons      []string
	since, until string
	conversation string
	limit        int
	json         bool
}

func (f *dlqFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.topic, "topic", string(letters.Replies), "whose letters: replies or inbox")
	flags.StringSliceVar(&f.reasons, "reason", nil, "only these: "+strings.Join(reasonNames(), ", "))
	flags.StringVar(&f.since, "since", "", "given up at or after: a time (RFC 3339) or how long ago (90m, 3d)")
	flags.StringVar(&f.until, "until", "", "given up before: a time or how long ago")
	flags.StringVar(&f.conversation, "conversation", "", "only those with this key")
	flags.IntVar(&f.limit, "limit", 0, "at most so many letters; 0 = all")
}

func reasonNames() (names []string) {
	for _, reason := range deadletter.Reasons() {
		names = append(names, string(reason))
	}
	return names
}

// choice checks the flags and says which letters they choose.
func (f *dlqFlags) choice(now time.Time, which ...string) (c letters.Choice, err error) {
	c = letters.Choice{Conversation: f.conversation, Limit: f.limit, Which: which}
	var ok bool
	if c.Source, ok = letters.ParseSource(f.topic); !ok {
		return c, usageError("--topic: want replies or inbox")
	}
	if f.limit < 0 {
		return c, usageError("--limit: want 0 or more")
	}
	for _, reason := range f.reasons {
		if !slices.Contains(reasonNames(), reason) {
			return c, usageError("--reason %q: want %s", reason, strings.Join(reasonNames(), ", "))
		}
		c.Reasons = append(c.Reasons, deadletter.Reason(reason))
	}
	if c.Since, err = f.bound("--since", f.since, now); err != nil {
		return c, err
	}
	c.Until, err = f.bound("--until", f.until, now)
	return c, err
}

// bound reads a time of the command line; empty = none.
func (*dlqFlags) bound(name, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := parseTime(text, now)
	if err != nil {
		return at, usageError("%s: want a time such as 2026-01-02T15:04:05Z, or how long ago, such as 90m or 3d", name)
	}
	return at, nil
}

// letterOffice is a command's connection, with the office on it.
type letterOffice struct {
	*letters.Office
	*reading
}

// openLetters connects. The caller closes the admin client.
func (p *program) openLetters(ctx context.Context) (*letterOffice, error) {
	r, err := p.openReading(ctx)
	if err != nil {
		return nil, err
	}
	return &letterOffice{Office: newOffice(r.cfg.Broker, r.reach, r.codec, newLogger(p.err, r.cfg.Broker.Log)), reading: r}, nil
}

// newOffice joins the letters to what can take those of the inbox apart.
func newOffice(cfg brokerConfig, r reach, codec *schemas.Codec, logger *slog.Logger) *letters.Office {
	return letters.New(letters.Deps{
		Topics: kafka.TopicNames(cfg.Topics.Prefix), Read: r.readAll, Options: r.opts, Admin: r.adm, Codec: codec, Split: eventsOf, Logger: logger,
	})
}

func (p *program) dlqCommand() *cobra.Command {
	return group("dlq", "List, show, send back and discard dead letters",
		`Dead letters are commands that were given up (replies) and input that no parser
understands (inbox): the original bytes, with headers that say why. Letters are
never deleted here; the topic's retention does that. What was sent back, and what
was discarded, is remembered.`,
		p.dlqListCommand(), p.dlqShowCommand(), p.dlqRedriveCommand(), p.dlqDiscardCommand())
}

func (p *program) dlqListCommand() *cobra.Command {
	var f dlqFlags
	var all bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the letters",
		Long: `Lists the letters, one a line: position, when it was given up, reason, attempts,
HTTP status, state, conversation, command id and message. The state is waiting,
redriven (sent back already), set aside (sent back too often; see redrive),
succeeded (its command has, meanwhile) or discarded, which only --all lists.`,
		Example: `  ringbridge dlq list
  ringbridge dlq list --reason forbidden,rejected --since 24h
  ringbridge dlq list --topic inbox --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.dlqList(c.Context(), f, all) },
	}
	f.register(c.Flags())
	c.Flags().BoolVar(&f.json, "json", false, "one JSON object a line")
	c.Flags().BoolVar(&all, "all", false, "discarded letters too")
	return c
}

func (p *program) dlqShowCommand() *cobra.Command {
	var f dlqFlags
	c := &cobra.Command{
		Use:   "show POSITION | COMMAND_ID",
		Short: "Show a letter with its headers and its value",
		Long: `Shows as JSON the letter at a position (partition/offset, as list prints it), or
every letter of a command: its state, all headers, the value decoded where it can
be, and what the ledger still holds of its command: attempts, then how it ended.`,
		Example: `  ringbridge dlq show 3/17
  ringbridge dlq show 7d0f5a52-…`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.dlqShow(c.Context(), args[0], f) },
	}
	c.Flags().StringVar(&f.topic, "topic", string(letters.Replies), "whose letters: replies or inbox")
	return c
}
