package main

import (
	"context"

	"github.com/ringbridge/ringbridge/internal/console"
)

// openConsole makes the console: it shows the process from the first moment on,
// and what takes Kafka once connectConsole has been called.
func (b *bridge) openConsole(ctx context.Context) {
	version, _ := buildInfo()
	b.console = console.New(console.Deps{
		Version: version, Account: b.cfg.Process.Account, Token: b.cfg.Listen.Token, Addr: b.cfg.Listen.Private,
		MaskText: b.cfg.Console.MaskText, Board: b.board, Gatherer: b.metrics, Stages: b.stages.list,
		Logger: b.logger.With("component", "console"),
	})
	b.background(ctx, "console", b.console.Run)
}
