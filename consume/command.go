package consume

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// A command is one record of the replies topic on its way to its result.
type command struct {
	record   *kgo.Record
	progress *progress             // what it is at, for whoever asks
	reply    *schemas.ReplyCommand // nil when the record could not be decoded
	redrives int                   // how often it was sent back from the dead letters
	span     trace.Span            // from its record to its end, or until it is its next owner's
	api      string                // the API that it calls; "" until that is known

	attempts     int       // calls that count
	waits        int       // calls in a row that say "later", which do not count
	doubt        bool      // a call went out whose effect is not known
	doubtUntil   time.Time // before this, not finding the effect proves nothing
	firstAttempt time.Time // when the first call was about to go out, by the API's clock
	notBefore    time.Time // the next call may not go out before
	firstFailed  time.Time
	last         failure // of the last call
}

// A failure is what the result and the letter tell of a call.
type failure struct {
	status  int
	code    string
	message string
}

// conversation is the record's key as text.
func (c *command) conversation() string { return string(c.record.Key) }

// failed remembers a failed call.
func (c *command) failed(err error, now time.Time) {
	c.last = failure{message: err.Error()}
	if answer, ok := errors.AsType[*ringcentral.Error](err); ok {
		c.last.status, c.last.code = answer.Status, answer.Code
	}
	if c.firstFailed.IsZero() {
		c.firstFailed = now
	}
}

// expired tells whether the command may not be carried out any more.
func (c *command) expired(now time.Time) bool {
	return c.reply.NotAfter != nil && now.After(*c.reply.NotAfter)
}

// An ending is how a command ends.
type ending struct {
	reason    deadletter.Reason // "" = it succeeded
	resource  string            // what it made
	recovered bool              // found by a look-up
	message   string            // why it was given up
	cause     failure           // the last call's
}

func succeeded(resource string, status int) ending {
	return ending{resource: resource, cause: failure{status: status}}
}

func given(up deadletter.Reason, cause failure) ending {
	return ending{reason: up, message: cause.message, cause: cause}
}

func refused(reason deadletter.Reason, format string, args ...any) ending {
	return ending{reason: reason, message: fmt.Sprintf(format, args...)}
}

// entry is what the ledger says of the command in this state.
func (c *command) entry(state schemas.ReplyState, now time.Time) entry {
	return entry{
		state: state, attempts: c.attempts, at: now, redrives: c.redrives,
		firstAttempt: c.firstAttempt, firstFailed: c.firstFailed,
	}
}

// resume takes over what the ledger says of an attempt whose outcome is not
// known: of a process that died, or of a letter that was sent back.
//
// What that process may still do counts from when this one learned of the
// attempt, not from the time on record, which another clock told: two clocks
// need not agree.
func (c *command) resume(last entry, settles time.Duration) {
	c.firstAttempt, c.firstFailed = last.firstAttempt, last.firstFailed
	c.doubt, c.doubtUntil = true, last.known.Add(settles)
	if last.state == schemas.ReplyStateAttempting {
		c.attempts = last.attempts
	}
	c.last = failure{message: "an earlier attempt was cut short, and its outcome is not known"}
}
