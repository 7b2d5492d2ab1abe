package consume

import (
	"strconv"
	"time"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// The ledger can be lost: somebody deletes the topic replies.results. Of a command that had not
// ended it is not known then whether a call went out. So each offset that is committed says by its
// metadata which topic the ledger was, and up to which command it held notes:
//
//	replies   committed             upto
//	   ───────────┼───────────────────┼──────────▶
//	     ended    │ an attempt may be │ none was
//	              │ on record         │ begun
//
// If the ledger is another one when the partition is read again, each command of the middle is
// looked up before it is sent, as after a crash. Those that had ended are not read again. But where
// one of them is produced again, with the same command_id, nobody can know.
const (
	noteLedger = "ledger" // the id of the topic
	noteUpTo   = "upto"   // the offset of replies, exclusive
)

// A record is what the committed offsets of a partition say of its ledger.
type record struct {
	facts    topicFacts
	upTo     int64  // the ledger holds no note on commands from this offset on
	lost     string // the id of a ledger that is gone; "" = none is
	doubtful int64  // commands before this offset may have an attempt there
}

// recordOf returns the record of a partition whose committed offset has this note.
func recordOf(facts topicFacts, note kafka.OffsetNote) record {
	r := record{facts: facts}
	r.upTo, _ = strconv.ParseInt(note[noteUpTo], 10, 64)
	if ledger := note[noteLedger]; ledger != "" && ledger != facts.results.String() {
		r.lost, r.doubtful = ledger, r.upTo
	}
	return r
}

// reach takes in that a note on the command at this offset is on record.
func (r *record) reach(offset int64) { r.upTo = max(r.upTo, offset+1) }

// doubts reports whether the command at this offset may have had an attempt on a ledger that is gone.
func (r *record) doubts(offset int64) bool { return offset < r.doubtful }

// note returns the metadata of a committed offset, when notes on commands before upTo are on record
// with it. The lost ledger stays in it until all that is in doubt has ended: the next owner must
// doubt it, too.
func (r *record) note(committed, upTo int64) string {
	note := kafka.NoteOf(r.facts.replies)
	note[noteLedger] = r.facts.results.String()
	if committed < r.doubtful {
		note[noteLedger] = r.lost
	}
	note[noteUpTo] = strconv.FormatInt(max(r.upTo, upTo), 10)
	return note.String()
}

// unrecorded is what must be taken for on record of a command whose ledger is gone: an attempt,
// made after the command was. A look-up reads back further than that by clockSkew.
func (c *command) unrecorded(known time.Time) entry {
	first := c.reply.IssuedAt
	if first.IsZero() || c.record.Timestamp.Before(first) {
		first = c.record.Timestamp
	}
	return entry{state: schemas.ReplyStateAttempting, at: known, known: known, firstAttempt: first, redrives: c.redrives}
}
