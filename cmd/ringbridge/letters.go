package main

import (
	"context"

	"github.com/ringbridge/ringbridge/internal/letters"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

// keepLetters has brokers remember which dead letters were sent back and which
// were discarded, until ctx ends.
func (b *bridge) keepLetters(ctx context.Context, office *letters.Office) {
	for {
		if err := within(ctx, topicsTimeout, office.Keep); err != nil && ctx.Err() == nil {
			b.logger.Warn("cannot keep what became of dead letters; tried again later", "component", componentKafka, "error", err, "after", letters.KeepInterval)
		}
		if sleep.For(ctx, letters.KeepInterval) != nil {
			return
		}
	}
}
