package letters

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/schemas"
)

// A State is what became of a letter.
type State string

// The states of a letter; the package's documentation draws them.
const (
	Waiting   State = "waiting"
	Redriven  State = "redriven"
	Aside     State = "set aside"
	Succeeded State = "succeeded" // its command has, meanwhile
	Discarded State = "discarded"
)

// fate is what decides the state of a letter.
type fate struct {
	discarded, redriven, succeeded bool
	rounds                         int // how often it was sent back before
}

func (f fate) state(maxRounds int) State {
	switch {
	case f.discarded:
		return Discarded
	case f.redriven:
		return Redriven
	case f.succeeded:
		return Succeeded
	case f.rounds >= maxRounds:
		return Aside
	}
	return Waiting
}

// A Letter is a dead letter without its value. It holds no part of the record,
// so that keeping it keeps nothing else in memory.
type Letter struct {
	Position  Position
	Info      deadletter.Letter
	Key       string // the conversation; any bytes
	CommandID string // "" where it has none, or it can't be read
	State     State
}

// is tells whether the text names the letter.
func (l *Letter) is(which string) bool {
	if at, ok := ParsePosition(which); ok && at == l.Position {
		return true
	}
	return which != "" && which == l.CommandID
}

// A Whole is a letter with all that is known of it. The record must not be kept.
type Whole struct {
	Letter
	Record *kgo.Record
	// Command is nil in a letter of the inbox, and where it can't be decoded.
	Command *schemas.ReplyCommand
	// Results is what the ledger still holds of the command, oldest first: each
	// attempt, then how it ended. Compaction leaves the newest.
	Results []schemas.ReplyResult
}

// found is a letter while it is being read.
type found struct {
	Letter
	record  *kgo.Record
	command *schemas.ReplyCommand
	before  int64 // offset of the letter before it in its partition; -1 = it is the first
}

// A Position is a letter's place on its topic.
type Position struct {
	Partition int32
	Offset    int64
}

// String returns partition/offset.
func (p Position) String() string { return fmt.Sprintf("%d/%d", p.Partition, p.Offset) }

func (p Position) compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Partition, q.Partition), cmp.Compare(p.Offset, q.Offset))
}

// ParsePosition reads what String returns.
func ParsePosition(text string) (p Position, ok bool) {
	partition, offset, ok := strings.Cut(text, "/")
	n, err1 := strconv.ParseInt(partition, 10, 32)
	m, err2 := strconv.ParseInt(offset, 10, 64)
	return Position{int32(n), m}, ok && err1 == nil && err2 == nil
}
