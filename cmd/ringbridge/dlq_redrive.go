package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
)

// redriveConfig is what a redrive needs beside the connection.
type redriveConfig struct {
	Process processConfig // the account's name goes into arrivals
}

// errNotSendable says why a letter can't be sent back.
var errNotSendable = errors.New("cannot be sent back")

func (p *program) dlqRedrive(ctx context.Context, f redriveFlags) error {
	choice, err := f.choice(time.Now())
	if err != nil {
		return err
	}
	if f.rate <= 0 || f.maxRounds < 1 {
		return usageError("--rate and --max-rounds: want more than 0")
	}
	var cfg redriveConfig
	if err := load(ctx, &cfg, p.env); err != nil {
		return err
	}
	r, err := p.openReading(ctx)
	if err != nil {
		return err
	}
	defer r.adm.Close()
	letters, err := openLetters(ctx, r, choice, f.maxRounds)
	if err != nil {
		return err
	}
	found, err := letters.list(ctx)
	if err != nil {
		return err
	}
	if err := letters.markSucceeded(ctx, found); err != nil {
		return err
	}
	toSend := p.tellSkipped(found)
	if f.dryRun {
		p.printf("would send back %s\n", histogram(toSend))
		return nil
	}
	client, err := dial(ctx, r.cfg.Broker, newLogger(p.err, r.cfg.Broker.Log), kgo.ProducerLinger(0), kgo.ProducerBatchMaxBytes(maxBatchBytes))
	if err != nil {
		return err
	}
	defer client.Close()
	sender := &redrive{p: p, letters: letters, client: client, account: cfg.Process.Account, limit: rate.NewLimiter(rate.Limit(f.rate), 1)}
	return sender.run(ctx, toSend)
}

// maxBatchBytes is what the topics take: a letter was a record once and must
// fit again.
const maxBatchBytes = 16 << 20

// tellSkipped prints what is not sent and why, and returns the rest.
func (p *program) tellSkipped(found []letter) (toSend []letter) {
	counts := map[string]int{}
	for _, l := range found {
		counts[l.state]++
		switch l.state {
		case letterWaiting:
			toSend = append(toSend, l)
		case letterAside:
			p.printf("set aside %s: sent back %d times, and came again: %s %s\n", l.position(), l.info.Redrives, orDash(l.command), oneLine(l.info.Message))
		case letterSucceeded:
			p.printf("refused   %s: command %s has succeeded meanwhile\n", l.position(), l.command)
		}
	}
	if n := counts[letterRedriven]; n > 0 {
		p.printf("skipped   %d that were sent back before\n", n)
	}
	return toSend
}

// redrive sends letters back, one at a time.
type redrive struct {
	p       *program
	letters *letters
	client  *kgo.Client
	account string
	limit   *rate.Limiter
}

// run reads the chosen letters once more, whole, and sends each: in the order
// of their partition, so that a conversation keeps its order.
func (s *redrive) run(ctx context.Context, toSend []letter) error {
	chosen := map[letterPosition]bool{}
	for _, l := range toSend {
		chosen[l.position()] = true
	}
	sent, left := 0, len(chosen)
	var fault error
	if left > 0 {
		fault = s.letters.each(ctx, func(l letter) (bool, error) {
			if !chosen[l.position()] {
				return true, nil
			}
			left--
			err := s.send(ctx, l)
			switch {
			case errors.Is(err, errNotSendable):
				s.p.printf("skipped   %s: %v\n", l.position(), err)
				err = nil
			case err == nil:
				sent++
				s.p.printf("sent      %s: %s %s, round %d\n", l.position(), orDash(string(l.info.Reason)), orDash(l.command), l.info.Redrives+1)
			}
			return left > 0, err
		})
	}
	s.p.printf("%d of %d sent back\n", sent, len(chosen))
	return fault
}

// send produces first and remembers then: a crash between the two sends the
// letter twice, which the ledger of commands and the dedupe of events bear,
// while the other order could lose it.
func (s *redrive) send(ctx context.Context, l letter) error {
	records, err := s.records(l)
	if err != nil {
		return err
	}
	if err := s.letters.progress.canCommit(l); err != nil {
		return err
	}
	if err := s.limit.Wait(ctx); err != nil {
		return err
	}
	if err := s.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("kafka: send back %s: %w", l.position(), err)
	}
	return s.letters.progress.commit(context.WithoutCancel(ctx), l)
}

func (s *redrive) records(l letter) ([]*kgo.Record, error) {
	names := kafka.TopicNames(s.letters.cfg.Broker.Topics.Prefix)
	headers := deadletter.Redriven(l.record.Headers, l.info.Redrives+1)
	if s.letters.choice.source == topicReplies {
		if l.info.Topic != names.Replies {
			return nil, fmt.Errorf("%w: it came from topic %q, not from %s", errNotSendable, l.info.Topic, names.Replies)
		}
		return []*kgo.Record{{Topic: names.Replies, Key: l.record.Key, Value: l.record.Value, Headers: headers}}, nil
	}
	items, err := eventsOf(l.record.Value)
	if err != nil {
		return nil, err
	}
	var records []*kgo.Record
	for _, item := range items {
		arrival := item.Arrival
		arrival.ArrivalID = uuid.NewString()
		arrival.Account = s.account
		arrival.ReceivedAt = time.Now().UTC()
		value, err := s.letters.codec.Encode(&arrival)
		if err != nil {
			return nil, err
		}
		record := &kgo.Record{Topic: names.Inbox, Value: value, Headers: headers}
		if item.Key != "" {
			record.Key = []byte(item.Key)
		}
		records = append(records, record)
	}
	return records, nil
}

// eventsOf takes a letter of the inbox apart: a webhook's request, one event of
// such a request, or a notification.
func eventsOf(value []byte) ([]ingest.Item, error) {
	if items, err := webhook.Split(value); err == nil {
		return items, nil
	}
	if items, err := webhook.SplitNotification(value); err == nil {
		return items, nil
	}
	var event struct {
		Type     json.RawMessage `json:"type"`
		Resource json.RawMessage `json:"resource"`
	}
	if json.Unmarshal(value, &event) != nil || event.Type == nil || event.Resource == nil {
		return nil, fmt.Errorf("%w: neither a webhook's request nor an event of one nor a notification", errNotSendable)
	}
	request := append(append([]byte(`{"events":[`), value...), `]}`...)
	return webhook.Split(request)
}
