package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ringbridge/ringbridge/internal/deadletter"
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
	flags.StringVar(&f.topic, "topic", topicReplies, "whose letters: replies or inbox")
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
func (f *dlqFlags) choice(now time.Time) (letterChoice, error) {
	c := letterChoice{conversation: f.conversation, limit: f.limit}
	switch strings.TrimSuffix(f.topic, dlqSuffix) {
	case topicReplies, topicInbox:
		c.source = strings.TrimSuffix(f.topic, dlqSuffix)
	default:
		return c, usageError("--topic: want replies or inbox")
	}
	for _, reason := range f.reasons {
		if !slices.Contains(reasonNames(), reason) {
			return c, usageError("--reason %q: want %s", reason, strings.Join(reasonNames(), ", "))
		}
		c.reasons = append(c.reasons, deadletter.Reason(reason))
	}
	for name, bound := range map[string]struct {
		text string
		at   *time.Time
	}{"--since": {f.since, &c.since}, "--until": {f.until, &c.until}} {
		if bound.text == "" {
			continue
		}
		at, err := parseTime(bound.text, now)
		if err != nil {
			return c, usageError("%s: want a time such as 2026-01-02T15:04:05Z, or how long ago, such as 90m or 3d", name)
		}
		*bound.at = at
	}
	return c, nil
}

func (p *program) dlqCommand() *cobra.Command {
	return group("dlq", "List, show and send back dead letters",
		`Dead letters are commands that were given up (replies) and input that no parser
understands (inbox): the original bytes, with headers that say why. Letters are
never deleted here; the topic's retention does that.`,
		p.dlqListCommand(), p.dlqShowCommand(), p.dlqRedriveCommand())
}

func (p *program) dlqListCommand() *cobra.Command {
	var f dlqFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List the letters",
		Long: `Lists the letters, one a line: position, when it was given up, reason, attempts,
HTTP status, state, conversation, command id and message. The state is waiting,
redriven (sent back already) or set aside (sent back too often; see redrive).`,
		Example: `  ringbridge dlq list
  ringbridge dlq list --reason forbidden,rejected --since 24h
  ringbridge dlq list --topic inbox --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.dlqList(c.Context(), f) },
	}
	f.register(c.Flags())
	c.Flags().BoolVar(&f.json, "json", false, "one JSON object a line")
	return c
}

func (p *program) dlqShowCommand() *cobra.Command {
	var f dlqFlags
	c := &cobra.Command{
		Use:   "show POSITION | COMMAND_ID",
		Short: "Show a letter with its headers and its value",
		Long: `Shows as JSON the letter at a position (partition/offset, as list prints it), or
every letter of a command: all headers, and the value decoded where it can be.`,
		Example: `  ringbridge dlq show 3/17
  ringbridge dlq show 7d0f5a52-…`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.dlqShow(c.Context(), args[0], f) },
	}
	c.Flags().StringVar(&f.topic, "topic", topicReplies, "whose letters: replies or inbox")
	return c
}

// redriveFlags say how letters are sent back.
type redriveFlags struct {
	dlqFlags
	dryRun    bool
	rate      float64
	maxRounds int
}

// Defaults of a redrive. Ten a second is slow enough to watch and to stop;
// after three rounds a letter's fault is not the weather's.
const (
	defaultRedriveRate = 10
	defaultMaxRounds   = 3
)

func (p *program) dlqRedriveCommand() *cobra.Command {
	var f redriveFlags
	c := &cobra.Command{
		Use:   "redrive",
		Short: "Send letters back to be tried again",
		Long: `Sends letters back to where they came from: key, value and the producer's headers
as they were, and a header that counts the rounds. Letters of inbox go back as
events of a webhook.

Each letter is sent back once: what was sent is remembered in the consumer group
<TOPIC_PREFIX>dlq-redrive, so that the next redrive goes on after it. A letter that
comes back is a new letter, one round older; at --max-rounds it is set aside: told,
and not sent. A command that SUCCEEDED meanwhile is never sent again.

Try --dry-run first.`,
		Example: `  ringbridge dlq redrive --dry-run
  ringbridge dlq redrive --reason retries_exhausted --since 6h --rate 2
  ringbridge dlq redrive --topic inbox`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.dlqRedrive(c.Context(), f) },
	}
	f.register(c.Flags())
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "send nothing; say how many would be, by reason")
	c.Flags().Float64Var(&f.rate, "rate", defaultRedriveRate, "letters a second")
	c.Flags().IntVar(&f.maxRounds, "max-rounds", defaultMaxRounds, "set letters aside that were sent back so often")
	return c
}
