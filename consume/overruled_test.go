package consume_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka/kafkatest"
	"github.com/ringbridge/ringbridge/schemas"
)

// abortedAttempt leaves an attempt of the command c1 on the ledger that is aborted: see kafkatest.AbortedBy.
func (b *bench) abortedAttempt(command *kgo.Record, epochs int16) {
	b.t.Helper()
	const id = "c1"
	value, err := b.codec.Encode(&schemas.ReplyResult{
		CommandID: id, State: schemas.ReplyStateAttempting, Attempts: 1, Conversation: string(command.Key), SourceOffset: command.Offset, At: time.Now(),
	})
	require.NoError(b.t, err)
	attempt := &kgo.Record{
		Topic: b.names.Results, Key: []byte(id), Value: value,
		Headers: []kgo.RecordHeader{{Key: "ringbridge.reply.first.attempt.at", Value: []byte(time.Now().UTC().Format(time.RFC3339Nano))}},
	}
	kafkatest.AbortedBy(b.t, b.opts, attempt, epochs)
}

// The broker had acknowledged the commit of the attempt, so the call was made; then it lost the marker, and aborted the
// attempt together with the producer's next transaction.
func TestAnAttemptWhoseCommitTheBrokerHasLostIsLookedUp(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		command := b.send(b.reply("c1", "conv", "hello"))[0]
		b.abortedAttempt(command, 2)
		made := b.api.store("parent of conv", "hello", "api")
		b.start()
		result := b.wait(1)["c1"]
		require.Equal(t, schemas.ReplyStateSucceeded, result.State)
		require.True(t, result.Recovered)
		require.Equal(t, made, *result.ResourceID)
		require.Equal(t, 1, result.Attempts)
		require.Zero(t, b.api.count("hello"), "no second call")
	})
}

func TestAnAttemptWhoseCommitTheBrokerHasLostIsMadeAgainWhereItHadNoEffect(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		command := b.send(b.reply("c1", "conv", "hello"))[0]
		b.abortedAttempt(command, 2)
		b.start()
		result := b.wait(1)["c1"]
		require.Equal(t, schemas.ReplyStateSucceeded, result.State)
		require.False(t, result.Recovered)
		require.Equal(t, 1, result.Attempts, "nobody knows of the other")
		require.Equal(t, 1, b.api.effects("hello"))
		require.NotZero(t, b.api.looks)
	})
}

// No process was told that such an attempt is on record, so none has made its call: nothing is looked for, and nobody waits.
func TestAnAttemptThatWasNeverCommittedCostsNoLookUp(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		command := b.send(b.reply("c1", "conv", "hello"))[0]
		b.abortedAttempt(command, 1)
		b.start()
		result := b.wait(1)["c1"]
		require.Equal(t, schemas.ReplyStateSucceeded, result.State)
		require.Equal(t, 1, b.api.count("hello"))
		require.Zero(t, b.api.looks)
	})
}

// What is on record says more than what was aborted.
func TestAnEndOnRecordIsNotDoubtedForAnAbortedAttempt(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		stop := b.start()
		command := b.send(b.reply("c1", "conv", "hello"))[0]
		b.wait(1)
		stop()
		b.abortedAttempt(command, 2)
		b.start()
		b.send(b.reply("c1", "conv", "hello"), b.reply("c2", "conv", "later"))
		require.Eventually(t, func() bool { return b.api.count("later") == 1 }, time.Hour, time.Second)
		require.Equal(t, 1, b.api.count("hello"))
		require.Zero(t, b.api.looks)
	})
}
