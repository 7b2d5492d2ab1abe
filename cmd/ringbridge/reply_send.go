package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/timeline"
	"github.com/ringbridge/ringbridge/schemas"
)

// errNoResult ends a wait that was too short.
var errNoResult = errors.New("no result in time")

// maxBatchBytes is what the topic takes.
const maxBatchBytes = 16 << 20

func (p *program) reply(ctx context.Context, f replyFlags) error {
	commands, err := f.commands(p.in, time.Now())
	if err != nil {
		return err
	}
	cfg, codec, err := p.openRegistry(ctx, true)
	if err != nil {
		return err
	}
	logger := newLogger(p.err, cfg.Broker.Log)
	opts, err := clientOptions(cfg.Broker, logger)
	if err != nil {
		return err
	}
	client, err := dial(ctx, cfg.Broker, logger, kgo.ProducerLinger(0), kgo.ProducerBatchMaxBytes(maxBatchBytes))
	if err != nil {
		return err
	}
	defer client.Close()
	s := &replySender{
		p: p, codec: codec, client: client, names: kafka.TopicNames(cfg.Broker.Topics.Prefix),
		reach: reach{opts: opts, adm: kadm.NewClient(client)},
	}
	return s.run(ctx, commands, f)
}

// replySender puts commands on the topic and waits for their results.
type replySender struct {
	p      *program
	codec  *schemas.Codec
	client *kgo.Client
	names  kafka.Names
	reach  reach
}

func (s *replySender) run(ctx context.Context, commands []*schemas.ReplyCommand, f replyFlags) error {
	if _, err := partitionsOf(ctx, s.reach.adm, s.names.Replies); err != nil {
		return err
	}
	// A result may come before the wait begins, and the command may be a
	// duplicate whose result is there already: results are read from before.
	from := kgo.NewOffset().AtStart()
	if f.id == "" && f.file == "" {
		from = kgo.NewOffset().AfterMilli(time.Now().Add(-clockSkew).UnixMilli())
	}
	for _, command := range commands {
		if err := s.produce(ctx, command, f); err != nil {
			return err
		}
	}
	if !f.wait {
		return nil
	}
	return s.await(ctx, commands, from, f.timeout)
}

// clockSkew is how far the broker's clock may be behind ours.
const clockSkew = 5 * time.Minute

func (s *replySender) produce(ctx context.Context, command *schemas.ReplyCommand, f replyFlags) error {
	value, err := s.codec.Encode(command)
	if err != nil {
		return err
	}
	record := &kgo.Record{Topic: s.names.Replies, Key: []byte(f.key), Value: value}
	if f.key == "" {
		record.Key = keyOf(command)
	}
	bounded, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := s.client.ProduceSync(bounded, record).FirstErr(); err != nil {
		return fmt.Errorf("kafka: write command %s to %s: %w", command.CommandID, record.Topic, err)
	}
	if !f.wait {
		return s.p.printJSON(map[string]any{
			"command_id": command.CommandID, "topic": record.Topic, "partition": record.Partition, "offset": record.Offset, "key": timeline.Printable(record.Key),
		})
	}
	return nil
}

// await prints the final result of each command as it comes.
func (s *replySender) await(ctx context.Context, commands []*schemas.ReplyCommand, from kgo.Offset, timeout time.Duration) error {
	waiting := map[string]bool{}
	for _, command := range commands {
		waiting[command.CommandID] = true
	}
	bounded, cancel := context.WithTimeoutCause(ctx, timeout, errNoResult)
	defer cancel()
	deadLettered := 0
	var fault error
	err := s.reach.follow(bounded, s.names.Results, from, func(ctx context.Context, record *kgo.Record) bool {
		id := string(record.Key)
		if !waiting[id] || record.Value == nil {
			return true
		}
		var result schemas.ReplyResult
		if fault = s.codec.Decode(ctx, record.Value, &result); fault != nil {
			return false
		}
		if !slices.Contains([]schemas.ReplyState{schemas.ReplyStateSucceeded, schemas.ReplyStateDeadLettered}, result.State) {
			return true
		}
		delete(waiting, id)
		if result.State == schemas.ReplyStateDeadLettered {
			deadLettered++
		}
		fault = s.p.printJSON(result)
		return fault == nil && len(waiting) > 0
	})
	switch {
	case fault != nil:
		return fault
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(context.Cause(bounded), errNoResult) && len(waiting) > 0:
		return &exitError{code: exitNoResult, err: fmt.Errorf("reply: %d of %d commands have no result after %s; they are on the topic and will be carried out", len(waiting), len(commands), timeout)}
	case err != nil:
		return err
	case deadLettered > 0:
		return &exitError{code: exitDeadLettered}
	}
	return nil
}
