package console

import (
	"context"
	"time"

	"github.com/ringbridge/ringbridge/internal/letters"
	"github.com/ringbridge/ringbridge/internal/timeline"
)

// Data is what the console can show and do once the process has reached Kafka.
type Data struct {
	Letters  Letters
	Shelf    Shelf // whose lines the lists are made of
	Timeline Timeline
	// Unfinished returns the commands that the process holds; nil = it runs no
	// consume stage. It is safe for concurrent use.
	Unfinished func() []Unfinished
	// Lag asks how much waits on the topics.
	Lag func(context.Context) ([]Lag, error)
}

// Letters deals with dead letters: letters.Office does, with what it takes to send
// them back. It is safe for concurrent use.
type Letters interface {
	// Plan finds what an action would do, and changes nothing.
	Plan(ctx context.Context, action letters.Action, choice letters.Choice, each func(letters.Step) error) (*letters.Plan, error)
	// SendBack carries such a plan out, at a bounded rate. It returns how many were
	// sent; each is called after every one.
	SendBack(ctx context.Context, plan *letters.Plan, by string, each func(letters.Letter)) (int, error)
	// Discard carries such a plan out.
	Discard(ctx context.Context, plan *letters.Plan, by string, each func(letters.Letter)) (int, error)
	// Show hands over the letters that the choice names, whole.
	Show(ctx context.Context, choice letters.Choice, each func(letters.Whole) error) error
}

// Shelf has a line of every letter at hand; letters.Shelf does. It is safe for
// concurrent use.
type Shelf interface {
	Page(choice letters.Choice, after *letters.Position, limit int) (lines []letters.Line, matching int, byReason letters.Histogram, complete bool)
}

// Timeline knows what the topics hold; timeline.Timeline does. It is safe for
// concurrent use.
type Timeline interface {
	Find(ctx context.Context, query timeline.Query) (timeline.Story, error)
	Follow(ctx context.Context, topics []string, each func(moment timeline.Moment, dropped int)) error
}

// Unfinished is a command that the process holds and has not ended.
type Unfinished struct {
	CommandID, Conversation, Action, API string
	Partition                            int32
	Offset                               int64
	IssuedAt, Since                      time.Time
	Attempts                             int
	Next                                 time.Time // zero = now, or it has no time
	Doing                                string
	LastError                            string
	LastStatus                           int
	Behind                               int // commands of the conversation that wait behind it
}

// Lag is how much of a topic a consumer group of ours has not dealt with.
type Lag struct {
	Topic   string // its short name
	Records int64
}

// Connect gives the console what takes Kafka.
func (c *Console) Connect(data Data) { c.data.Store(&data) }

// lagTimeout bounds the question: what has no answer then is not drawn.
const lagTimeout = 3 * time.Second

// lag asks how far behind the process's groups are; nil while it can't be told.
func (c *Console) lag(ctx context.Context) []Lag {
	data := c.data.Load()
	if data == nil || data.Lag == nil {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, lagTimeout)
	defer cancel()
	lag, err := data.Lag(bounded)
	if err != nil {
		return nil // health says what is wrong with Kafka
	}
	return lag
}
