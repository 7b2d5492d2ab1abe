package consume_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/consume"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// What the API does, the commands, and what each is told to be at soon after.
func TestUnfinishedTellsWhatACommandIsAt(t *testing.T) {
	answers := func(err error) func(*bench) {
		return func(b *bench) {
			b.api.script = func(context.Context, ringcentral.CreateContent, int) (bool, error) { return false, err }
		}
	}
	sameParent := func(c *schemas.ReplyCommand) {
		parent := "one parent"
		c.Action.(*schemas.CreateContent).InReplyToID = &parent
	}
	later := &ringcentral.Error{Op: "create_content", Status: 429, RetryAfter: time.Hour, Outcome: ringcentral.Refused}
	unreachable := &ringcentral.Error{Op: "create_content", Outcome: ringcentral.NotSent, Err: errors.New("connection refused")}
	for fact, tt := range map[string]struct {
		api      func(*bench)
		commands func(*bench) []*kgo.Record
		want     []consume.Doing
	}{
		"asked to come later": {answers(later), func(b *bench) []*kgo.Record { return records(b, "a") }, []consume.Doing{consume.WaitingForNextTry}},
		"behind another of its conversation": {answers(later), func(b *bench) []*kgo.Record {
			return records(b, "a", "a", "a")
		}, []consume.Doing{consume.WaitingForNextTry, consume.WaitingForConversation, consume.WaitingForConversation}},
		"a call takes long": {func(b *bench) { b.api.latency = 4 * time.Second }, func(b *bench) []*kgo.Record { return records(b, "a") }, []consume.Doing{consume.Calling}},
		"more calls than may go out": {func(b *bench) { b.api.latency, b.cfg.Concurrency = 4*time.Second, 1 }, func(b *bench) []*kgo.Record {
			return records(b, "a", "b")
		}, []consume.Doing{consume.Calling, consume.WaitingForRoom}},
		"the credential is refused": {answers(status(401)), func(b *bench) []*kgo.Record { return records(b, "a") }, []consume.Doing{consume.Halted}},
		"an outage": {func(b *bench) { b.cfg.CircuitFailures = 2; answers(unreachable)(b) }, func(b *bench) []*kgo.Record {
			return records(b, "a", "b")
		}, []consume.Doing{consume.HeldByCircuit, consume.HeldByCircuit}},
		"an outcome is not known": {answers(status(500)), func(b *bench) []*kgo.Record { return records(b, "a") }, []consume.Doing{consume.LookingUp}},
		"an equal text is at work": {func(b *bench) { b.api.latency = 4 * time.Second }, func(b *bench) []*kgo.Record {
			return []*kgo.Record{b.reply("c0", "a", "text", sameParent), b.reply("c1", "b", "text", sameParent)}
		}, []consume.Doing{consume.Calling, consume.WaitingForEqualText}},
	} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				tt.api(b)
				b.start()
				for _, r := range tt.commands(b) {
					b.send(r)
					time.Sleep(10 * time.Millisecond) // one after another
				}
				require.Eventually(t, func() bool {
					var doing []consume.Doing
					for _, u := range b.consumer.Unfinished() {
						doing = append(doing, u.Doing)
					}
					return fmt.Sprint(doing) == fmt.Sprint(tt.want)
				}, time.Minute, 100*time.Millisecond, "want %v, have %+v", tt.want, unfinished{b})
			})
		})
	}
}

// unfinished prints what is there when it is printed.
type unfinished struct{ b *bench }

func (u unfinished) String() string { return fmt.Sprintf("%+v", u.b.consumer.Unfinished()) }

// records are commands, one for each conversation that is named.
func records(b *bench, conversations ...string) (all []*kgo.Record) {
	for i, conversation := range conversations {
		all = append(all, b.reply(fmt.Sprintf("c%d", i), conversation, fmt.Sprintf("text %d", i)))
	}
	return all
}

func TestUnfinishedTellsAllThatIsKnown(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.script = func(_ context.Context, c ringcentral.CreateContent, n int) (bool, error) {
			if c.Body == "text 1" && n < 2 {
				return false, &ringcentral.Error{Op: "create_content", Status: 429, RetryAfter: time.Minute, Message: "slow down", Outcome: ringcentral.Refused}
			}
			return true, nil
		}
		b.start()
		begun := time.Now()
		b.send(records(b, "a", "b", "b")...)
		b.wait(1)
		synctest.Wait()
		held := b.consumer.Unfinished()
		require.Len(t, held, 2, "what has ended is gone")
		head, next := held[0], held[1]
		require.WithinRange(t, head.IssuedAt, begun.Add(-time.Second), time.Now())
		require.WithinRange(t, head.Since, begun, time.Now())
		require.WithinRange(t, head.Next, time.Now().Add(50*time.Second), time.Now().Add(70*time.Second))
		require.Contains(t, head.LastError, "slow down")
		head.IssuedAt, head.Since, head.Next, head.LastError = time.Time{}, time.Time{}, time.Time{}, ""
		require.Equal(t, consume.Unfinished{
			CommandID: "c1", Conversation: "b", Action: "CreateContent", API: "engage", Offset: 1,
			Doing: consume.WaitingForNextTry, LastStatus: 429, Behind: 1,
		}, head)
		require.Zero(t, next.Since)
		next.IssuedAt = time.Time{}
		require.Equal(t, consume.Unfinished{Conversation: "b", Offset: 2, Doing: consume.WaitingForConversation}, next)
		require.Eventually(t, func() bool { return len(b.consumer.Unfinished()) == 0 }, 5*time.Minute, time.Second)
	})
}
