package letters

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unique"

	"github.com/ringbridge/ringbridge/internal/deadletter"
)

// maxShown is how many bytes of a message a line keeps.
const maxShown = 160

// A line is a letter on the shelf, in as little memory as serves. Reasons and
// messages are few, and shared.
type line struct {
	at           time.Time
	offset       int64
	conversation string
	commandID    string
	reason       unique.Handle[deadletter.Reason]
	message      unique.Handle[string]
	same         *line // the letter of the same command that came before
	partition    int32
	status       int32
	attempts     int32
	rounds       int32

	discarded, redriven, succeeded bool
}

func newLine(l Letter) *line {
	return &line{
		at: l.Info.FailedAt, partition: l.Position.Partition, offset: l.Position.Offset,
		conversation: kept(l.Key), commandID: kept(l.CommandID),
		reason: unique.Make(deadletter.Reason(strings.Clone(string(l.Info.Reason)))), message: unique.Make(strings.Clone(oneLine(l.Info.Message))),
		status: int32(l.Info.HTTPStatus), attempts: int32(l.Info.Attempts), rounds: int32(l.Info.Redrives),
	}
}

// kept returns a copy of a text, so that a short one keeps no long one in memory.
func kept(text string) string { return strings.Clone(text[:min(len(text), maxKept)]) }

// oneLine returns the beginning of a text without what would break a line.
func oneLine(text string) string {
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text[:min(len(text), maxShown)]), "")
}

func (l *line) position() Position { return Position{l.partition, l.offset} }

// tell sets what choices go by. One letter serves for all lines: a hundred
// thousand new ones would take most of a page's time.
func (l *line) tell(letter *Letter, maxRounds int) {
	letter.Position, letter.Key, letter.CommandID = l.position(), l.conversation, l.commandID
	letter.Info.Reason, letter.Info.FailedAt = l.reason.Value(), l.at
	letter.State = fate{
		discarded: l.discarded, redriven: l.redriven, succeeded: l.succeeded, rounds: int(l.rounds),
	}.state(maxRounds)
}

func (l *line) line(letter *Letter) Line {
	return Line{
		Position: letter.Position, At: l.at, Reason: letter.Info.Reason, Conversation: l.conversation, CommandID: l.commandID,
		Attempts: int(l.attempts), Rounds: int(l.rounds), HTTPStatus: int(l.status), Message: l.message.Value(), State: letter.State,
	}
}

// A stack is the lines of one source.
type stack struct {
	lines     []*line          // the oldest first, unless ragged
	ragged    bool             // some were added out of order
	byCommand map[string]*line // the last that was added of each command
	cut       bool             // there were more than maxLines
	filled    bool             // all that there was has been read
}

func (s *stack) add(l *line) {
	if n := len(s.lines); n > 0 && l.compare(s.lines[n-1]) < 0 {
		s.ragged = true
	}
	s.lines = append(s.lines, l)
	s.index(l)
	if len(s.lines) > maxLines+maxLines/10 { // seldom: it costs a sort
		s.drop(func(i int, _ *line) bool { return i < len(s.lines)-maxLines })
		s.cut = true
	}
}

func (s *stack) index(l *line) {
	if l.commandID == "" {
		return
	}
	if s.byCommand == nil {
		s.byCommand = map[string]*line{}
	}
	l.same = s.byCommand[l.commandID]
	s.byCommand[l.commandID] = l
}

func (l *line) compare(m *line) int {
	return cmp.Or(l.at.Compare(m.at), l.position().compare(m.position()))
}

// sorted returns the lines, the oldest first. Partitions are read side by side,
// so at the start they come out of order; later seldom.
func (s *stack) sorted() []*line {
	if s.ragged {
		slices.SortFunc(s.lines, (*line).compare)
		s.ragged = false
	}
	return s.lines
}

// drop takes lines off the shelf.
func (s *stack) drop(gone func(i int, l *line) bool) {
	i := -1
	kept := slices.DeleteFunc(slices.Clone(s.sorted()), func(l *line) bool { i++; return gone(i, l) })
	if len(kept) == len(s.lines) {
		return
	}
	s.lines, s.byCommand = kept, nil
	for _, l := range kept {
		s.index(l)
	}
}

// succeed notes that a command has succeeded.
func (s *stack) succeed(commandID string) {
	for l := s.byCommand[kept(commandID)]; l != nil; l = l.same {
		l.succeeded = true
	}
}

// oldestOpen returns when the oldest of the letters was given up that may have
// succeeded meanwhile; ok is false where there is none.
func (s *stack) oldestOpen() (at time.Time, ok bool) {
	for _, l := range s.sorted() {
		if l.commandID != "" && !l.discarded && !l.redriven {
			return l.at, true
		}
	}
	return time.Time{}, false
}
