package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringbridge/ringbridge/internal/letters"
)

// redriveConfig is what a redrive needs beside the connection.
type redriveConfig struct {
	Process processConfig // the account's name goes into arrivals
}

// redriveFlags say how letters are sent back.
type redriveFlags struct {
	dlqFlags
	dryRun    bool
	rate      float64
	maxRounds int
}

// defaultRedriveRate, in letters a second, is slow enough to watch and to stop.
const defaultRedriveRate = 10

func (p *program) dlqRedriveCommand() *cobra.Command {
	var f redriveFlags
	c := &cobra.Command{
		Use:   "redrive [POSITION | COMMAND_ID]…",
		Short: "Send letters back to be tried again",
		Long: `Sends letters back to where they came from: key, value and the producer's headers
as they were, and a header that counts the rounds. Letters of inbox go back as
events of a webhook. Without arguments and filters all that are waiting go.

Each letter is sent back once: what was sent is remembered in the consumer group
<TOPIC_PREFIX>dlq-redrive, so that the next redrive goes on after it. A letter that
comes back is a new letter, one round older; at --max-rounds it is set aside: told,
and not sent. A command that SUCCEEDED meanwhile is never sent again, nor is a
letter that was discarded.

Try --dry-run first.`,
		Example: `  ringbridge dlq redrive --dry-run
  ringbridge dlq redrive --reason retries_exhausted --since 6h --rate 2
  ringbridge dlq redrive 3/17
  ringbridge dlq redrive --topic inbox`,
		RunE: func(c *cobra.Command, args []string) error { return p.dlqRedrive(c.Context(), args, f) },
	}
	f.register(c.Flags())
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "send nothing; say how many would be, by reason")
	c.Flags().Float64Var(&f.rate, "rate", defaultRedriveRate, "letters a second")
	c.Flags().IntVar(&f.maxRounds, "max-rounds", letters.DefaultMaxRounds, "set letters aside that were sent back so often")
	return c
}

func (p *program) dlqRedrive(ctx context.Context, which []string, f redriveFlags) error {
	choice, err := f.choice(time.Now(), which...)
	if err != nil {
		return err
	}
	if f.rate <= 0 || f.maxRounds < 1 {
		return usageError("--rate and --max-rounds: want more than 0")
	}
	choice.MaxRounds = f.maxRounds
	var cfg redriveConfig
	if err := load(ctx, &cfg, p.env); err != nil {
		return err
	}
	office, err := p.openLetters(ctx)
	if err != nil {
		return err
	}
	defer office.adm.Close()
	plan, err := p.dlqPlan(ctx, office, letters.SendBack, choice)
	if err != nil {
		return err
	}
	if f.dryRun {
		p.printf("would send back %s\n", histogram(plan.Letters))
		return nil
	}
	broker := office.cfg.Broker
	client, err := dial(ctx, broker, newLogger(p.err, broker.Log), letters.ProducerOptions(choice.Source)...)
	if err != nil {
		return err
	}
	defer client.Close()
	redrive := letters.Redrive{Client: client, Rate: f.rate, Account: cfg.Process.Account, By: operator()}
	sent, err := office.SendBack(ctx, plan, redrive, func(l letters.Letter) {
		p.printf("sent      %s: %s %s, round %d\n", l.Position, orDash(string(l.Info.Reason)), orDash(l.CommandID), l.Info.Redrives+1)
	})
	p.printf("%d of %d sent back\n", sent, plan.Letters.Total())
	return err
}
