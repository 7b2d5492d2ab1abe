package publish

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// errTooLarge means that an event, or what must be remembered of it, is larger than its topic takes.
var errTooLarge = errors.New("publish: larger than the topic's max.message.bytes")

// limits are the largest batches that topics take, in bytes.
type limits kafka.Limits

func (l limits) of(topic string) int32 { return kafka.Limits(l).Of(topic) }

// fits tells whether the topic takes the record. Compression is not counted on.
func (l limits) fits(r *kgo.Record) bool { return kafka.Limits(l).Fits(r) }

// describeTopics asks for what a session must know of its topics: how large their batches may be,
// and the id of the inbox. It fails when the broker is out of reach, or there is no inbox.
func (p *Publisher) describeTopics(ctx context.Context) (fit limits, inbox kadm.TopicID, err error) {
	client, err := kgo.NewClient(p.deps.Kafka...)
	if err != nil {
		return nil, inbox, fmt.Errorf("publish: client for topic settings: %w", err)
	}
	defer client.Close()
	adm := kadm.NewClient(client)
	n := p.deps.Names
	ids, err := kafka.TopicIDs(ctx, adm, n.Inbox)
	if err != nil {
		return nil, inbox, fmt.Errorf("publish: find the inbox: %w", err)
	}
	told, err := kafka.ReadLimits(ctx, adm, n.Contents, n.Messages, n.Activity, n.Identities, n.Inbox, n.InboxDLQ, n.Seen)
	if err != nil {
		return nil, inbox, fmt.Errorf("publish: %w", err)
	}
	return p.refusals.under(told), ids[n.Inbox], nil
}

// refusals are what brokers have refused as too large although it was within the limit that they
// had reported, or they had reported none. The bytes that were refused are never sent again: the
// limit of the next session is lower, and each record that does not fit is made smaller, or is a
// letter. It is used by the goroutine of Run.
type refusals map[string]refusal

// A refusal is what is known of one topic.
type refusal struct {
	reported int32 // by the broker when it refused; 0 = nothing
	limit    int32
}

// under returns the limits that hold: those that are reported, and less where that was refused.
// Once another limit is reported, that one holds.
func (f refusals) under(reported kafka.Limits) limits {
	out := limits(reported)
	for topic, r := range f {
		if reported[topic] != r.reported {
			delete(f, topic)
			continue
		}
		out[topic] = r.limit
	}
	return out
}

// note takes in which records of a transaction were refused under these limits.
func (f refusals) note(fit limits, refused []*kgo.Record) {
	type batch struct {
		topic     string
		partition int32
	}
	batches := map[batch][]*kgo.Record{}
	for _, r := range refused {
		at := batch{r.Topic, r.Partition}
		batches[at] = append(batches[at], r)
	}
	for at, records := range batches {
		r, again := f[at.topic]
		if !again {
			r = refusal{reported: fit[at.topic], limit: fit.of(at.topic)}
		}
		r.limit = kafka.Refused(r.limit, records)
		f[at.topic] = r
	}
}

// isTooLarge tells whether the broker, or the client in its stead, will never take these bytes.
func isTooLarge(err error) bool { return errors.Is(err, kerr.MessageTooLarge) }
