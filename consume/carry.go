package consume

import (
	"errors"
	"time"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/sleep"
	"github.com/ringbridge/ringbridge/internal/tracing"
	"github.com/ringbridge/ringbridge/schemas"
)

// carry takes one command from its record to its end, on its lane's goroutine.
// When the partition is given away meanwhile, it returns, and the command is its
// next owner's.
func (c *Consumer) carry(l *ledger, p *partition, head *progress) {
	r := head.record
	cmd := &command{record: r, progress: head, redrives: deadletter.Redrives(r.Headers), span: c.spanOf(r)}
	defer cmd.span.End()
	var reply schemas.ReplyCommand
	err := c.decode(p.waits, r, &reply)
	var undecodable *schemas.UndecodableError
	switch {
	case errors.As(err, &undecodable):
		c.end(l, p, cmd, refused(deadletter.Undecodable, "%v", undecodable))
		return
	case err != nil:
		return
	}
	switch {
	case reply.CommandID == "":
		c.end(l, p, cmd, refused(deadletter.Invalid, "command_id is empty"))
		return
	case len(reply.CommandID) > maxID: // no result could have it for its key
		c.end(l, p, cmd, refused(deadletter.Invalid, "command_id has %d bytes: at most %d are taken", len(reply.CommandID), maxID))
		return
	}
	cmd.reply = &reply
	known := p.claim(cmd)
	if known.duplicate {
		c.metrics.duplicates.Inc()
		cmd.span.SetAttributes(tracing.Outcome.String("duplicate"))
		c.log.Info("duplicate command", "command_id", reply.CommandID, "conversation", cmd.conversation(), "partition", r.Partition, "offset", r.Offset)
		_ = l.put(p.calls, &note{part: p, offset: r.Offset, finished: []int64{r.Offset}})
		return
	}
	if known.last.overruled {
		c.log.Warn("an attempt on record was aborted by the broker, perhaps after its commit: its effect is looked up", "command_id", reply.CommandID, "partition", r.Partition, "offset", r.Offset)
	}
	if known.unknown {
		cmd.resume(known.last, startWindow+c.cfg.CallTimeout+settleTime)
	}
	end, err := c.settle(l, p, cmd)
	if err != nil {
		p.release(reply.CommandID, entry{})
		return
	}
	c.end(l, p, cmd, end)
}

// settle finds the command's end: attempts, look-ups and waits between them. An
// error means that the partition is given away.
func (c *Consumer) settle(l *ledger, p *partition, cmd *command) (ending, error) {
	if len(cmd.record.Key) > maxID {
		return refused(deadletter.Invalid, "the key has %d bytes: at most %d are taken", len(cmd.record.Key), maxID), nil
	}
	act, err := c.apis.actionOf(cmd.reply)
	if err != nil {
		return refused(deadletter.Invalid, "%v", err), nil
	}
	cmd.api = act.flavour().String()
	cmd.at(WaitingForEqualText, time.Time{})
	letGo, err := c.twins.hold(p.waits, act.twin())
	if err != nil {
		return ending{}, err
	}
	defer letGo()
	for {
		if cmd.doubt {
			end, over, err := c.resolve(p, cmd, act)
			if over || err != nil {
				return end, err
			}
		}
		if end, over := c.givenUp(cmd); over {
			return end, nil
		}
		cmd.at(WaitingForNextTry, cmd.notBefore)
		if err := sleep.For(p.waits, time.Until(cmd.notBefore)); err != nil {
			return ending{}, err
		}
		end, over, err := c.attempt(l, p, cmd, act)
		if over || err != nil {
			return end, err
		}
	}
}

// givenUp tells whether there is no point in another attempt. Nothing is in
// doubt here.
func (c *Consumer) givenUp(cmd *command) (ending, bool) {
	switch {
	case cmd.attempts >= c.cfg.MaxAttempts:
		return given(deadletter.RetriesExhausted, cmd.last), true
	case cmd.expired(time.Now()):
		end := refused(deadletter.Expired, "not_after has passed (%s)", cmd.reply.NotAfter.UTC().Format(time.RFC3339))
		end.cause = cmd.last
		return end, true
	}
	return ending{}, false
}

