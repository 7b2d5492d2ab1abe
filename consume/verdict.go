package consume

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// An Action is what to do about a call that failed.
type Action int

// The actions. The zero value is DeadLetter: what nobody thought of ends, and
// does not go round for ever.
const (
	DeadLetter Action = iota // give the command up
	Retry                    // it did not happen: try again, the attempt counts
	Wait                     // it did not happen, and nobody failed: try again, no attempt is counted
	LookUp                   // it may have happened: find out before anything else
	Halt                     // our credential is at fault: stop the direction, keep the commands
	Leave                    // we are stopping, or the partition is no longer ours: uncommitted, uncounted
)

// String returns the action as logs and metrics write it.
func (a Action) String() string {
	switch a {
	case Retry:
		return "retry"
	case Wait:
		return "wait"
	case LookUp:
		return "look_up"
	case Halt:
		return "halt"
	case Leave:
		return "leave"
	default:
		return "dead_letter"
	}
}

// A Verdict is the judgement of a failed call.
type Verdict struct {
	Action Action
	Reason deadletter.Reason // why it is given up; "" unless Action is DeadLetter
	After  time.Duration     // at the earliest, as the API asked; 0 = it did not say
	Doubt  bool              // with Wait: an earlier call of the same may be about to have its effect
}

// The causes with which a partition's context ends.
var (
	errStopping = errors.New("consume: stopping")
	errLost     = errors.New("consume: the partition was given to another member")
	errRestart  = errors.New("consume: the session starts again")
)

// Judge is the one place where a failed call is judged. It is pure: ctx, the
// call's, is only asked whether the failure is our own stopping. An answer of
// the API counts even then.
func Judge(ctx context.Context, err error) Verdict {
	var failure *ringcentral.Error
	isFailure := errors.As(err, &failure)
	switch {
	case ctx.Err() != nil && (!isFailure || failure.Status == 0):
		return Verdict{Action: Leave}
	case !isFailure:
		return Verdict{Action: DeadLetter, Reason: deadletter.Internal}
	case errors.Is(err, ringcentral.ErrInvalid):
		return Verdict{Action: DeadLetter, Reason: deadletter.Invalid}
	case errors.Is(err, ringcentral.ErrTooLate), errors.Is(err, ringcentral.ErrNoBudget):
		return Verdict{Action: Wait, After: failure.RetryAfter}
	case failure.Status != 0:
		return judgeStatus(failure)
	case failure.Outcome == ringcentral.NotSent:
		return Verdict{Action: Retry}
	}
	return Verdict{Action: LookUp}
}

func judgeStatus(failure *ringcentral.Error) Verdict {
	switch failure.Status {
	case http.StatusTooManyRequests:
		// A duplicate of a call that the API is still at (CMN-304) is told as unknown.
		return Verdict{Action: Wait, After: failure.RetryAfter, Doubt: failure.Outcome == ringcentral.Unknown}
	case http.StatusUnauthorized:
		return Verdict{Action: Halt, After: failure.RetryAfter}
	case http.StatusForbidden:
		return Verdict{Action: DeadLetter, Reason: deadletter.Forbidden}
	case http.StatusNotFound:
		return Verdict{Action: DeadLetter, Reason: deadletter.NotFound}
	}
	switch failure.Outcome {
	case ringcentral.Refused:
		return Verdict{Action: DeadLetter, Reason: deadletter.Rejected}
	case ringcentral.NotSent: // what is read before the call failed
		return Verdict{Action: Retry, After: failure.RetryAfter}
	case ringcentral.Unknown:
	}
	return Verdict{Action: LookUp, After: failure.RetryAfter}
}
