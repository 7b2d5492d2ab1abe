package consume_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/consume"
	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// bubble runs a test on fake time, with a broker and an API of its own.
func bubble(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	codec := newCodec(t)
	synctest.Test(t, func(t *testing.T) {
		test(t, newBench(t, codec))
	})
}

func TestACommandIsCarriedOutOnceAndHasOneResult(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.start()
		sent := b.send(b.reply("c1", "conv", "hello"))
		result := b.wait(1)["c1"]
		require.Equal(t, schemas.ReplyStateSucceeded, result.State)
		require.Equal(t, "content0", *result.ResourceID)
		require.Equal(t, 1, result.Attempts)
		require.Equal(t, "conv", result.Conversation)
		require.Equal(t, sent[0].Offset, result.SourceOffset)
		require.False(t, result.Recovered)
		require.Equal(t, 1, b.api.effects("hello"))
		_, ledger := b.results()
		require.Equal(t, schemas.ReplyStateAttempting, ledger[0].State, "the attempt is on record before the call")
		require.Equal(t, int64(1), b.committed())
		require.Empty(t, b.read(b.names.RepliesDLQ))
	})
}

func TestEveryAnswerIsJudged(t *testing.T) {
	for code, want := range map[int]deadletter.Reason{400: "rejected", 403: "forbidden", 404: "not_found", 409: "rejected", 410: "rejected", 422: "rejected", 500: "retries_exhausted", 503: "retries_exhausted", 408: "retries_exhausted"} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.api.script = func(context.Context, ringcentral.CreateContent, int) (bool, error) { return false, status(code) }
				b.start()
				sent := b.send(b.reply("c1", "conv", "hello"))
				result := b.wait(1)["c1"]
				require.Equal(t, schemas.ReplyStateDeadLettered, result.State)
				require.Equal(t, string(want), *result.Reason)
				require.Equal(t, code, *result.HTTPStatus)
				letters := b.read(b.names.RepliesDLQ)
				require.Len(t, letters, 1)
				require.Equal(t, sent[0].Value, letters[0].Value)
				require.Equal(t, sent[0].Key, letters[0].Key)
				letter, ok := deadletter.Parse(letters[0].Headers)
				require.True(t, ok)
				require.Equal(t, want, letter.Reason)
				require.Equal(t, code, letter.HTTPStatus)
				require.Equal(t, fmt.Sprintf("code_%d", code), letter.ErrorCode)
				attempts := 1
				if want == "retries_exhausted" {
					attempts = b.cfg.MaxAttempts
				}
				require.Equal(t, attempts, b.api.count("hello"))
				require.Equal(t, attempts, letter.Attempts)
				require.Equal(t, attempts, result.Attempts)
				require.Equal(t, int64(1), b.committed())
			})
		})
	}
}

func TestWhatEndsWithoutACall(t *testing.T) {
	past := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		change func(*schemas.ReplyCommand)
		want   deadletter.Reason
	}{
		"expired":            {func(c *schemas.ReplyCommand) { c.NotAfter = &past }, "expired"},
		"no body":            {func(c *schemas.ReplyCommand) { c.Action.(*schemas.CreateContent).Body = "" }, "invalid"},
		"no parent, source":  {func(c *schemas.ReplyCommand) { c.Action.(*schemas.CreateContent).InReplyToID = nil }, "invalid"},
		"social, not yet":    {func(c *schemas.ReplyCommand) { c.Action.(*schemas.CreateContent).API = "SOCIAL" }, "invalid"},
		"structured no JSON": {func(c *schemas.ReplyCommand) { s := "{"; c.Action.(*schemas.CreateContent).StructuredContent = &s }, "invalid"},
		"handover nowhere": {func(c *schemas.ReplyCommand) {
			c.Action = &schemas.Handover{IdentityForeignID: "x", From: "BOT", To: "BOT"}
		}, "invalid"},
		"handover of nobody": {func(c *schemas.ReplyCommand) { c.Action = &schemas.Handover{From: "BOT", To: "AGENT"} }, "invalid"},
		"delete without id":  {func(c *schemas.ReplyCommand) { c.Action = &schemas.DeleteMessage{} }, "invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.start()
				b.send(b.reply("c1", "conv", "hello", test.change))
				result := b.wait(1)["c1"]
				require.Equal(t, string(test.want), *result.Reason)
				require.Nil(t, result.HTTPStatus)
				require.Zero(t, result.Attempts)
				letter, _ := deadletter.Parse(b.read(b.names.RepliesDLQ)[0].Headers)
				require.Zero(t, letter.HTTPStatus)
				require.Empty(t, b.api.calls)
			})
		})
	}
}

