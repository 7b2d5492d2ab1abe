package consume_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// replace deletes a topic and creates it again.
func (b *bench) replace(topic string) {
	b.t.Helper()
	adm := kadm.NewClient(b.client)
	_, err := adm.DeleteTopic(b.t.Context(), topic)
	require.NoError(b.t, err)
	_, err = kafka.Apply(b.t.Context(), adm, kafka.TopicConfig{Prefix: "t.", Partitions: 2})
	require.NoError(b.t, err)
	b.client.PurgeTopicsFromClient(topic) // it would write to the old one
}

// The call of the first command had its effect, which nobody heard of; the second ended before it. Then the ledger is lost.
func TestWhatWasUnderWayWhenTheLedgerWasLostIsLookedUp(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.api.script = func(_ context.Context, c ringcentral.CreateContent, _ int) (bool, error) {
			if c.Body == "first" {
				return true, reset()
			}
			return true, nil
		}
		b.api.find = func(int) error { return status(503) }
		stop := b.start()
		b.send(b.reply("c1", "conv1", "first"), b.reply("c2", "conv2", "second"))
		b.wait(1)
		stop()
		b.replace(b.names.Results)
		b.api.find = nil
		b.send(b.reply("c3", "conv3", "third"))
		b.start()
		results := b.wait(3)
		for id, recovered := range map[string]bool{"c1": true, "c2": true, "c3": false} {
			require.Equal(t, schemas.ReplyStateSucceeded, results[id].State, id)
			require.Equal(t, recovered, results[id].Recovered, "%s; what came after the ledger was lost needs no look-up", id)
		}
		for _, body := range []string{"first", "second", "third"} {
			require.Equal(t, 1, b.api.count(body), body)
		}
	})
}

func TestALedgerLostWhileNothingWasUnderWayCostsNoLookUp(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		stop := b.start()
		b.send(b.reply("c1", "conv1", "first"))
		b.wait(1)
		stop()
		b.replace(b.names.Results)
		b.start()
		b.send(b.reply("c2", "conv1", "second"))
		require.False(t, b.wait(1)["c2"].Recovered)
		require.Zero(t, b.api.looks)
		require.Equal(t, 1, b.api.count("first"))
	})
}

// The broker deletes the offsets of a topic with it, but a member that still runs commits one more.
func TestNewRepliesAreReadFromTheirBeginning(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		stop := b.start()
		b.send(b.reply("c1", "conv", "first"), b.reply("c2", "conv", "second"))
		b.wait(2)
		stop()
		adm, group := kadm.NewClient(b.client), b.names.Group("replies")
		old, err := adm.FetchOffsets(t.Context(), group)
		require.NoError(t, err)
		b.replace(b.names.Replies)
		b.send(b.reply("c3", "conv", "third"), b.reply("c4", "conv", "fourth"), b.reply("c5", "conv", "fifth"))
		require.NoError(t, adm.CommitAllOffsets(t.Context(), group, old.Offsets()))
		require.Equal(t, int64(2), b.committed())
		b.start()
		b.wait(5)
		require.Eventually(t, func() bool { return b.committed() == 3 }, time.Minute, time.Second)
	})
}
