package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// cleanups undo what a process has set up, each registered the moment there is
// something to undo. They run once, the newest first. Not safe for concurrent
// use.
type cleanups struct {
	logger  *slog.Logger
	entries []cleanup
}

type cleanup struct {
	name string
	undo func(context.Context) error
}

// add registers undo under a name, for the log and for errors.
func (c *cleanups) add(name string, undo func(context.Context) error) {
	c.entries = append(c.entries, cleanup{name, undo})
}

// run undoes everything. A step that has not ended when ctx does is left behind
// and told in the error; the steps after it still get their turn, as they may
// be done in no time.
func (c *cleanups) run(ctx context.Context) error {
	var faults []error
	for _, entry := range slices.Backward(c.entries) {

		start := time.Now()
		err := bounded(ctx, entry.undo)
		c.logger.Debug("stopped", "part", entry.name, "took", time.Since(start).Round(time.Millisecond), "error", err)
		if err != nil {
			faults = append(faults, fmt.Errorf("stop %s: %w", entry.name, err))
		}
	}
	c.entries = nil
	return errors.Join(faults...)
}

// grace is what a step gets whose turn comes after the time is over: enough to
// close a socket, too little to be noticed.
const grace = 250 * time.Millisecond

// errSlow says that a step was left behind.
var errSlow = errors.New("not done in time")

// bounded returns when step does, or with errSlow when ctx is over.
func bounded(ctx context.Context, step func(context.Context) error) error {
	if ctx.Err() != nil {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		ctx = late
	}
	done := make(chan error, 1)
	go func() { done <- step(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	// Both may be ready at once; a step that ended with the time is done.
	select {
	case err := <-done:
		return err
	default:
		return errSlow
	}
}