// Peer failure 12: a tombstone raised an exception, again and again.
func TestUndecodableCommandsHaveALetterAndNoResult(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.start()
		b.send(
			&kgo.Record{Key: []byte("conv"), Value: []byte("hello"), Headers: []kgo.RecordHeader{{Key: "mine", Value: []byte{0xff}}}},
			&kgo.Record{Key: []byte("conv"), Value: nil},
			b.reply("c1", "conv", "after them"),
		)
		require.Equal(t, schemas.ReplyStateSucceeded, b.wait(1)["c1"].State)
		letters := b.read(b.names.RepliesDLQ)
		require.Len(t, letters, 2)
		require.Equal(t, []byte("hello"), letters[0].Value)
		require.Nil(t, letters[1].Value)
		require.Equal(t, kgo.RecordHeader{Key: "mine", Value: []byte{0xff}}, letters[0].Headers[0])
		for _, l := range letters {
			letter, _ := deadletter.Parse(l.Headers)
			require.Equal(t, deadletter.Undecodable, letter.Reason)
		}
		require.Equal(t, int64(3), b.committed())
	})
}

func TestADuplicateMakesNoCallAndNoSecondResult(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		stop := b.start()
		b.send(b.reply("c1", "conv", "hello"), b.reply("c1", "conv", "hello"), b.reply("c2", "conv", "next"))
		b.wait(2)
		stop()
		b.start() // the ledger is read again
		b.send(b.reply("c1", "conv", "hello"), b.reply("c3", "conv", "last"))
		b.wait(3)
		require.Equal(t, 1, b.api.count("hello"))
		require.Eventually(t, func() bool { return b.committed() == 5 }, time.Minute, time.Second)
	})
}

func TestOrderWithinAConversationAndNoneBetween(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.cfg.Concurrency = 50
		b.api.latency = 100 * time.Millisecond
		b.api.script = func(_ context.Context, c ringcentral.CreateContent, n int) (bool, error) {
			switch {
			case strings.HasPrefix(c.Body, "stuck"):
				return false, status(503)
			case strings.HasSuffix(c.Body, "3") && n == 1:
				return false, status(500)
			case strings.HasSuffix(c.Body, "7") && n <= 2:
				return false, status(429)
			}
			return true, nil
		}
		b.start()
		for i := range 10 {
			for conv := range 5 {
				b.send(b.reply(fmt.Sprintf("%d/%d", conv, i), fmt.Sprint("conv", conv), fmt.Sprintf("%d.%d", conv, i)))
			}
		}
		b.send(b.reply("stuck", "stuck", "stuck"), b.reply("follower", "stuck", "goes on"))
		final := b.wait(52)
		for conv := range 5 {
			var got, want []string
			for _, body := range b.api.order {
				if strings.HasPrefix(body, fmt.Sprint(conv, ".")) {
					got = append(got, body)
				}
			}
			for i := range 10 {
				want = append(want, fmt.Sprintf("%d.%d", conv, i))
				require.Equal(t, schemas.ReplyStateSucceeded, final[fmt.Sprintf("%d/%d", conv, i)].State)
			}
			require.Equal(t, want, got)
			require.Equal(t, 1, final[fmt.Sprintf("%d/7", conv)].Attempts, "a 429 is a wait, not an attempt")
			require.Equal(t, 2, final[fmt.Sprintf("%d/3", conv)].Attempts)
		}
		require.Equal(t, "retries_exhausted", *final["stuck"].Reason)
		require.Equal(t, schemas.ReplyStateSucceeded, final["follower"].State)
	})
}

func TestAnUnknownOutcomeIsLookedUpAndNotSentTwice(t *testing.T) {
	for name, answer := range map[string]error{"a reset": reset(), "a 500": status(500), "a 503": status(503)} {
		for _, lag := range []time.Duration{0, 3 * time.Second} {
			t.Run(fmt.Sprint(name, " after the effect, search lagging ", lag), func(t *testing.T) {
				bubble(t, func(t *testing.T, b *bench) {
					b.api.lag = lag
					b.api.script = func(_ context.Context, _ ringcentral.CreateContent, n int) (bool, error) { return n == 1, answer }
					b.start()
					b.send(b.reply("c1", "conv", "hello"))
					result := b.wait(1)["c1"]
					require.Equal(t, schemas.ReplyStateSucceeded, result.State)
					require.True(t, result.Recovered)
					require.Equal(t, "content0", *result.ResourceID)
					require.Equal(t, 1, b.api.count("hello"))
				})
			})
		}
	}
}

