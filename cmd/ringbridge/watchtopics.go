package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

const (
	// topicsInterval is how often the topics are compared with what they were.
	topicsInterval = 5 * time.Second
	// topicsPatience is how long somebody who deletes topics may take to create them again, all with
	// settings that agree. Together with the interval, SHUTDOWN_TIMEOUT and a start it stays below a
	// minute.
	topicsPatience = 20 * time.Second
)

// errTopicsChanged ends a run whose clients are of no more use; a new run has new ones.
var errTopicsChanged = errors.New("the topics are not those any more that the bridge started with")

// watchTopics compares the topics with what they were, until ctx ends. What differs is on the board
// at once. If the clients cannot work with it, it ends the run: at once if new clients could, else
// after topicsPatience.
func (b *bridge) watchTopics(ctx context.Context) {
	var since time.Time // when the topics were first seen to have changed
	for sleep.For(ctx, topicsInterval) == nil {
		var report kafka.TopicReport
		err := within(ctx, topicsTimeout, func(ctx context.Context) (err error) {
			report, err = b.topics.Look(ctx)
			return err
		})
		switch {
		case err != nil: // the prober reports brokers that do not answer
			b.logger.Debug("cannot look at the topics", "error", err)
			continue
		case report.String() == "":
			since = time.Time{}
			b.board.Clear(componentTopics)
			continue
		}
		b.board.Set(componentTopics, report.String())
		if !report.Changed() {
			since = time.Time{}
			continue
		}
		if since.IsZero() {
			since = time.Now()
		}
		if report.Settled() || time.Since(since) >= topicsPatience {
			b.failed(fmt.Errorf("%w: %s", errTopicsChanged, report))
			return
		}
	}
}
