package timeline

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// Deps is what a Timeline works with.
type Deps struct {
	Options []kgo.Opt // how to reach the brokers; each call has a client of its own
	Topics  kafka.Names
	Codec   *schemas.Codec
}

// A Timeline reads the topics. It is safe for concurrent use.
type Timeline struct {
	deps  Deps
	short map[string]string // topics' names without the prefix, by their full names
}

// New returns a timeline. It reaches for no broker yet.
func New(deps Deps) *Timeline { return &Timeline{deps: deps, short: shortNames(deps.Topics)} }

// A Query says what to find.
type Query struct {
	// ID is a conversation (the key of its records, such as a thread's id), or the
	// id of a content, a message, an event or a command.
	ID    string
	Since time.Time // nothing older is read; zero = all that the topics hold
}

// A Story is what was found.
type Story struct {
	Moments []Moment // in the order of time
	// SearchedFrom is the time from which on everything was read; zero = from the
	// topics' beginnings. What is older may be missing.
	SearchedFrom time.Time
	// Complete tells whether everything since the query's Since was read. If not,
	// the search met one of its bounds; the newest was read first.
	Complete bool
}

// A Moment is one record.
type Moment struct {
	At           time.Time
	Kind         Kind
	Topic        string // its name without the prefix
	Partition    int32
	Offset       int64
	Title        string // in plain words; it holds nothing that customers write
	Conversation string // "" = it belongs to none; any bytes
	CommandID    string // of a command, attempt, result or letter
	ResourceID   string // the content, message or other resource that it is about
	// Record is the record's value as a tree of JSON, as encoding/json has it, with
	// numbers as json.Number. What can't be decoded is a text.
	Record any
}

// Kind is what a moment is. The set is closed.
type Kind string

// The kinds of moments.
const (
	Arrival Kind = "arrival" // it came in
	Event   Kind = "event"   // it was published
	Command Kind = "command" // somebody asked for a reply
	Attempt Kind = "attempt" // a call went out
	Result  Kind = "result"  // how the command ended
	Letter  Kind = "letter"  // it was given up
)