func TestAReplyWhoseParentIsHiddenIsLookedForAmongAll(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.hidden = true
		b.api.script = func(_ context.Context, _ ringcentral.CreateContent, _ int) (bool, error) { return true, reset() }
		b.api.store("parent of another", "hello", "api")
		b.start()
		b.send(b.reply("c1", "conv", "hello"))
		result := b.wait(1)["c1"]
		require.True(t, result.Recovered)
		require.Equal(t, "content1", *result.ResourceID)
	})
}

func TestWithoutEffectItIsSentAgain(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.script = func(_ context.Context, _ ringcentral.CreateContent, n int) (bool, error) {
			if n == 1 {
				return false, reset()
			}
			return true, nil
		}
		b.api.store("parent of conv", "hello", "interface") // an agent wrote the same
		b.start()
		b.send(b.reply("c1", "conv", "hello"))
		result := b.wait(1)["c1"]
		require.False(t, result.Recovered)
		require.Equal(t, 2, result.Attempts)
		require.Equal(t, 2, b.api.count("hello"))
	})
}

func TestEqualTextsNeverShareAnEffect(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.script = func(_ context.Context, _ ringcentral.CreateContent, n int) (bool, error) {
			if n == 2 {
				return false, reset() // the second command's first call is lost
			}
			return true, nil
		}
		b.start()
		b.send(b.reply("c1", "conv", "OK"), b.reply("c2", "conv", "OK"))
		final := b.wait(2)
		require.NotEqual(t, *final["c1"].ResourceID, *final["c2"].ResourceID)
		require.Equal(t, 2, b.api.effects("OK"))
	})
}

func TestWhatCannotBeToldIsAmbiguous(t *testing.T) {
	for setting, want := range map[string]schemas.ReplyState{consume.AmbiguousDeadLetter: schemas.ReplyStateDeadLettered, consume.AmbiguousResend: schemas.ReplyStateSucceeded} {
		t.Run(setting, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.cfg.OnAmbiguous = setting
				b.api.find = func(int) error { return status(403) }
				b.api.script = func(_ context.Context, _ ringcentral.CreateContent, n int) (bool, error) {
					if n == 1 {
						return false, reset()
					}
					return true, nil
				}
				b.start()
				b.send(b.reply("c1", "conv", "hello"))
				result := b.wait(1)["c1"]
				require.Equal(t, want, result.State)
				if want == schemas.ReplyStateDeadLettered {
					require.Equal(t, "ambiguous", *result.Reason)
					require.Equal(t, 1, b.api.count("hello"))
				}
			})
		})
	}
}

func TestALookUpThatFailsIsWaitedOut(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.script = func(_ context.Context, _ ringcentral.CreateContent, _ int) (bool, error) { return true, reset() }
		b.api.find = func(n int) error {
			if n < 20 {
				return status(503)
			}
			return nil
		}
		b.start()
		b.send(b.reply("c1", "conv", "hello"))
		require.True(t, b.wait(1)["c1"].Recovered)
		require.Equal(t, 1, b.api.count("hello"))
	})
}

func TestAHandoverMayBeRepeated(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.handover = func(n int) error {
			if n < 3 {
				return status(500)
			}
			return nil
		}
		b.start()
		b.send(b.reply("c1", "conv", "", func(c *schemas.ReplyCommand) {
			c.Action = &schemas.Handover{IdentityForeignID: "x", From: "AGENT", To: "BOT"}
		}))
		require.Equal(t, schemas.ReplyStateSucceeded, b.wait(1)["c1"].State)
		require.Zero(t, b.api.looks)
	})
}

func TestRetryAfterIsAFloor(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.script = func(_ context.Context, _ ringcentral.CreateContent, n int) (bool, error) {
			if n == 1 {
				return false, &ringcentral.Error{Op: "create_content", Status: 429, Outcome: ringcentral.Refused, RetryAfter: 90 * time.Second}
			}
			return true, nil
		}
		b.start()
		start := time.Now()
		b.send(b.reply("c1", "conv", "hello"))
		result := b.wait(1)["c1"]
		require.GreaterOrEqual(t, result.At.Sub(start), 90*time.Second)
		require.Less(t, result.At.Sub(start), 95*time.Second)
	})
}

func TestAnExpiryDuringRetriesIsKept(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.cfg.MaxAttempts = 100
		b.api.script = func(context.Context, ringcentral.CreateContent, int) (bool, error) { return false, status(503) }
		b.start()
		until := time.Now().Add(30 * time.Second)
		b.send(b.reply("c1", "conv", "hello", func(c *schemas.ReplyCommand) { c.NotAfter = &until }))
		result := b.wait(1)["c1"]
		require.Equal(t, "expired", *result.Reason)
		require.Positive(t, result.Attempts)
	})
}
