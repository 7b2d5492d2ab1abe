package crash

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const (
	// quietBound is how long after the last disturbance everything must have come: some thirty times of what it takes.
	quietBound = 90 * time.Second
	// brokerBound is how long the broker has to end every transaction: the program's time-out, which begins with a start
	// that may take it half of this.
	brokerBound = 30 * time.Second
)

// quiet waits until all that was sent has come to its end. What is still missing at quietBound is no error of the
// harness: it is counted. restless means that nothing was missing and it was not quiet all the same.
func (b *bed) quiet(ctx context.Context) (restless bool, err error) {
	done, err := b.comesToRest(ctx, brokerBound)
	if done || err != nil {
		return false, err
	}
	left, err := b.parts.Kafka.EndHanging(ctx, 0) // nothing has been going on for a while
	if err != nil {
		return false, err
	}
	held, err := b.releaseHeld(ctx)
	if err != nil {
		return false, err
	}
	b.hanging += left + held
	if done, err = b.comesToRest(ctx, quietBound); done || err != nil {
		return false, err
	}
	missing := b.book.Missing()
	fmt.Fprintf(b.cfg.Out, "not quiet after %s; missing: %s\n", quietBound, strings.Join(missing, ", "))
	return len(missing) == 0, nil
}

// releaseHeld restarts the broker if it holds offsets back for good, as an operator would, and returns of how many
// partitions it did: see kafka.HeldBack.
func (b *bed) releaseHeld(ctx context.Context) (partitions int, err error) {
	for range 3 { // for a moment it is ordinary
		partitions = 0
		for group, topic := range map[string]string{b.names.Group("publish"): b.names.Inbox, b.names.Group("replies"): b.names.Replies} {
			held, err := kafka.HeldBack(ctx, b.reader.admin, group, topic)
			if err != nil {
				return 0, err
			}
			partitions += len(held)
		}
		if partitions == 0 {
			return 0, nil
		}
		if err := wait(ctx, time.Second); err != nil {
			return 0, err
		}
	}
	fmt.Fprintf(b.cfg.Out, "the broker held the offsets of %d partitions back, and is restarted\n", partitions)
	return partitions, b.parts.Kafka.Restart(ctx)
}

// comesToRest tells whether it is quiet within the bound.
func (b *bed) comesToRest(ctx context.Context, bound time.Duration) (done bool, err error) {
	bounded, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	var failure error
	err = until(bounded, "quiet", func() bool {
		if messages, commands := b.book.Open(); messages+commands > 0 {
			return false
		}
		for _, e := range b.effects() {
			b.book.Made(e.ID) // the poller must find it
		}
		texts, _ := b.texts()
		for _, e := range texts {
			b.book.Made(e.ID)
			b.book.Comes(e.ID, sandbox.MessageQueued, sandbox.MessageSent, sandbox.MessageDelivered)
		}
		if messages, _ := b.book.Open(); messages > 0 {
			return false
		}
		if !b.drained() {
			return false
		}
		done, err := b.reader.caughtUp(bounded)
		failure = err
		return done || err != nil
	})
	if err == nil || failure != nil {
		return failure == nil, failure
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return false, nil
}

// effects are the contents made in the account, in the order of their making.
func (b *bed) effects() (effects []Effect) {
	for _, c := range b.box.Contents() {
		if c.Outbound() {
			effects = append(effects, Effect{ID: c.ID, Conversation: c.ThreadID, Body: string(c.Body)})
		}
	}
	for _, c := range b.box.Platform().Contents() {
		if c.InReplyToContentID != "" {
			effects = append(effects, Effect{ID: c.ID, Conversation: c.ThreadID, Body: c.Body})
		}
	}
	slices.SortFunc(effects, func(a, b Effect) int { return cmp.Compare(a.ID, b.ID) }) // ids ascend with time
	return effects
}

// count counts both sides.
func (b *bed) count() Tally {
	calls := 0
	for what, n := range b.box.CallCounts() {
		if slices.ContainsFunc(effectRoutes(), func(route string) bool { return strings.HasPrefix(what, route+" ") }) {
			calls += n
		}
	}
	sent, changed := b.texts()
	t := b.onDisk(b.book.Count(calls, slices.Concat(b.effects(), sent, changed)))
	t.Diverged = len(b.book.Diverging(b.rows()))
	t.Unhealed, t.Disasters = int(b.unhealed.Load()), b.box.Platform().Disasters()
	return t
}
