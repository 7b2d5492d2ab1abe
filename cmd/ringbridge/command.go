package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/sethvargo/go-envconfig"
	"github.com/spf13/cobra"
)

// Exit statuses. Those of a single command, such as reply's, are in its help.
const (
	exitOK          = 0
	exitFault       = 1
	exitUsage       = 2
	exitInterrupted = 130 // as a shell reports SIGINT
)

// program is what the commands share: the world outside of them.
type program struct {
	in       io.Reader
	out, err io.Writer
	env      envconfig.Lookuper
}

// exitError ends the program with a status of the command's own.
type exitError struct {
	code int
	err  error // nil = the command has said everything already
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// Unwrap returns the cause.
func (e *exitError) Unwrap() error { return e.err }

// run is the program: it returns the exit status. It reads nothing of the
// process but its parameters, so that a test can be a whole process.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer, env envconfig.Lookuper) int {
	p := &program{in: in, out: out, err: errOut, env: env}
	root := p.rootCommand()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	// What fails before a command starts is the command line's fault.
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	return p.exitStatus(ctx, root.ExecuteContext(ctx), started)
}

func (p *program) exitStatus(ctx context.Context, err error, started bool) int {
	var own *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &own):
		if own.err != nil {
			fmt.Fprintf(p.err, "ringbridge: %v\n", own.err)
		}
		return own.code
	case !started:
		fmt.Fprintf(p.err, "ringbridge: %v\nSee `ringbridge help`.\n", err)
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	fmt.Fprintf(p.err, "ringbridge: %v\n", err)
	return exitFault
}

func usageError(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "ringbridge",
		Short: "Streams events between RingCentral and Kafka",
		Long: `Ringbridge streams events between RingCentral's messaging APIs and Kafka.

In:   webhooks and polled contents and identities become Avro events on topics,
      each exactly once for a read_committed consumer.
Out:  reply commands on a topic become API calls, never twice, each with one
      final result or a dead letter.

Settings come from the environment; ` + "`ringbridge run --help`" + ` lists them all.
Exit status: 0 done, 1 a fault, 2 a wrong command line; others are in a command's help.`,
		Example: `  ringbridge demo                 # everything in one process, nothing to install
  ringbridge run                  # the bridge
  ringbridge tail contents        # watch the events
  ringbridge reply --in-reply-to 5f0… --body "On its way" --wait`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		p.demoCommand(), p.runCommand(), p.sandboxCommand(), p.topicsCommand(), p.schemasCommand(),
		p.replyCommand(), p.dlqCommand(), p.tailCommand(), p.backfillCommand(), p.replayCommand(), p.messagesCommand(), p.doctorCommand(), p.versionCommand(),
	)
	return root
}

// group returns a command that only holds others.
func group(use, short, long string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Long: long,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("unknown command %q for %q; see `%s --help`", args[0], c.CommandPath(), c.CommandPath())
			}
			return c.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	c.AddCommand(commands...)
	return c
}

// printJSON writes the value as one line of JSON.
func (p *program) printJSON(v any) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// printIndented writes the value as JSON for a person to read.
func (p *program) printIndented(v any) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

func (p *program) printf(format string, args ...any) { fmt.Fprintf(p.out, format, args...) }

// oneLine puts a text on one line: what a table or a log line shows must not
// break it.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
