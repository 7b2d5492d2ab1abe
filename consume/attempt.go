package consume

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	// startWindow is how long after its record a call may still start. A process
	// that was frozen in between starts none: by then a successor may have
	// looked its effect up, and found none.
	startWindow = 10 * time.Second / failpoint.Haste
	// settleTime is how long after a call an effect may take to show in the
	// API's search, whose lag is not documented.
	settleTime = 4 * time.Second / failpoint.Haste
	// lateEffect is how much longer an effect may take after a time-out: the
	// server had not answered, so it may still be at work.
	lateEffect = 5 * time.Second / failpoint.Haste
)

// attempt makes one call: the attempt goes on record, then the call goes out.
// Not over means that another attempt or a look-up must follow.
func (c *Consumer) attempt(l *ledger, p *partition, cmd *command, act action) (end ending, over bool, err error) {
	gate := c.gates[act.flavour()]
	cmd.before(gate)
	pass, err := gate.enter(p.waits)
	if err != nil {
		return ending{}, false, err
	}
	if cmd.expired(time.Now()) {
		pass.report(nothing, cmd.conversation(), "")
		return ending{}, false, nil
	}
	resource, took, err := c.callOnRecord(l, p, cmd, act)
	if err == nil {
		pass.report(answered, cmd.conversation(), "")
		cmd.attempts++
		if resource != "" {
			c.claims.take(resource, cmd.reply.CommandID)
		}
		c.logAttempt(cmd, act, "succeeded", took, 0)
		return succeeded(resource, 200), true, nil
	}
	if isOurs(err) {
		pass.report(nothing, cmd.conversation(), "")
		return ending{}, false, err
	}
	verdict := Judge(p.calls, err)
	cmd.failed(err, time.Now())
	end, over = c.after(pass, cmd, verdict, err)
	c.logAttempt(cmd, act, verdict.Action.String(), took, max(0, time.Until(cmd.notBefore)))
	if verdict.Action == Leave {
		return ending{}, false, context.Cause(p.calls)
	}
	return end, over, nil
}

// isOurs tells an error of this package, which ends the work on a partition,
// from one of the API's client.
func isOurs(err error) bool {
	var failure *ringcentral.Error
	return !errors.As(err, &failure) && (errors.Is(err, errStopping) || errors.Is(err, errLost) || errors.Is(err, errRestart))
}

// callOnRecord puts the attempt on record and makes the call.
func (c *Consumer) callOnRecord(l *ledger, p *partition, cmd *command, act action) (resource string, took time.Duration, err error) {
	cmd.at(WaitingForRoom, time.Time{})
	if err := acquire(p.waits, c.admit); err != nil {
		return "", 0, err
	}
	defer func() { <-c.admit }()
	if cmd.firstAttempt.IsZero() { // by the clock that the effect will be dated by, however wrong ours is
		ctx := ringcentral.WithCallTimeout(ringcentral.WithPriority(p.calls, ringcentral.Reply), c.cfg.CallTimeout)
		if cmd.firstAttempt, err = c.apis.now(ctx, act.flavour()); err != nil {
			return "", 0, err
		}
	}
	now := time.Now()
	e := cmd.entry(schemas.ReplyStateAttempting, now)
	e.attempts++
	record, err := c.result(cmd, e, ending{})
	if err != nil {
		return "", 0, err
	}
	cmd.at(BeingRecorded, time.Time{})
	failpoint.Hit("consume/taken")
	if err := l.put(p.waits, &note{part: p, offset: cmd.record.Offset, records: []*kgo.Record{record}}); err != nil {
		return "", 0, err
	}
	failpoint.Hit("consume/attempt-recorded")
	cmd.at(WaitingForRoom, time.Time{})
	if err := acquire(p.waits, c.slots); err != nil {
		return "", 0, err
	}
	defer func() { <-c.slots }()
	c.metrics.inFlight.Inc()
	defer c.metrics.inFlight.Dec()
	cmd.at(Calling, time.Time{})
	start := time.Now()
	ctx, span := c.startSpan(c.callContext(p, cmd, now), cmd, "attempt")
	resource, err = act.call(ctx)
	took = time.Since(start)
	endAttempt(span, p, err)
	failpoint.Hit("consume/called")
	c.metrics.attemptSeconds.Observe(took.Seconds())
	return resource, took, err
}

// callContext bounds a call: it starts soon after its record and before the
// command expires, or not at all.
func (c *Consumer) callContext(p *partition, cmd *command, recorded time.Time) context.Context {
	ctx := ringcentral.WithPriority(p.calls, ringcentral.Reply)
	ctx = ringcentral.WithCallTimeout(ctx, c.cfg.CallTimeout)
	if !failpoint.Off("start-window") {
		ctx = ringcentral.WithStartDeadline(ctx, recorded.Add(startWindow))
	}
	if cmd.reply.NotAfter != nil {
		ctx = ringcentral.WithStartDeadline(ctx, *cmd.reply.NotAfter)
	}
	return ctx
}

func acquire(ctx context.Context, tokens chan struct{}) error {
	select {
	case tokens <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// after does what a verdict says.
func (c *Consumer) after(pass *pass, cmd *command, verdict Verdict, cause error) (end ending, over bool) {
	now := time.Now()
	conversation := cmd.conversation()
	switch verdict.Action {
	case DeadLetter:
		saw := nothing
		if cmd.last.status != 0 {
			saw = answered
			cmd.attempts++
		}
		pass.report(saw, conversation, "")
		return given(verdict.Reason, cmd.last), true
	case Wait:
		pass.report(nothing, conversation, "")
		cmd.waits++
		cmd.notBefore = now.Add(c.pace.wait(cmd.waits, verdict.After, c.random))
	case Halt:
		pass.report(unauthorized, conversation, cause.Error())
	case Leave:
		pass.report(nothing, conversation, "")
	case Retry, LookUp: // the API failed, or was not reached
		cmd.waits = 0
		if pass.report(failed, conversation, cause.Error()) {
			cmd.attempts++
		}
		cmd.notBefore = now.Add(c.pace.wait(max(1, cmd.attempts), verdict.After, c.random))
	}
	switch {
	case verdict.Action == LookUp:
		cmd.doubt, cmd.doubtUntil = true, now.Add(settleTime)
		if errors.Is(cause, context.DeadlineExceeded) {
			cmd.doubtUntil = cmd.doubtUntil.Add(lateEffect)
		}
	case verdict.Doubt: // the API is still at it: the last look comes when the wait is over
		cmd.doubt, cmd.doubtUntil = true, cmd.notBefore
	}
	return ending{}, false
}

// logAttempt writes the one wide line of an attempt.
func (c *Consumer) logAttempt(cmd *command, act action, verdict string, took, next time.Duration) {
	c.metrics.attempts.WithLabelValues(verdict).Inc()
	attrs := []any{
		"command_id", cmd.reply.CommandID, "conversation", cmd.conversation(), "action", schemas.ActionName(cmd.reply.Action), "api", act.flavour().String(),
		"partition", cmd.record.Partition, "offset", cmd.record.Offset, "verdict", verdict, "attempts", cmd.attempts, "max_attempts", c.cfg.MaxAttempts,
		"duration_ms", took.Milliseconds(), "next_ms", next.Milliseconds(),
	}
	if verdict == "succeeded" {
		c.log.Info("reply attempt", attrs...)
		return
	}
	c.log.Warn("reply attempt", append(attrs, "http_status", cmd.last.status, "error_code", cmd.last.code, "error", cmd.last.message)...)
}
