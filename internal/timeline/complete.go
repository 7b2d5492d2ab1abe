package timeline

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/schemas"
)

// clockSlack is how far apart the clocks of those who write to the topics may be.
const clockSlack = time.Hour

// An event is something published, of which the arrival is wanted.
type event struct {
	partition  int32 // the arrival was on the same of the inbox
	key        []byte
	receivedAt time.Time // the arrival says the same
	published  time.Time // the arrival is older
}

// A command is one of which something was found.
type command struct {
	id        string
	partition int32
	offset    int64
	at        time.Time // of the record that told of it
}

// note remembers what belongs to a record that was found.
func (s *search) note(record *kgo.Record, value schemas.Value) {
	published := func(receivedAt time.Time) {
		s.events = append(s.events, event{record.Partition, record.Key, receivedAt, record.Timestamp})
	}
	switch v := value.(type) {
	case *schemas.ContentEvent:
		published(v.ReceivedAt)
	case *schemas.MessageEvent:
		published(v.ReceivedAt)
	case *schemas.ActivityEvent:
		published(v.ReceivedAt)
	case *schemas.ReplyResult:
		s.commands = append(s.commands, command{v.CommandID, int32(v.SourcePartition), v.SourceOffset, record.Timestamp})
	case *schemas.ReplyCommand:
		at := command{v.CommandID, record.Partition, record.Offset, record.Timestamp}
		if letter, ok := deadletter.Parse(record.Headers); ok && record.Topic == s.t.deps.Topics.RepliesDLQ {
			at.partition, at.offset = letter.Partition, letter.Offset
		}
		s.commands = append(s.commands, at)
	}
}

// complete finds what belongs to what was found by an id: the arrivals of
// events; the records, attempts, results and letters of commands.
func (s *search) complete(ctx context.Context) error {
	if err := s.arrivals(ctx); err != nil {
		return err
	}
	for _, c := range s.commands { // what is found meanwhile is of these
		if err := s.at(ctx, part{s.t.deps.Topics.Replies, c.partition}, c.offset); err != nil {
			return err
		}
	}
	return s.outcomes(ctx)
}

// arrivals finds what the events were when they came in.
func (s *search) arrivals(ctx context.Context) error {
	first, last := map[int32]time.Time{}, map[int32]time.Time{}
	keys, received := map[string]bool{}, map[int64]bool{}
	for _, e := range s.events {
		keys[string(e.key)], received[e.receivedAt.UnixMilli()] = true, true
		if at, ok := first[e.partition]; !ok || e.receivedAt.Before(at) {
			first[e.partition] = e.receivedAt
		}
		if e.published.After(last[e.partition]) {
			last[e.partition] = e.published
		}
	}
	of := wanted{
		maybe: func(r *kgo.Record) bool { return keys[string(r.Key)] },
		is: func(_ *kgo.Record, value schemas.Value) bool {
			arrival, ok := value.(*schemas.Arrival)
			return ok && received[arrival.ReceivedAt.UnixMilli()]
		},
	}
	for partition := range first {
		if err := s.between(ctx, part{s.t.deps.Topics.Inbox, partition}, first[partition], last[partition], of); err != nil {
			return err
		}
	}
	return nil
}

// between takes what is wanted of a part between two times.
func (s *search) between(ctx context.Context, p part, from, to time.Time, want wanted) error {
	end, _ := s.ends.Lookup(p.topic, p.partition)
	lasts, err := s.firsts(ctx, to.Add(clockSlack), map[part]int64{p: end.Offset})
	if err != nil {
		return err
	}
	firsts, err := s.firsts(ctx, from.Add(-clockSlack), lasts)
	if err != nil {
		return err
	}
	return s.read(ctx, p, firsts[p], lasts[p], want)
}

// at takes the record at an offset, where it is still there.
func (s *search) at(ctx context.Context, p part, offset int64) error {
	begin, _ := s.begins.Lookup(p.topic, p.partition)
	end, ok := s.ends.Lookup(p.topic, p.partition)
	_, known := s.found[place{p.topic, p.partition, offset}]
	if known || !ok || offset < begin.Offset || offset >= end.Offset {
		return nil
	}
	whatever := wanted{maybe: func(*kgo.Record) bool { return true }, is: func(*kgo.Record, schemas.Value) bool { return true }}
	return s.read(ctx, p, offset, offset+1, whatever)
}

// outcomes finds the attempts, results and letters of the commands.
func (s *search) outcomes(ctx context.Context) error {
	wantedIDs, since := map[string]bool{}, map[int32]time.Time{}
	for _, c := range s.commands {
		wantedIDs[c.id] = true
		if at, ok := since[c.partition]; !ok || c.at.Before(at) {
			since[c.partition] = c.at
		}
	}
	of := wanted{
		maybe: func(r *kgo.Record) bool { return r.Topic == s.t.deps.Topics.RepliesDLQ || wantedIDs[string(r.Key)] },
		is: func(_ *kgo.Record, value schemas.Value) bool {
			switch v := value.(type) {
			case *schemas.ReplyResult:
				return wantedIDs[v.CommandID]
			case *schemas.ReplyCommand:
				return wantedIDs[v.CommandID]
			}
			return false
		},
	}
	n := s.t.deps.Topics
	for partition, begun := range since {
		if err := s.between(ctx, part{n.Results, partition}, begun, time.Now(), of); err != nil {
			return err
		}
		letters := part{n.RepliesDLQ, partition % max(1, int32(len(s.ends[n.RepliesDLQ])))}
		if err := s.between(ctx, letters, begun, time.Now(), of); err != nil {
			return err
		}
	}
	return nil
}
