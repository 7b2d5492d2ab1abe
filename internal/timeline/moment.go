package timeline

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// shortNames returns the topics' names without the prefix, by their full names.
func shortNames(n kafka.Names) map[string]string {
	short := kafka.TopicNames("")
	return map[string]string{
		n.Inbox: short.Inbox, n.InboxDLQ: short.InboxDLQ,
		n.Contents: short.Contents, n.Identities: short.Identities, n.Messages: short.Messages, n.Activity: short.Activity,
		n.Replies: short.Replies, n.Results: short.Results, n.RepliesDLQ: short.RepliesDLQ,
	}
}

// schemaOf returns the topic whose schema the values of a topic have: a letter
// of replies holds the command's own bytes.
func schemaOf(topic string) string {
	if topic == kafka.TopicNames("").RepliesDLQ {
		return kafka.TopicNames("").Replies
	}
	return topic
}

// decode reads a record's value; nil = it can't be read. The error is an outage
// of the registry.
func (t *Timeline) decode(ctx context.Context, record *kgo.Record) (schemas.Value, error) {
	value, ok := schemas.New(schemaOf(t.short[record.Topic]))
	if !ok || record.Value == nil {
		return nil, nil
	}
	err := t.deps.Codec.Decode(ctx, record.Value, value)
	if _, undecodable := errors.AsType[*schemas.UndecodableError](err); undecodable {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("timeline: %w", err)
	}
	return value, nil
}

// moment tells what a record is; value is what decode made of it.
func (t *Timeline) moment(record *kgo.Record, value schemas.Value) Moment {
	m := Moment{
		At: record.Timestamp.UTC(), Kind: Event, Topic: t.short[record.Topic], Partition: record.Partition, Offset: record.Offset,
		Conversation: string(record.Key), Record: tree(value),
	}
	if value == nil {
		m.Title, m.Record = "cannot be decoded", plain(record.Value)
	}
	switch record.Topic {
	case t.deps.Topics.Inbox:
		m.Kind = Arrival
	case t.deps.Topics.Replies:
		m.Kind = Command
	case t.deps.Topics.Results:
		m.Kind = Result
	}
	m.describe(value)
	if record.Topic == t.deps.Topics.RepliesDLQ || record.Topic == t.deps.Topics.InboxDLQ {
		m.letter(record.Headers)
	}
	return m
}

// describe fills in what the value says.
func (m *Moment) describe(value schemas.Value) {
	switch v := value.(type) {
	case *schemas.Arrival:
		m.At, m.ResourceID = v.ReceivedAt, text(v.ResourceID)
		m.Title = "came in by " + strings.ToLower(string(v.Origin)) + ": " + v.Kind
	case *schemas.ContentEvent:
		m.ResourceID = v.Content.ID
		m.Title = words("published: "+v.EventType, strings.ToLower(string(v.Content.Direction)), text(v.Content.SourceType))
	case *schemas.MessageEvent:
		m.ResourceID = v.Message.ID
		m.Title = words("published: "+v.EventType, strings.ToLower(string(v.Message.Direction)), text(v.Message.Status))
	case *schemas.ActivityEvent:
		m.ResourceID = text(v.ResourceID)
		m.Title = "published: " + v.EventType
	case *schemas.Identity:
		m.Conversation, m.ResourceID = "", v.ID
		m.Title = "published: identity"
	case *schemas.ReplyCommand:
		m.CommandID = v.CommandID
		m.Title = words("command: "+schemas.ActionName(v.Action), issuer(v.IssuedBy))
	case *schemas.ReplyResult:
		m.result(v)
	}
}

func (m *Moment) result(v *schemas.ReplyResult) {
	m.At, m.Conversation, m.CommandID, m.ResourceID = v.At, v.Conversation, v.CommandID, text(v.ResourceID)
	switch {
	case v.State == schemas.ReplyStateAttempting:
		m.Kind, m.Title = Attempt, fmt.Sprintf("attempt %d begins", v.Attempts)
	case v.State == schemas.ReplyStateSucceeded && v.Recovered:
		m.Title = "succeeded: its effect was found by a look-up"
	case v.State == schemas.ReplyStateSucceeded:
		m.Title = "succeeded"
	default:
		m.Title = words("given up: "+text(v.Reason), status(v.HTTPStatus), counted(v.Attempts))
	}
}

// letter fills in what a letter's headers say.
func (m *Moment) letter(headers []kgo.RecordHeader) {
	info, _ := deadletter.Parse(headers)
	m.Kind, m.Title = Letter, words("dead letter: "+string(info.Reason), status(&info.HTTPStatus), sentBack(info.Redrives))
	if !info.FailedAt.IsZero() {
		m.At = info.FailedAt
	}
}

func status(code *int) string {
	if code == nil || *code == 0 {
		return ""
	}
	return fmt.Sprintf("HTTP %d", *code)
}

// issuer names who issued a command; "" when it does not say.
func issuer(name string) string {
	if name == "" {
		return ""
	}
	return "issued by " + name
}

// counted tells the number of attempts.
func counted(attempts int) string {
	if attempts == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", attempts)
}

// sentBack tells how often a letter had been sent back; "" when it had not.
func sentBack(times int) string {
	if times == 0 {
		return ""
	}
	return fmt.Sprintf("sent back %d× before", times)
}

// words joins what is not empty with commas.
func words(parts ...string) string {
	var some []string
	for _, part := range parts {
		if part != "" {
			some = append(some, part)
		}
	}
	return strings.Join(some, ", ")
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// tree returns a value as a tree of JSON. What an arrival received is shown as
// what it is, JSON most of the time, instead of base64.
func tree(value any) any {
	data, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	made := parse(data)
	if arrival, ok := value.(*schemas.Arrival); ok {
		if fields, ok := made.(map[string]any); ok {
			fields["body"] = plain(arrival.Body)
		}
	}
	return made
}

func parse(data []byte) (made any) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if decoder.Decode(&made) != nil {
		return nil
	}
	return made
}

// plain returns JSON as a tree, other text as it is, and the rest as base64.
func plain(data []byte) any {
	switch {
	case data == nil:
		return nil
	case json.Valid(data):
		return parse(data)
	}
	return Printable(data)
}

// Printable returns UTF-8 text as it is, and the rest as base64, which says so.
func Printable(data []byte) string {
	if utf8.Valid(data) && !bytes.ContainsRune(data, 0) {
		return string(data)
	}
	return "base64:" + base64.StdEncoding.EncodeToString(data)
}

// rank orders moments of the same time as they follow from each other.
func (k Kind) rank() int {
	for i, kind := range []Kind{Arrival, Event, Command, Attempt, Result, Letter} {
		if k == kind {
			return i
		}
	}
	return -1
}
