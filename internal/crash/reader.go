package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// A reader reads what a consumer that is not of the bridge sees, committed records only, and writes it into the book.
type reader struct {
	names  kafka.Names
	client *kgo.Client
	admin  *kadm.Client
	codec  *schemas.Codec
	book   *Book

	mu   sync.Mutex
	next map[string]map[int32]int64 // the position after what was read
	last map[string]map[int32]int64 // the newest record that is no transaction's marker
	err  error
}

func newReader(brokers string, names kafka.Names, codec *schemas.Codec, book *Book) (*reader, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers),
		kgo.ConsumeTopics(names.Inbox, names.InboxDLQ, names.Contents, names.Messages, names.Activity, names.Replies, names.Results),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // only so is the end of a partition known to be reached
	)
	if err != nil {
		return nil, fmt.Errorf("crash: reader: %w", err)
	}
	return &reader{
		names: names, client: client, admin: kadm.NewClient(client), codec: codec, book: book,
		next: map[string]map[int32]int64{}, last: map[string]map[int32]int64{},
	}, nil
}

// run reads until ctx is done.
func (r *reader) run(ctx context.Context) {
	for ctx.Err() == nil {
		r.client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
			var err error
			if !record.Attrs.IsControl() {
				err = r.enter(ctx, record)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.err = errors.Join(r.err, err)
			put(r.next, record, record.Offset+1)
			if !record.Attrs.IsControl() {
				put(r.last, record, record.Offset)
			}
		})
	}
}

func put(to map[string]map[int32]int64, record *kgo.Record, offset int64) {
	if to[record.Topic] == nil {
		to[record.Topic] = map[int32]int64{}
	}
	to[record.Topic][record.Partition] = offset
}

// enter writes a record into the book. One that cannot be decoded is an error of the bridge.
func (r *reader) enter(ctx context.Context, record *kgo.Record) error {
	switch record.Topic {
	case r.names.InboxDLQ:
		r.book.Letter()
	case r.names.Contents:
		return decoded(ctx, r.codec, record, r.content)
	case r.names.Messages:
		return decoded(ctx, r.codec, record, r.message)
	case r.names.Activity:
		return decoded(ctx, r.codec, record, func(e schemas.ActivityEvent) { r.book.Event(e.EventID, "", false) })
	case r.names.Results:
		return decoded(ctx, r.codec, record, r.result)
	}
	return nil
}

// pointer is what a value of the schemas is decoded into.
type pointer[V any] interface {
	*V
	schemas.Value
}

func decoded[V any, P pointer[V]](ctx context.Context, codec *schemas.Codec, record *kgo.Record, write func(V)) error {
	var value V
	if err := codec.Decode(ctx, record.Value, P(&value)); err != nil {
		return fmt.Errorf("crash: %s: %w", record.Topic, err)
	}
	write(value)
	return nil
}

func (r *reader) content(e schemas.ContentEvent) {
	first := e.EventType == "content.imported" || e.EventType == "content.replied"
	update := e.EventType == "content.updated"
	r.book.Event(e.EventID, e.Content.ID, first)
	r.book.Shows(e.Content.ID, at(&e.ReceivedAt), whole(e.Content, e.Author), update)
	r.book.State(e.Content.ID, contentState(&e.Content))
	switch {
	case first:
		r.book.Told(e.Content.ID, e.Content.Body)
	case update:
		r.book.Retold(e.Content.ID, e.Content.Body)
	}
}

func (r *reader) message(e schemas.MessageEvent) {
	first := e.EventType == "message.received" || e.EventType == "message.sent"
	r.book.Event(e.EventID, e.Message.ID, first)
	r.book.Shows(e.Message.ID, at(&e.ReceivedAt), whole(e.Message), e.EventType == "message.updated")
	r.book.State(e.Message.ID, messageState(&e.Message))
	switch {
	case first, e.EventType == "message.status_changed":
		r.book.Told(e.Message.ID, text(e.Message.Status))
	case e.EventType == "message.deleted":
		r.book.Told(e.Message.ID, stateDeleted)
	}
}

func (r *reader) result(result schemas.ReplyResult) {
	if result.State != schemas.ReplyStateAttempting {
		r.book.End(result.CommandID, Final{
			Succeeded: result.State == schemas.ReplyStateSucceeded, Reason: text(result.Reason), Resource: text(result.ResourceID),
		})
	}
}

// caughtUp tells whether both groups have worked off their topics, no transaction is open, and all of it was read. It
// returns an error when a record could not be decoded.
func (r *reader) caughtUp(ctx context.Context) (bool, error) {
	ends, err := r.admin.ListEndOffsets(ctx, r.names.Inbox, r.names.InboxDLQ, r.names.Contents, r.names.Messages, r.names.Activity, r.names.Replies, r.names.Results)
	if err != nil {
		return false, nil //nolint:nilerr // the broker is coming back: asked again
	}
	done := true
	r.mu.Lock()
	ends.Each(func(end kadm.ListedOffset) {
		done = done && end.Err == nil && r.next[end.Topic][end.Partition] >= end.Offset
	})
	err = r.err
	r.mu.Unlock()
	if !done || err != nil {
		return false, err
	}
	return r.committed(ctx, "publish", r.names.Inbox) && r.committed(ctx, "replies", r.names.Replies), nil
}

func (r *reader) committed(ctx context.Context, stage, topic string) bool {
	offsets, err := r.admin.FetchOffsets(ctx, r.names.Group(stage))
	if err != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for partition, last := range r.last[topic] {
		if at, ok := offsets.Lookup(topic, partition); !ok || at.At <= last {
			return false
		}
	}
	return true
}

// whole is all that an event shows, without what is the event's own.
func whole(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		panic(fmt.Sprintf("crash: %v", err)) // strings and times always encode
	}
	return string(text)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
