package consume

import (
	"context"
	"errors"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

// firstLook and mostLook bound the wait between two looks; it doubles.
const (
	firstLook = 250 * time.Millisecond
	mostLook  = 10 * time.Second
)

// lookUp looks for the effect of a call until it is found, or until a look that
// began after the doubt was settled did not find it. It returns the effect's
// id, whether there is one, errUntellable, or why it was left.
func (c *Consumer) lookUp(p *partition, cmd *command, act action) (resource string, found bool, err error) {
	ctx := ringcentral.WithPriority(p.waits, ringcentral.Lookup)
	ctx = ringcentral.WithCallTimeout(ctx, c.cfg.CallTimeout)
	ctx, span := c.startSpan(ctx, cmd, "look-up")
	defer func() { endLookUp(span, found, err) }()
	take := func(id string) bool { return c.claims.take(id, cmd.reply.CommandID) }
	pause := firstLook
	for failures := 0; ; {
		cmd.at(LookingUp, time.Time{})
		began := time.Now()
		resource, found, err := act.find(ctx, cmd.firstAttempt, take)
		settled := !began.Before(cmd.doubtUntil)
		var wait time.Duration
		switch {
		case err == nil && (found || settled):
			return resource, found, nil
		case err == nil, errors.Is(err, errUnsure) && !settled:
			wait = min(pause, max(0, time.Until(cmd.doubtUntil)))
			pause = min(2*pause, mostLook)
		case errors.Is(err, errUntellable):
			return "", false, err
		default:
			failures++
			verdict := Judge(p.waits, err)
			switch verdict.Action {
			case Leave:
				return "", false, context.Cause(p.waits)
			case DeadLetter:
				return "", false, errors.Join(errUntellable, err)
			case Halt:
				wait = haltProbe
			default:
				wait = c.pace.wait(failures, verdict.After, c.random)
			}
			c.log.Warn("look-up failed", "command_id", cmd.reply.CommandID, "error", err, "next_ms", wait.Milliseconds())
		}
		cmd.at(LookingUp, time.Now().Add(wait))
		if err := sleep.For(p.waits, wait); err != nil {
			return "", false, err
		}
	}
}
