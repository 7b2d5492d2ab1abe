package consume_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// Peer failure 7: an open breaker sent everything to the dead letters.
func TestAnOutageKeepsTheCommands(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.cfg.CircuitFailures = 4
		up := time.Now().Add(10 * time.Minute)
		b.api.script = func(_ context.Context, _ ringcentral.CreateContent, _ int) (bool, error) {
			if time.Now().Before(up) {
				return false, status(503)
			}
			return true, nil
		}
		b.start()
		for i := range 12 {
			b.send(b.reply(fmt.Sprint(i), fmt.Sprint("conv", i), fmt.Sprint("text", i)))
		}
		require.Eventually(t, func() bool { return strings.Contains(b.health.all(), "503") }, time.Hour, time.Second)
		for id, result := range b.wait(12) {
			require.Equal(t, schemas.ReplyStateSucceeded, result.State, id)
		}
		require.Empty(t, b.read(b.names.RepliesDLQ))
		require.Equal(t, "map[]", b.health.all())
	})
}

func TestARefusedCredentialHaltsAndLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		mended := time.Now().Add(10 * time.Minute)
		b.api.script = func(_ context.Context, _ ringcentral.CreateContent, _ int) (bool, error) {
			if time.Now().Before(mended) {
				return false, status(401)
			}
			return true, nil
		}
		b.start()
		for i := range 5 {
			b.send(b.reply(fmt.Sprint(i), fmt.Sprint("conv", i), fmt.Sprint("text", i)))
		}
		require.Eventually(t, func() bool { return strings.Contains(b.health.all(), "ENGAGE_ACCESS_TOKEN") }, time.Minute, time.Second)
		for id, result := range b.wait(5) {
			require.Equal(t, schemas.ReplyStateSucceeded, result.State, id)
			require.Equal(t, 1, result.Attempts)
		}
		require.Equal(t, "map[]", b.health.all())
	})
}

// By a clock of our own, which may be wrong, the effect of the first call could not be told from what a person wrote before.
func TestNoCallGoesOutBeforeTheAPIsTimeIsKnown(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.untold = 2
		b.start()
		b.send(b.reply("c1", "conv", "hello"))
		result := b.wait(1)["c1"]
		require.Equal(t, schemas.ReplyStateSucceeded, result.State)
		require.Equal(t, 3, b.api.asked)
		require.Equal(t, 1, b.api.count("hello"))
		require.Zero(t, b.api.looks, "nothing is in doubt")
		_, ledger := b.results()
		require.Len(t, ledger, 2, "one attempt is on record, and its result")
	})
}

// Peer failure 18: the way to stop was never written.
func TestStoppingFinishesWhatIsOutAndLeavesTheRest(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.latency = 2 * time.Second
		stop := b.start()
		b.send(b.reply("c1", "conv", "one"), b.reply("c2", "conv", "two"))
		require.Eventually(t, func() bool { return b.api.count("one") == 1 }, time.Minute, 10*time.Millisecond)
		stop()
		final, _ := b.results()
		require.Len(t, final["c1"], 1)
		require.Empty(t, final["c2"])
		require.Equal(t, int64(1), b.committed())
		b.start()
		b.wait(2)
		require.Equal(t, 1, b.api.effects("one"))
		require.Equal(t, 1, b.api.effects("two"))
	})
}

// Peer failure 6: the dedupe took a redrive for a repetition.
func TestARedriveIsANewTryUnlessItSucceeded(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.script = func(_ context.Context, c ringcentral.CreateContent, n int) (bool, error) {
			if c.Body == "closed" && n == 1 {
				return false, status(403)
			}
			return true, nil
		}
		stop := b.start()
		b.send(b.reply("c1", "conv", "closed"), b.reply("c2", "conv", "fine"))
		b.wait(2)
		letter := b.read(b.names.RepliesDLQ)[0]
		again := func(n int) *kgo.Record {
			return &kgo.Record{Key: letter.Key, Value: letter.Value, Headers: deadletter.Redriven(letter.Headers, n)}
		}
		b.send(again(1))
		require.Eventually(t, func() bool { return b.api.effects("closed") == 1 }, time.Minute, time.Second)
		stop()
		b.start()
		b.send(again(2), again(1), &kgo.Record{Key: letter.Key, Value: letter.Value})
		require.Eventually(t, func() bool { return b.committed() == 6 }, time.Minute, time.Second)
		require.Equal(t, 2, b.api.count("closed"), "refused: it has succeeded meanwhile")
	})
}

