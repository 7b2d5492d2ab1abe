package publish

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/schemas"
)

// EventID gives tests the ids of events.
func EventID(account string, api schemas.Api, resource, eventType, occurrence string) string {
	return eventID(account, api, resource, eventType, occurrence)
}

// A State is the dedupe state of one partition, without Kafka.
type State struct{ shard *shard }

// NewState returns an empty one.
func NewState() State { return State{&shard{entries: map[digest]string{}}} }

// Take publishes an arrival: the event it becomes, nil for a repetition, or the
// reason why it becomes a letter.
func (s State) Take(a schemas.Arrival) (schemas.Value, error) {
	finding, err := parse(&a)
	if err != nil {
		return nil, err
	}
	values, err := s.take(a, finding)
	if len(values) == 0 {
		return nil, err
	}
	return values[0], err
}

// TakeAll is Take for arrivals that become several events.
func (s State) TakeAll(a schemas.Arrival) ([]schemas.Value, error) {
	finding, err := parse(&a)
	if err != nil {
		return nil, err
	}
	return s.take(a, finding)
}

// TakeWith is TakeAll for the arrival of a content with what was fetched for it: the answer of a GET
// of the content and its author; nil = nothing.
func (s State) TakeWith(a schemas.Arrival, answer []byte, begun time.Time, author *schemas.Identity) ([]schemas.Value, error) {
	finding, err := parse(&a)
	if err != nil {
		return nil, err
	}
	u := &unit{record: &kgo.Record{}, arrival: a, finding: finding, author: author}
	if answer != nil {
		u.completion = &completion{body: answer, at: begun}
	}
	return s.publish(u)
}

func (s State) take(a schemas.Arrival, finding finding) ([]schemas.Value, error) {
	return s.publish(&unit{record: &kgo.Record{}, arrival: a, finding: finding})
}

// Put stores an entry as it is.
func (s State) Put(key, entry string) { s.shard.entries[digestOf([]byte(key))] = entry }

// Restart reads the state from its entries, as another process does.
func (s State) Restart() State {
	entries := map[digest]string{}
	for d, entry := range s.shard.entries {
		entries[d] = string([]byte(entry))
	}
	return State{&shard{entries: entries}}
}

func (s State) publish(u *unit) ([]schemas.Value, error) {
	st := newStage(s.shard)
	if err := u.weigh(st); err != nil {
		return nil, err
	}
	st.merge()
	var values []schemas.Value
	for _, e := range u.events {
		values = append(values, e.value)
	}
	return values, nil
}

// Writes tells how many entries taking the arrival would write.
func (s State) Writes(a schemas.Arrival) int {
	finding, _ := parse(&a)
	u := &unit{record: &kgo.Record{}, arrival: a, finding: finding}
	st := newStage(s.shard)
	_ = u.weigh(st)
	return len(st.order)
}

// ReadContentEntry reads a stored entry.
func ReadContentEntry(entry string) error {
	_, err := readContentState(entry)
	return err
}

// ReadIdentityEntry reads a stored entry.
func ReadIdentityEntry(entry string) error {
	_, err := readIdentityState(entry)
	return err
}

// TraceOf gives the trace of a record with these headers.
func TraceOf(headers []kgo.RecordHeader) string { return traceOf(&kgo.Record{Headers: headers}) }

// ReadMessageEntry reads a stored entry.
func ReadMessageEntry(entry string) error {
	_, err := readMessageState(entry)
	return err
}

// A Reading is what a parser says about an arrival, beside its resource.
type Reading struct {
	Complete      bool
	Told, Derived map[string]bool
	Changed       *time.Time
	Odd           []string
}

// Read parses an arrival.
func Read(a schemas.Arrival) (Reading, error) {
	finding, err := parse(&a)
	if err != nil {
		return Reading{}, err
	}
	_, odd := oddOf(finding)
	switch f := finding.(type) {
	case *contentFinding:
		return Reading{f.complete, f.told, f.derived, f.changed, odd}, nil
	case *messageFinding:
		return Reading{f.complete, f.told, f.derived, f.changed, odd}, nil
	case *identityFinding:
		return Reading{Changed: f.changed, Odd: odd}, nil
	}
	return Reading{Odd: odd}, nil
}

// ContentBody reads the answer of a single read of a content.
func ContentBody(body []byte, api schemas.Api, received time.Time) (schemas.Content, bool, error) {
	f, err := parseContentBody(body, api, received)
	if err != nil {
		return schemas.Content{}, false, err
	}
	return f.content, f.complete, nil
}

// RememberedFields are the names of the fields of contents and messages that the state remembers.
func RememberedFields() (content, message []string) {
	for _, f := range contentFields {
		content = append(content, f.name)
	}
	for _, f := range messageFields {
		message = append(message, f.name)
	}
	return content, message
}
