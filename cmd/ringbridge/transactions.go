package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// transactionsInterval is how often it is looked for transactions that hang: they are rare, and stay.
const transactionsInterval = 30 * time.Second

// watchTransactions looks for transactions that hang, until ctx ends, and tells each once. They make no process unready:
// what comes in is still taken, and who else could do better.
func (b *bridge) watchTransactions(ctx context.Context) {
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "ringbridge_kafka_hanging_transactions",
		Help: "Transactions on the bridge's topics that nobody will end: their partitions are read no further. The log and doctor say how to end them.",
	})
	b.metrics.MustRegister(gauge)
	told := map[kafka.HangingTransaction]bool{}
	for sleep(ctx, transactionsInterval) == nil {
		var hanging []kafka.HangingTransaction
		err := within(ctx, topicsTimeout, func(ctx context.Context) (err error) {
			hanging, err = kafka.Hanging(ctx, b.adm, kafka.TopicNames(b.cfg.Connection.Broker.Topics.Prefix), time.Now())
			return err
		})
		if err != nil {
			b.logger.Debug("cannot look for hanging transactions", "error", err)
			continue
		}
		gauge.Set(float64(len(hanging)))
		for _, t := range hanging {
			if !told[t] {
				b.logger.Warn("a transaction hangs", "component", componentKafka, "reason", t.String())
			}
			told[t] = true
		}
	}
}
