package letters

import (
	"context"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// A ReadFunc hands every committed record of a topic to each, partition after
// partition in ascending order, up to the end as it stood when the partition was
// begun. It stops early, without an error, when each returns false.
type ReadFunc func(ctx context.Context, topic string, each func(*kgo.Record) bool) error

// Event is something that came in, as the inbox holds it: all of the arrival but
// its id, its account and its time.
type Event struct {
	Key     string // the conversation; "" = it belongs to none
	Arrival schemas.Arrival
}

// A SplitFunc takes a letter of the inbox apart into the events that go back, as
// the receiver would: contentType and contentEncoding are those that the bytes came
// with, empty for a single event. An error says what the bytes are not; it is shown
// to people.
type SplitFunc func(value []byte, contentType, contentEncoding string) ([]Event, error)

// Deps is what an Office works with. It closes none of it.
type Deps struct {
	Topics  kafka.Names
	Read    ReadFunc
	Options []kgo.Opt // how to reach the brokers, to read parts of topics with
	Admin   *kadm.Client
	Codec   *schemas.Codec
	Split   SplitFunc
	Logger  *slog.Logger // nil = nothing is logged
}

// Office is where dead letters are dealt with. It is safe for concurrent use:
// what changes anything is done one after another.
type Office struct {
	deps Deps
	mu   sync.Mutex // held while letters are sent back or discarded
}

// New returns an office.
func New(deps Deps) *Office {
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	return &Office{deps: deps}
}

// topic returns the full name of the topic of the source's letters.
func (o *Office) topic(s Source) string {
	if s == Inbox {
		return o.deps.Topics.InboxDLQ
	}
	return o.deps.Topics.RepliesDLQ
}
