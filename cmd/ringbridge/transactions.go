package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

const (
	// transactionsInterval is how often it is looked for transactions that hang: they are rare, and stay.
	transactionsInterval = 30 * time.Second
	// heldBound is how long an offset must have been held back to be told.
	heldBound = time.Minute
)

// transactional are the groups whose offsets are committed in transactions, with the topics that they read.
func transactional(names kafka.Names) map[string]string {
	return map[string]string{names.Group(stagePublish): names.Inbox, names.Group(topicReplies): names.Replies}
}

// watchTransactions looks for transactions that hang, until ctx ends, and tells each once. They make no process unready:
// what comes in is still taken, and who else could do better.
func (b *bridge) watchTransactions(ctx context.Context) {
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "ringbridge_kafka_hanging_transactions",
		Help: "Transactions on the bridge's topics that nobody will end: their partitions are read no further. The log and doctor say how to end them.",
	})
	b.metrics.MustRegister(gauge)
	told := map[string]bool{}
	tell := func(reason string) {
		if !told[reason] {
			b.logger.Warn("a transaction hangs", "component", componentKafka, "reason", reason)
		}
		told[reason] = true
	}
	offsets := kafka.HeldOffsets{}
	for sleep.For(ctx, transactionsInterval) == nil {
		var hanging []kafka.HangingTransaction
		held := map[string]int{}
		names := b.names()
		err := within(ctx, topicsTimeout, func(ctx context.Context) (err error) {
			if hanging, err = kafka.Hanging(ctx, b.adm, names, time.Now()); err != nil {
				return err
			}
			for group, topic := range transactional(names) {
				if held[group], err = offsets.Look(ctx, b.adm, group, topic, heldBound); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.logger.Debug("cannot look for hanging transactions", "error", err)
			continue
		}
		for _, t := range hanging {
			tell(t.String())
		}
		all := len(hanging)
		for group, partitions := range held {
			if partitions > 0 {
				tell("committed offsets of group " + group + " are held back for a transaction that the broker has lost track of: " + kafka.RemedyHeldBack(group))
			}
			all += partitions
		}
		gauge.Set(float64(all))
	}
}
