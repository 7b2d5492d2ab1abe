package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/kafka"
)

// polling reports what polling has on record as not read in full. It is no failure: polling tries
// it again by itself.
func (d *doctor) polling(ctx context.Context) finding {
	adm, cfg, err := d.dial(ctx)
	if err != nil {
		return skipped("Kafka cannot be asked")
	}
	defer adm.Close()
	names := kafka.TopicNames(cfg.Topics.Prefix)
	partitions, err := partitionsOf(ctx, adm, names.Cursors)
	if err != nil {
		return skipped("the topic cursors cannot be read: see topics")
	}
	opts, err := clientOptions(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return skipped("Kafka cannot be asked")
	}
	holes, err := poll.Holes(ctx, opts, names, partitions)
	switch {
	case err != nil:
		return failed("the cursors cannot be read: "+plainly(err), "grant READ on the topic "+names.Cursors+", and use the version of the program that wrote them")
	case len(holes) == 0:
		return ok("no part of a list is on record as unread")
	}
	texts := make([]string, len(holes))
	for i, hole := range holes {
		texts[i] = fmt.Sprintf("%s from %s on", hole.Stream, hole.From.UTC().Format(time.RFC3339))
	}
	return ok("rows may be missing, as the API did not give them: %s; polling tries again by itself, the log says what the API answers", strings.Join(texts, ", "))
}
