package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/consume"
	"github.com/ringbridge/ringbridge/internal/console"
	"github.com/ringbridge/ringbridge/internal/letters"
	"github.com/ringbridge/ringbridge/internal/timeline"
)

// openConsole makes the console: it shows the process from the first moment on,
// and what takes Kafka once connectConsole was called.
func (b *bridge) openConsole(ctx context.Context) {
	version, _ := buildInfo()
	b.console = console.New(console.Deps{
		Version: version, Account: b.cfg.Process.Account, Token: b.cfg.Listen.Token, Addr: b.cfg.Listen.Private,
		MaskText: b.cfg.Console.MaskText, Board: b.board, Gatherer: b.metrics, Stages: b.stages.list,
		ParseTime: parseTime, Logger: b.logger.With("component", "console"),
	})
	b.background(ctx, "console", b.console.Run)
}

// connectConsole gives the console what is behind Kafka: the letters, what the
// topics tell, and what the stages hold.
func (b *bridge) connectConsole(ctx context.Context, office *letters.Office) {
	shelf := letters.NewShelf(letters.ShelfDeps{
		Options: b.opts, Topics: b.names(), Codec: b.codec, Logger: b.logger.With("component", "letters"),
	})
	b.background(ctx, "shelf of letters", func(ctx context.Context) { _ = shelf.Run(ctx) })
	data := console.Data{
		Letters: letterDesk{office, b}, Shelf: shelf,
		Timeline: timeline.New(timeline.Deps{Options: b.opts, Topics: b.names(), Codec: b.codec}),
		Lag:      b.lag,
	}
	if b.consumer != nil {
		data.Unfinished = unfinished(b.consumer)
	}
	b.console.Connect(data)
}

// letterDesk is the office, with what it takes to send letters back.
type letterDesk struct {
	*letters.Office
	bridge *bridge
}

// SendBack implements console.Letters. It has a client for as long as it takes:
// there is none while nobody sends anything back.
func (d letterDesk) SendBack(ctx context.Context, plan *letters.Plan, by string, each func(letters.Letter)) (int, error) {
	client, err := kgo.NewClient(append(slices.Clone(d.bridge.opts), letters.ProducerOptions(plan.Choice.Source)...)...)
	if err != nil {
		return 0, fmt.Errorf("kafka: %w", err)
	}
	defer client.Close()
	redrive := letters.Redrive{Client: client, Rate: console.SendBackRate, Account: d.bridge.cfg.Process.Account, By: by}
	return d.Office.SendBack(ctx, plan, redrive, each)
}

// unfinished returns what asks the stage for its commands.
func unfinished(stage *consume.Consumer) func() []console.Unfinished {
	return func() []console.Unfinished {
		held := stage.Unfinished()
		all := make([]console.Unfinished, len(held))
		for i, u := range held {
			all[i] = console.Unfinished{
				CommandID: u.CommandID, Conversation: u.Conversation, Action: u.Action, API: u.API, Partition: u.Partition, Offset: u.Offset,
				IssuedAt: u.IssuedAt, Since: u.Since, Attempts: u.Attempts, Next: u.Next, Doing: string(u.Doing),
				LastError: u.LastError, LastStatus: u.LastStatus, Behind: u.Behind,
			}
		}
		return all
	}
}

// lag asks how much waits for the stages of this process, whichever replica it
// belongs to.
func (b *bridge) lag(ctx context.Context) (all []console.Lag, err error) {
	names := b.names()
	for _, of := range []struct{ stage, group, topic, name string }{
		{stagePublish, stagePublish, names.Inbox, "inbox"}, {stageConsume, topicReplies, names.Replies, topicReplies},
	} {
		if !slices.Contains(b.only, of.stage) {
			continue
		}
		lags, err := b.adm.Lag(ctx, names.Group(of.group))
		if err != nil {
			return nil, err
		}
		waiting := console.Lag{Topic: of.name}
		for _, partition := range lags[names.Group(of.group)].Lag[of.topic] {
			if partition.Err == nil {
				waiting.Records += partition.Lag
			}
		}
		all = append(all, waiting)
	}
	return all, nil
}
