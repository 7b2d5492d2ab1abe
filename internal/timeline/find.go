package timeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/schemas"
)

// Find returns what happened to the thing that the query names. The error is an
// outage, or ctx's end.
//
// It first takes the id for a conversation, and reads the one partition of each
// topic that its records are on. Where there are none, it reads all partitions
// for records that name the id. A search for a key thus costs a fraction of
// the others.
func (t *Timeline) Find(ctx context.Context, q Query) (Story, error) {
	client, err := kgo.NewClient(t.deps.Options...)
	if err != nil {
		return Story{}, fmt.Errorf("timeline: find: %w", err)
	}
	defer client.Close()
	s := &search{t: t, q: q, client: client, adm: kadm.NewClient(client), found: map[place]Moment{}}
	bounded, cancel := context.WithTimeoutCause(ctx, maxTime, errBound)
	defer cancel()
	err = s.run(bounded)
	if ctx.Err() == nil && (errors.Is(err, errBound) || errors.Is(context.Cause(bounded), errBound)) {
		s.bounded, err = true, nil
	}
	if err != nil {
		return Story{}, fmt.Errorf("timeline: find: %w", err)
	}
	return s.story(), nil
}

// A place is where a record is.
type place struct {
	topic     string
	partition int32
	offset    int64
}

// search is a Find under way.
type search struct {
	t      *Timeline
	q      Query
	client *kgo.Client
	adm    *kadm.Client

	begins, ends kadm.ListedOffsets // what there is; the ends are the last stable offsets
	found        map[place]Moment
	events       []event   // published things that were found
	commands     []command // of which something was found
	from         time.Time // since when everything was read
	spent        spent
	bounded      bool // a bound was met
}

func (s *search) run(ctx context.Context) error {
	if err := s.survey(ctx); err != nil {
		return err
	}
	key := ofConversation(s.q.ID)
	if err := s.sweep(ctx, s.home(s.q.ID), key); err != nil {
		return err
	}
	switch {
	case len(s.found) == 0:
		if err := s.sweep(ctx, s.everywhere(s.t.eventTopics(), s.t.commandTopics()), naming(s.q.ID)); err != nil {
			return err
		}
		return s.complete(ctx)
	case len(s.commands) == 0:
		// Which partition a key has is its producer's to say, and those who issue
		// commands are not all of one mind.
		return s.sweep(ctx, s.everywhere(s.t.commandTopics()), key)
	}
	return nil
}

// survey finds what there is to read.
func (s *search) survey(ctx context.Context) error {
	topics := slices.Concat(s.t.eventTopics(), s.t.commandTopics())
	var err error
	if s.begins, err = s.adm.ListStartOffsets(ctx, topics...); err == nil {
		err = s.begins.Error()
	}
	if err == nil {
		s.ends, err = s.adm.ListCommittedOffsets(ctx, topics...)
	}
	if err == nil {
		err = s.ends.Error()
	}
	return err
}

// eventTopics are the topics of what came in, and what it became.
func (t *Timeline) eventTopics() []string {
	n := t.deps.Topics
	return []string{n.Inbox, n.Contents, n.Messages, n.Activity, n.Identities}
}

// commandTopics are those of replies.
func (t *Timeline) commandTopics() []string {
	n := t.deps.Topics
	return []string{n.Replies, n.Results, n.RepliesDLQ}
}

// A part is a partition of a topic.
type part struct {
	topic     string
	partition int32
}

func (s *search) everywhere(topics ...[]string) (parts []part) {
	for _, topic := range slices.Concat(topics...) {
		for partition := range s.ends[topic] {
			parts = append(parts, part{topic, partition})
		}
	}
	return parts
}

// home returns the partitions that the records of a key are on: the one that
// Kafka's own clients choose. Results and letters go by their command.
func (s *search) home(key string) (parts []part) {
	hashed := kgo.StickyKeyPartitioner(nil).ForTopic("")
	at := func(topic string) int32 {
		return int32(hashed.Partition(&kgo.Record{Key: []byte(key)}, max(1, len(s.ends[topic]))))
	}
	n := s.t.deps.Topics
	for _, topic := range append(s.t.eventTopics(), n.Replies) {
		parts = append(parts, part{topic, at(topic)})
	}
	command := at(n.Replies)
	parts = append(parts, part{n.Results, command})
	if letters := int32(len(s.ends[n.RepliesDLQ])); letters > 0 {
		parts = append(parts, part{n.RepliesDLQ, command % letters})
	}
	return parts
}

// take adds a record to the story, unless it is there already.
func (s *search) take(record *kgo.Record, value schemas.Value) error {
	at := place{record.Topic, record.Partition, record.Offset}
	if _, known := s.found[at]; known {
		return nil
	}
	if err := s.spent.keep(record); err != nil {
		return err
	}
	s.found[at] = s.t.moment(record, value)
	s.note(record, value)
	return nil
}

// story tells what was found.
func (s *search) story() Story {
	story := Story{SearchedFrom: s.from, Complete: !s.bounded}
	for _, m := range s.found {
		story.Moments = append(story.Moments, m)
	}
	slices.SortFunc(story.Moments, func(a, b Moment) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind.rank(), b.Kind.rank()),
			cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return story
}
