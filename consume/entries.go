package consume

import (
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/schemas"
)

// An entry is what the ledger says of a command.
type entry struct {
	state        schemas.ReplyState
	reason       deadletter.Reason // of a dead letter
	attempts     int               // calls that count so far
	at           time.Time         // when it was recorded, by the clock of who did
	known        time.Time         // since when this process knows it, by its own clock
	firstAttempt time.Time         // when the first call was about to go out, by the API's clock; zero = none was
	firstFailed  time.Time         // when it failed first; zero = it did not
	redrives     int               // how often it had been sent back from the dead letters
	resource     string            // the content it made
	overruled    bool              // it is aborted, and may have been committed all the same
}

// The ledger's own headers on the results topic: what the schema has no field
// for, and a successor needs.
const (
	headerFirstAttempt = "ringbridge.reply.first.attempt.at"
	headerFirstFailed  = "ringbridge.reply.first.failed.at"
	headerRedrives     = "ringbridge.reply.redrives"
)

// headers writes them.
func (e entry) headers() (headers []kgo.RecordHeader) {
	instant := func(key string, t time.Time) {
		if !t.IsZero() {
			headers = append(headers, kgo.RecordHeader{Key: key, Value: []byte(t.UTC().Format(time.RFC3339Nano))})
		}
	}
	instant(headerFirstAttempt, e.firstAttempt)
	instant(headerFirstFailed, e.firstFailed)
	if e.redrives > 0 {
		headers = append(headers, kgo.RecordHeader{Key: headerRedrives, Value: []byte(strconv.Itoa(e.redrives))})
	}
	return headers
}

// entryOf reads a record of the results topic.
func entryOf(result *schemas.ReplyResult, headers []kgo.RecordHeader) entry {
	e := entry{state: result.State, attempts: result.Attempts, at: result.At}
	if result.Reason != nil {
		e.reason = deadletter.Reason(*result.Reason)
	}
	if result.ResourceID != nil {
		e.resource = *result.ResourceID
	}
	for _, h := range headers {
		switch h.Key {
		case headerFirstAttempt:
			e.firstAttempt, _ = time.Parse(time.RFC3339Nano, string(h.Value))
		case headerFirstFailed:
			e.firstFailed, _ = time.Parse(time.RFC3339Nano, string(h.Value))
		case headerRedrives:
			e.redrives, _ = strconv.Atoi(string(h.Value))
		}
	}
	return e
}

func (e entry) final() bool {
	return e.state == schemas.ReplyStateSucceeded || e.state == schemas.ReplyStateDeadLettered
}

// entries holds the entry of every command of a partition. Those that are final,
// nearly all, are kept small: a hash and two bytes. It is not safe for
// concurrent use.
type entries struct {
	final map[idHash]finalEntry
	open  map[idHash]entry
}

type idHash [16]byte

type finalEntry struct {
	succeeded bool
	ambiguous bool
	redrives  uint16
}

func newEntries() *entries {
	return &entries{final: map[idHash]finalEntry{}, open: map[idHash]entry{}}
}

func hashID(commandID string) idHash {
	sum := sha256.Sum256([]byte(commandID))
	return idHash(sum[:16])
}

func (s *entries) set(commandID string, e entry) {
	id := hashID(commandID)
	e.known = time.Now()
	if !e.final() {
		delete(s.final, id)
		s.open[id] = e
		return
	}
	s.final[id] = finalEntry{
		succeeded: e.state == schemas.ReplyStateSucceeded,
		ambiguous: e.reason == deadletter.Ambiguous,
		redrives:  uint16(min(e.redrives, 1<<16-1)),
	}
	if e.reason == deadletter.Ambiguous {
		s.open[id] = e // a redrive begins by looking its effect up
		return
	}
	delete(s.open, id)
}

// suspect notes an attempt that is not on record, and whose call may have gone out all the same. What is on record says more.
func (s *entries) suspect(commandID string, attempt entry) {
	if known := s.look(commandID, attempt.redrives); known.duplicate || known.unknown {
		return
	}
	attempt.overruled = true
	attempt.attempts = max(0, attempt.attempts-1) // it counts once its effect is found
	s.set(commandID, attempt)
}

// A history is what is known of a command when its record comes in.
type history struct {
	duplicate bool  // it has ended: nothing is done
	unknown   bool  // a call went out, or was about to, and its outcome is not known
	last      entry // where unknown
}

// look tells the history of a command whose record was sent back redrives times.
func (s *entries) look(commandID string, redrives int) history {
	id := hashID(commandID)
	last, isOpen := s.open[id]
	if f, ok := s.final[id]; ok {
		if f.succeeded || redrives <= int(f.redrives) {
			return history{duplicate: true}
		}
		return history{unknown: f.ambiguous && isOpen, last: last}
	}
	return history{unknown: isOpen, last: last}
}
