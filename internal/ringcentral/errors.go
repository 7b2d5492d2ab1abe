package ringcentral

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrTooLate is returned, inside an *Error whose outcome is NotSent, by a call whose start deadline passed before its
// first byte was written. See WithStartDeadline.
var ErrTooLate = errors.New("too late to start")

// ErrNoBudget is returned, inside an *Error whose outcome is NotSent, by a call whose turn would come after its deadline, or not at once where it must not wait (see [WithoutWaiting]).
// RetryAfter is how long the budget will take, zero where that isn't known.
var ErrNoBudget = errors.New("no budget within the deadline")

// ErrInvalid is returned, inside an *Error whose outcome is NotSent, by a call that can't be made as it was asked for:
// an empty id, structured content that is no JSON.
var ErrInvalid = errors.New("invalid call")

// ErrFilterIgnored is returned, inside an *Error of status 200, by a list whose rows show that the API ignored a filter or the order: it
// answers everything then, and calls that a success.
var ErrFilterIgnored = errors.New("the list was not filtered or ordered as asked")

// ErrOrderRefused is returned, inside an *Error of a 4xx status, by a list of Social Messaging that does not know the order or does not
// sort so many rows by it. The list may be asked for in another order, or without one.
var ErrOrderRefused = errors.New("the list refuses the order")

// ErrSamePage is returned, inside an *Error of status 200 and beside the rows of the page, by a list whose next page is not behind this
// one: the rest cannot be read.
var ErrSamePage = errors.New("a page whose next page is itself")

// ErrSyncTokenLost is returned, inside an *Error, by SyncMessages when the platform doesn't take the sync token any more. What
// changed since the last answer has to be read by a full synchronization from the last safe time.
var ErrSyncTokenLost = errors.New("the sync token is lost")

// errUnreadable marks an answer of success whose body is not what the operation answers.
var errUnreadable = errors.New("unreadable answer")

// Outcome tells whether a failed call had an effect. The zero value is Unknown: what nobody judged may have happened.
type Outcome int

const (
	// Unknown: it may have happened. A time-out, a reset, 5xx, 408, a redirect, a success that can't be read.
	Unknown Outcome = iota
	// NotSent: it did not happen, as not one byte of the request left this process.
	NotSent
	// Refused: it did not happen, as the API said so: any 4xx but 408.
	Refused
)

// String returns the outcome as logs write it.
func (o Outcome) String() string {
	switch o {
	case NotSent:
		return "not_sent"
	case Refused:
		return "refused"
	default:
		return "unknown"
	}
}

// Error is what every failed call returns. Its text is safe to log and to put into a header: it holds neither the token
// nor the text that was to be sent.
type Error struct {
	// Op is the operation, for example "create_content".
	Op string
	// Status is the HTTP status of the answer, 0 where there was none.
	Status int
	// Code and Message are the API's identifier and its explanation, cleaned and cut (100 and 300 bytes); empty where it gave none.
	Code, Message string
	// RetryAfter is how long the API asks to wait, or how long our own budget will take. Zero where nobody said.
	RetryAfter time.Duration
	// Outcome says whether it may have happened.
	Outcome Outcome
	// Err is the cause where there is one: ErrTooLate, ErrNoBudget, ErrInvalid, the context's cause, the network's error.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("ringcentral: " + e.Op + ": ")
	if e.Status != 0 {
		b.WriteString("status " + strconv.Itoa(e.Status))
	} else {
		b.WriteString(strings.ReplaceAll(e.Outcome.String(), "_", " "))
	}
	for _, part := range []string{e.Code, e.Message} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// outcomeOf judges a status that is not a success. 408 says that the server stopped reading, not that it had not begun;
// a redirect may follow an effect (303).
func outcomeOf(status int) Outcome {
	if status >= 400 && status < 500 && status != 408 {
		return Refused
	}
	return Unknown
}

// invalid returns what a call is told that can't be made as it was asked for. why quotes nothing of it.
func invalid(op, why string) error {
	return &Error{Op: op, Outcome: NotSent, Err: fmt.Errorf("%w: %s", ErrInvalid, why)}
}
