package ingest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
)

// errItemTooLarge is why an item becomes a letter that its topic does not take.
var errItemTooLarge = errors.New("larger than the inbox topic takes, see its max.message.bytes")

// stubBytes is how much a stub holds of what does not fit into the dead letters: enough to recognise
// it, and less than any topic may take.
const stubBytes = 64 << 10

// maxTries is how often a record is sent that the broker calls too large although every topic takes
// records of its size: it may have shared a batch with records of other callers. A record that may be
// at fault is sent once alone.
const maxTries = 3

// The forms of a record, each of which needs no more room than the one before.
const (
	formItem = iota
	formLetter
	formStub
)

// An outgoing is a record on its way to its topic.
type outgoing struct {
	record  *kgo.Record
	form    int
	refusal Refusal // what it is a letter of, or would be if it did not fit
	tries   int
}

// letter returns a refusal as a dead letter.
func (i *Inbox) letter(refusal Refusal) *outgoing {
	record := &kgo.Record{Topic: i.topics.InboxDLQ, Value: refusal.Body}
	if refusal.Key != "" {
		record.Key = []byte(refusal.Key)
	}
	for _, h := range refusal.Headers {
		if len(h.Value) <= MaxName { // a longer one says nothing
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Name, Value: []byte(h.Value)})
		}
	}
	letter := deadletter.Letter{Attempts: 1, Message: refusal.Message, Reason: refusal.Reason, FailedAt: time.Now()}
	if letter.Reason == "" {
		letter.Reason = deadletter.Undecodable
	}
	record.Headers = letter.Headers(record.Headers)
	return &outgoing{record: record, form: formLetter, refusal: refusal}
}

// shrink replaces a record that its topic does not take by what holds less: an item by its letter, a
// letter by a stub. It returns false when there is nothing smaller.
func (i *Inbox) shrink(o *outgoing) bool {
	switch o.form {
	case formItem:
		o.refusal.Message = errItemTooLarge.Error()
	case formLetter:
		body := o.refusal.Body
		o.refusal.Message = fmt.Sprintf("%s; larger than the topic of dead letters takes as well: of %d bytes (SHA-256 %x) these are the first %d",
			o.refusal.Message, len(body), sha256.Sum256(body), min(len(body), stubBytes))
		o.refusal.Body = body[:min(len(body), stubBytes)]
	default:
		return false
	}
	smaller := i.letter(o.refusal)
	for _, h := range o.record.Headers {
		if h.Key == HeaderTraceParent {
			smaller.record.Headers = append(smaller.record.Headers, h)
		}
	}
	*o = outgoing{record: smaller.record, form: o.form + 1, refusal: o.refusal}
	return true
}
