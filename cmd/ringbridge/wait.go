package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ringbridge/ringbridge/internal/sleep"
)

// How long one try may take, and how long it is until the next.
const (
	pingTimeout     = 5 * time.Second
	topicsTimeout   = 30 * time.Second // each missing topic is made on its own
	registryTimeout = time.Minute      // seven subjects, a few calls each
	probeInterval   = 5 * time.Second
	retryMin        = 250 * time.Millisecond
	retryMax        = 5 * time.Second
)

// waitFor tries until it works, for as long as it takes: what the process needs
// may start after it. The reason is on the board meanwhile, and in the log each
// time it changes. It returns an error that is definite at once.
func (b *bridge) waitFor(ctx context.Context, component string, timeout time.Duration, try func(context.Context) error, definite func(error) bool) error {
	for pause := retryMin; ; pause = min(2*pause, retryMax) {
		err := within(ctx, timeout, try)
		if err == nil {
			b.board.Clear(component)
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if definite(err) {
			return fmt.Errorf("%s: %w", component, err)
		}
		b.board.Set(component, b.unreachable(component, err))
		if err := sleep.For(ctx, pause); err != nil {
			return err
		}
	}
}

// unreachable says in one line what does not answer, and why; the same line for
// the same fault.
func (b *bridge) unreachable(component string, err error) string {
	what := plainly(err)
	if errors.Is(err, context.DeadlineExceeded) {
		what = "no answer"
	}
	switch component {
	case componentRegistry:
		return fmt.Sprintf("cannot reach %s (SCHEMA_REGISTRY_URL): %s", b.cfg.Connection.Registry.URL, what)
	case componentKafka, componentTopics:
		return fmt.Sprintf("cannot reach %v (KAFKA_BROKERS): %s", b.cfg.Connection.Broker.Kafka.Brokers, what)
	}
	return what
}

func within(ctx context.Context, timeout time.Duration, do func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return do(bounded)
}

// hopeless tells whether Kafka's answer about topics is one that waiting does
// not change.
func hopeless(err error) bool {
	var answer *kerr.Error
	return refused(err) || errors.As(err, &answer) && !answer.Retriable
}

// watch asks Kafka from time to time whether it is there, until ctx ends. The
// registry is not asked: once the schemas' ids are known, work goes on without
// it, and a stage that meets an id it does not know tells by itself.
func (b *bridge) watch(ctx context.Context) {
	for sleep.For(ctx, probeInterval) == nil {
		b.probe(ctx, componentKafka, b.client.Ping)
	}
}

func (b *bridge) probe(ctx context.Context, component string, ping func(context.Context) error) {
	err := within(ctx, pingTimeout, ping)
	switch {
	case ctx.Err() != nil: // stopping
	case err != nil:
		b.board.Set(component, b.unreachable(component, err))
	default:
		b.board.Clear(component)
	}
}
