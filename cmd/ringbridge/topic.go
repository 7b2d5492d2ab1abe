package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// Topics by the names that the contract gives them, without the prefix.
const (
	topicReplies = "replies"
	dlqSuffix    = ".dlq"
)

// shortTopics lists the topics without the prefix.
func shortTopics() []string {
	n := kafka.TopicNames("")
	return []string{
		n.Inbox, n.InboxDLQ, n.Contents, n.Identities, n.Messages, n.Activity,
		n.Replies, n.Results, n.RepliesDLQ, n.Cursors, n.Seen,
	}
}

// topicArgument returns the full and the short name of a topic that was given
// with or without the prefix. A topic of the bridge is meant where it can be;
// any other name is taken as it is.
func topicArgument(given, prefix string) (full, short string) {
	if slices.Contains(shortTopics(), given) {
		return prefix + given, given
	}
	if rest, ok := strings.CutPrefix(given, prefix); ok && slices.Contains(shortTopics(), rest) {
		return given, rest
	}
	return given, given
}

// reach says where a reader gets its records from.
type reach struct {
	opts []kgo.Opt
	adm  *kadm.Client
}

// readAll hands every committed record of the topic to each, partition after
// partition, up to the end as it stands now. It stops early when each returns
// false.
func (r reach) readAll(ctx context.Context, topic string, each func(*kgo.Record) bool) error {
	partitions, err := partitionsOf(ctx, r.adm, topic)
	if err != nil {
		return err
	}
	for _, partition := range partitions {
		more, err := r.readPartition(ctx, topic, partition, each)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func (r reach) readPartition(ctx context.Context, topic string, partition int32, each func(*kgo.Record) bool) (more bool, err error) {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	more = true
	err = kafka.ReadAll(reading, r.opts, topic, partition, func(record *kgo.Record) {
		if more && !each(record) {
			more = false
			stop()
		}
	})
	if !more && ctx.Err() == nil {
		return false, nil // we stopped it ourselves
	}
	return more, err
}

// partitionsOf returns the numbers of the topic's partitions, or an error that
// tells what to do about a topic that does not exist.
func partitionsOf(ctx context.Context, adm *kadm.Client, topic string) ([]int32, error) {
	details, err := adm.ListTopics(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("kafka: list topic %s: %w", topic, err)
	}
	if d, ok := details[topic]; !ok || d.Err != nil {
		return nil, fmt.Errorf("topic %s does not exist: `ringbridge topics apply` creates the bridge's topics; TOPIC_PREFIX says how they begin", topic)
	}
	return details[topic].Partitions.Numbers(), nil
}

// follow hands the topic's committed records to each, from the offset on, until
// each returns false or ctx ends.
func (r reach) follow(ctx context.Context, topic string, from kgo.Offset, each func(context.Context, *kgo.Record) bool) error {
	client, err := kgo.NewClient(append(slices.Clone(r.opts),
		kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(from), kgo.FetchIsolationLevel(kgo.ReadCommitted()))...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer client.Close()
	for {
		fetches := client.PollFetches(ctx)
		for _, e := range fetches.Errors() {
			return fmt.Errorf("kafka: read %s/%d: %w", topic, e.Partition, e.Err)
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			if !each(ctx, iter.Next()) {
				return nil
			}
		}
	}
}