// attempting puts an attempt on record as a process does that then dies.
func (b *bench) attempting(sent *kgo.Record, id string, at time.Time) {
	b.t.Helper()
	value, err := b.codec.Encode(&schemas.ReplyResult{CommandID: id, State: schemas.ReplyStateAttempting, Attempts: 1, SourceOffset: sent.Offset, At: at})
	require.NoError(b.t, err)
	first := kgo.RecordHeader{Key: "ringbridge.reply.first.attempt.at", Value: []byte(at.UTC().Format(time.RFC3339Nano))}
	require.NoError(b.t, b.client.ProduceSync(b.t.Context(), &kgo.Record{
		Topic: b.names.Results, Key: []byte(id), Value: value, Headers: []kgo.RecordHeader{first},
	}).FirstErr())
}

func TestAfterACrashTheEffectIsLookedFor(t *testing.T) {
	for name, happened := range map[string]bool{"it happened": true, "it did not": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				sent := b.send(b.reply("c1", "conv", "hello"))
				b.attempting(sent[0], "c1", time.Now())
				if happened {
					b.api.store("parent of conv", "hello", "api")
				}
				start := time.Now()
				b.start()
				result := b.wait(1)["c1"]
				require.Equal(t, happened, result.Recovered)
				require.Equal(t, 1, b.api.effects("hello"))
				if !happened {
					require.Equal(t, 2, result.Attempts)
					require.Greater(t, result.At.Sub(start), b.cfg.CallTimeout, "the dead process's call may still be under way")
				}
			})
		})
	}
}

// TestClocksThatDisagreeSendNothingTwice: the process that made the attempt told
// another time than its successor, and its call goes out after the takeover.
func TestClocksThatDisagreeSendNothingTwice(t *testing.T) {
	for name, skew := range map[string]time.Duration{"behind": -30 * time.Minute, "ahead": 30 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				sent := b.send(b.reply("c1", "conv", "hello"))
				b.attempting(sent[0], "c1", time.Now().Add(skew))
				b.start()
				late := time.AfterFunc(5*time.Second, func() { b.api.store("parent of conv", "hello", "api") })
				defer late.Stop()
				require.True(t, b.wait(1)["c1"].Recovered)
				require.Equal(t, 1, b.api.effects("hello"))
			})
		})
	}
}

func TestTwoMembersShareAndATakeoverSendsNothingTwice(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.latency = 300 * time.Millisecond
		stopFirst := b.start()
		n := 0
		send := func(count int) {
			for range count {
				r := b.reply(fmt.Sprint("c", n), fmt.Sprint("conv", n%7), fmt.Sprint("text", n))
				r.Partition = int32(n % 7 % 2)
				b.send(r)
				n++
			}
		}
		send(20)
		b.start()
		send(20)
		stopFirst()
		send(20)
		b.wait(n)
		for i := range n {
			require.Equal(t, 1, b.api.effects(fmt.Sprint("text", i)), i)
		}
	})
}

func TestManyWaitingCommandsHoldFetchingBackAndAllFinish(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.cfg.Concurrency = 200
		up := time.Now().Add(time.Minute)
		b.api.script = func(_ context.Context, c ringcentral.CreateContent, _ int) (bool, error) {
			if c.Body == "text0" && time.Now().Before(up) {
				return false, status(429)
			}
			return true, nil
		}
		records := make([]*kgo.Record, 2500)
		for i := range records {
			records[i] = b.reply(fmt.Sprint("c", i), fmt.Sprint("conv", i), fmt.Sprint("text", i))
			records[i].Topic = b.names.Replies
		}
		require.NoError(t, b.client.ProduceSync(t.Context(), records...).FirstErr())
		b.start()
		b.wait(len(records))
		require.Eventually(t, func() bool { return b.committed() == 2500 }, time.Minute, time.Second)
	})
}