// resolve finds out whether the call whose outcome is not known had its effect.
// Not over means that it had none, and that another attempt may be made.
func (c *Consumer) resolve(p *partition, cmd *command, act action) (end ending, over bool, err error) {
	if act.repeatable() {
		cmd.doubt = false
		return ending{}, false, nil
	}
	c.metrics.inDoubt.Inc()
	defer c.metrics.inDoubt.Dec()
	if failpoint.Off("look-up") {
		cmd.doubt = false
		return ending{}, false, nil
	}
	resource, found, err := c.lookUp(p, cmd, act)
	failpoint.Hit("consume/looked-up")
	switch {
	case errors.Is(err, errUntellable) && c.cfg.OnAmbiguous != AmbiguousResend:
		c.metrics.lookups.WithLabelValues("untellable").Inc()
		end := given(deadletter.Ambiguous, cmd.last)
		end.message = err.Error() + "; last: " + cmd.last.message
		return end, true, nil
	case errors.Is(err, errUntellable):
		c.metrics.lookups.WithLabelValues("untellable").Inc()
	case err != nil:
		return ending{}, false, err
	case found:
		c.metrics.lookups.WithLabelValues("found").Inc()
		end := succeeded(resource, cmd.last.status)
		end.recovered = true
		cmd.attempts = max(cmd.attempts, 1)
		return end, true, nil
	default:
		c.metrics.lookups.WithLabelValues("absent").Inc()
	}
	cmd.doubt = false
	return ending{}, false, nil
}

// end puts the command's end on record: its result, its letter if it is given
// up, and its offset, in one transaction.
func (c *Consumer) end(l *ledger, p *partition, cmd *command, end ending) {
	now := time.Now()
	n := &note{part: p, offset: cmd.record.Offset, finished: []int64{cmd.record.Offset}}
	state, label := schemas.ReplyStateSucceeded, "succeeded"
	if end.recovered {
		label = "recovered"
	}
	if end.reason != "" {
		state, label = schemas.ReplyStateDeadLettered, "dead_lettered"
		n.records = append(n.records, c.letter(p, cmd, end, now))
	}
	e := cmd.entry(state, now)
	e.reason, e.resource = end.reason, end.resource
	if cmd.reply != nil {
		result, err := c.result(cmd, e, end)
		if err != nil {
			c.log.Error("encode result", "command_id", cmd.reply.CommandID, "error", err)
			return // the offset stays: nothing passes without its result
		}
		n.records = append(n.records, result)
	}
	cmd.at(BeingRecorded, time.Time{})
	err := l.put(p.calls, n)
	if cmd.reply != nil {
		if err != nil {
			e = entry{}
		}
		p.release(cmd.reply.CommandID, e)
	}
	if err != nil {
		return
	}
	c.metrics.results.WithLabelValues(label).Inc()
	if end.reason != "" {
		c.metrics.letters.WithLabelValues(string(end.reason)).Inc()
	}
	cmd.describe(label, end)
	c.logEnd(cmd, label, end)
}

func (c *Consumer) logEnd(cmd *command, label string, end ending) {
	attrs := []any{
		"state", label, "conversation", cmd.conversation(), "partition", cmd.record.Partition, "offset", cmd.record.Offset,
		"attempts", cmd.attempts, "age_ms", time.Since(cmd.record.Timestamp).Milliseconds(),
	}
	if cmd.reply != nil {
		attrs = append(attrs, "command_id", cmd.reply.CommandID, "action", schemas.ActionName(cmd.reply.Action))
	}
	if end.reason == "" {
		c.log.Info("command done", append(attrs, "resource_id", end.resource)...)
		return
	}
	c.log.Warn("command given up", append(attrs, "reason", string(end.reason), "http_status", end.cause.status, "error", end.message)...)
}
