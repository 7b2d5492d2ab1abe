package letters

import (
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/deadletter"
)

// A Source is the topic that letters were given up from, by its short name.
type Source string

// The sources of the contract.
const (
	Replies Source = "replies" // commands
	Inbox   Source = "inbox"   // what came in
)

const dlqSuffix = ".dlq"

// ParseSource reads the name of a source, or of the topic of its letters.
func ParseSource(text string) (s Source, ok bool) {
	s = Source(strings.TrimSuffix(text, dlqSuffix))
	return s, s == Replies || s == Inbox
}

// Topic returns the short name of the topic that holds the letters.
func (s Source) Topic() string { return string(s) + dlqSuffix }

// DefaultMaxRounds is how often a letter is sent back by default: after three
// rounds its fault is not the weather's.
const DefaultMaxRounds = 3

// A Choice says which letters are meant; the zero value of a field but Source
// means all.
type Choice struct {
	Source       Source
	Reasons      []deadletter.Reason
	Since, Until time.Time // given up at or after, and before
	Conversation string    // the letter's key
	States       []State   // what became of them
	Which        []string  // positions, or ids of commands
	Limit        int       // at most so many letters

	// MaxRounds is how often a letter is sent back before it is set aside; 0 =
	// DefaultMaxRounds.
	MaxRounds int
}

func (c Choice) maxRounds() int {
	if c.MaxRounds == 0 {
		return DefaultMaxRounds
	}
	return c.MaxRounds
}

// means tells whether letters in the state are meant.
func (c Choice) means(s State) bool { return len(c.States) == 0 || slices.Contains(c.States, s) }

// positions returns where the letters are, if the choice names them by their
// positions alone.
func (c Choice) positions() (all []Position) {
	for _, which := range c.Which {
		p, ok := ParsePosition(which)
		if !ok {
			return nil
		}
		all = append(all, p)
	}
	return all
}

// includes tells whether a letter is meant, whatever became of it.
func (c Choice) includes(l *Letter) bool {
	at := l.Info.FailedAt
	return (len(c.Reasons) == 0 || slices.Contains(c.Reasons, l.Info.Reason)) &&
		(c.Since.IsZero() || !at.Before(c.Since)) &&
		(c.Until.IsZero() || at.Before(c.Until)) &&
		(c.Conversation == "" || c.Conversation == l.Key) &&
		(len(c.Which) == 0 || slices.ContainsFunc(c.Which, l.is))
}
