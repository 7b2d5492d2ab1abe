package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// States of a letter.
const (
	letterWaiting   = "waiting"
	letterRedriven  = "redriven"
	letterAside     = "set aside"
	letterSucceeded = "succeeded" // the command did, meanwhile
)

// letterChoice says which letters are meant; the zero value of a field means
// all.
type letterChoice struct {
	source       string // replies or inbox
	reasons      []deadletter.Reason
	since, until time.Time
	conversation string
	limit        int
}

func (c letterChoice) topic(prefix string) string { return prefix + c.source + dlqSuffix }

func (c letterChoice) includes(l letter) bool {
	at := l.info.FailedAt
	return (len(c.reasons) == 0 || slices.Contains(c.reasons, l.info.Reason)) &&
		(c.since.IsZero() || !at.Before(c.since)) &&
		(c.until.IsZero() || at.Before(c.until)) &&
		(c.conversation == "" || c.conversation == string(l.record.Key))
}

// letter is a dead letter as the topic holds it.
type letter struct {
	record  *kgo.Record
	info    deadletter.Letter
	before  int64  // offset of the letter before it in its partition; -1 = it is the first
	command string // id of the command; "" when it has none or can't be read
	state   string
}

func (l letter) position() letterPosition {
	return letterPosition{partition: l.record.Partition, offset: l.record.Offset}
}

type letterPosition struct {
	partition int32
	offset    int64
}

// letters reads the letters of a choice, without their values: there may be
// many, and values are large.
type letters struct {
	*reading
	choice    letterChoice
	maxRounds int
	progress  *redriveProgress
}

// openLetters reads where earlier redrives have got to.
func openLetters(ctx context.Context, r *reading, choice letterChoice, maxRounds int) (*letters, error) {
	prefix := r.cfg.Broker.Topics.Prefix
	topic := choice.topic(prefix)
	if _, err := partitionsOf(ctx, r.adm, topic); err != nil {
		return nil, err
	}
	progress, err := loadProgress(ctx, r.adm, kafka.TopicNames(prefix).Group(redriveGroup), topic)
	if err != nil {
		return nil, err
	}
	return &letters{reading: r, choice: choice, maxRounds: maxRounds, progress: progress}, nil
}

// list returns the chosen letters in the order of the topic.
func (l *letters) list(ctx context.Context) ([]letter, error) {
	var found []letter
	err := l.each(ctx, func(one letter) (bool, error) {
		one.record.Value = nil
		found = append(found, one)
		return l.choice.limit == 0 || len(found) < l.choice.limit, nil
	})
	return found, err
}

// each hands the chosen letters, whole, to do, until it returns false.
func (l *letters) each(ctx context.Context, do func(letter) (more bool, err error)) error {
	before := map[int32]int64{}
	var fault error
	err := l.readAll(ctx, l.choice.topic(l.cfg.Broker.Topics.Prefix), func(record *kgo.Record) bool {
		var one letter
		if one, fault = l.read(ctx, record); fault != nil {
			return false
		}
		one.before = -1
		if offset, ok := before[record.Partition]; ok {
			one.before = offset
		}
		before[record.Partition] = record.Offset
		if !l.choice.includes(one) {
			return true
		}
		var more bool
		more, fault = do(one)
		return more && fault == nil
	})
	return errors.Join(fault, err)
}

// read takes a record of the topic for a letter.
func (l *letters) read(ctx context.Context, record *kgo.Record) (letter, error) {
	info, _ := deadletter.Parse(record.Headers)
	if info.FailedAt.IsZero() {
		info.FailedAt = record.Timestamp.UTC()
	}
	one := letter{record: record, info: info, state: letterWaiting}
	switch {
	case l.progress.done(record.Partition, record.Offset):
		one.state = letterRedriven
	case info.Redrives >= l.maxRounds:
		one.state = letterAside
	}
	if l.choice.source != topicReplies || info.Reason == deadletter.Undecodable {
		return one, nil
	}
	var command schemas.ReplyCommand
	err := l.codec.Decode(ctx, record.Value, &command)
	if err == nil {
		one.command = command.CommandID
	}
	return one, unlessUndecodable(err)
}

// markSucceeded finds the waiting letters whose commands have succeeded since.
func (l *letters) markSucceeded(ctx context.Context, found []letter) error {
	waiting := map[string]bool{}
	for _, one := range found {
		if one.state == letterWaiting && one.command != "" {
			waiting[one.command] = true
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	succeeded := map[string]bool{}
	var fault error
	results := kafka.TopicNames(l.cfg.Broker.Topics.Prefix).Results
	err := l.readAll(ctx, results, func(record *kgo.Record) bool {
		if !waiting[string(record.Key)] || record.Value == nil {
			return true
		}
		var result schemas.ReplyResult
		fault = unlessUndecodable(l.codec.Decode(ctx, record.Value, &result))
		if result.State == schemas.ReplyStateSucceeded {
			succeeded[result.CommandID] = true
		}
		return fault == nil
	})
	for i, one := range found {
		if one.state == letterWaiting && succeeded[one.command] {
			found[i].state = letterSucceeded
		}
	}
	return errors.Join(fault, err)
}

// unlessUndecodable returns the error when it is an outage, and nil when the
// bytes are at fault, as they are in many letters.
func unlessUndecodable(err error) error {
	if _, ok := errors.AsType[*schemas.UndecodableError](err); ok {
		return nil
	}
	return err
}
