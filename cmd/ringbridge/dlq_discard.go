package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringbridge/ringbridge/internal/letters"
)

// discardFlags say what a discard may do without asking.
type discardFlags struct {
	dlqFlags
	dryRun bool
	yes    bool
}

func (p *program) dlqDiscardCommand() *cobra.Command {
	var f discardFlags
	c := &cobra.Command{
		Use:   "discard [POSITION | COMMAND_ID]…",
		Short: "Give letters up for good",
		Long: `Notes that letters need nothing more to be done: they are not listed any more
(list --all does) and never sent back. A command keeps its result, DEAD_LETTERED.
It takes letters that are waiting, set aside, or whose commands have succeeded
meanwhile; those that were sent back are done with already. Without arguments and
filters all are meant. There is no way back.

Nothing is deleted: the decision is remembered in the consumer group
<TOPIC_PREFIX>dlq-discard, and the topic's retention deletes. Who decided is logged.

It asks first. Where there is no terminal to ask on, --yes is needed.
Try --dry-run first.`,
		Example: `  ringbridge dlq discard --reason expired --dry-run
  ringbridge dlq discard --reason expired,not_found --until 7d
  ringbridge dlq discard 3/17 7d0f5a52-… --yes`,
		RunE: func(c *cobra.Command, args []string) error { return p.dlqDiscard(c.Context(), args, f) },
	}
	f.register(c.Flags())
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "discard nothing; say how many would be, by reason")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	return c
}

func (p *program) dlqDiscard(ctx context.Context, which []string, f discardFlags) error {
	choice, err := f.choice(time.Now(), which...)
	if err != nil {
		return err
	}
	if !f.yes && !f.dryRun && !isTerminal(p.in) {
		return usageError("--yes: is needed where there is no terminal to ask on; --dry-run shows what it would do")
	}
	office, err := p.openLetters(ctx)
	if err != nil {
		return err
	}
	defer office.adm.Close()
	plan, err := p.dlqPlan(ctx, office, letters.Discard, choice)
	if err != nil {
		return err
	}
	if f.dryRun {
		p.printf("would discard %s\n", histogram(plan.Letters))
		return nil
	}
	if plan.Letters.Total() > 0 && !f.yes {
		if err := p.confirm(ctx, fmt.Sprintf("Of %s, %s. Discard for good?", choice.Source.Topic(), histogram(plan.Letters))); err != nil {
			return err
		}
	}
	discarded, err := office.Discard(ctx, plan, operator(), func(l letters.Letter) {
		p.printf("discarded %s: %s %s\n", l.Position, orDash(string(l.Info.Reason)), orDash(l.CommandID))
	})
	p.printf("%d of %d discarded\n", discarded, plan.Letters.Total())
	return err
}

// errDeclined ends a command that was not confirmed.
var errDeclined = errors.New("not confirmed: nothing was done")
