package realparts

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// EndHanging ends the transactions that the broker has forgotten: its coordinator has decided on them, and partitions wait
// for it all the same, see kafka.Decision. It returns how many partitions did. It does what an operator of a cluster does, who
// takes the newest decision for that of an earlier transaction, too: on a bed of tests nobody can be asked.
//
// Transactions whose newest record is younger than idle are left alone: one that ends at this moment looks the same.
func (k *Kafka) EndHanging(ctx context.Context, idle time.Duration) (partitions int, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(k.addr), kgo.RequestRetries(0))
	if err != nil {
		return 0, fmt.Errorf("realparts: kafka: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	open, err := openProducers(ctx, admin)
	if err != nil {
		return 0, err
	}
	open = slices.DeleteFunc(open, func(p kadm.DescribedProducer) bool { return time.Since(time.UnixMilli(p.LastTimestamp)) < idle })
	decisions, err := kafka.Decisions(ctx, admin, open)
	if err != nil {
		return 0, err
	}
	for _, d := range decisions {
		if !d.Known {
			continue
		}
		if err := d.End(ctx, admin); err != nil {
			return partitions, err
		}
		partitions++
	}
	return partitions, nil
}

// How often it is looked for hanging transactions, and how old one is: tests use shorter transaction time-outs.
const (
	tendEvery   = 5 * time.Second
	hangingFrom = 20 * time.Second
)

// tend ends hanging transactions until ctx is done, as the operator of a cluster would.
func (k *Kafka) tend(ctx context.Context) {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		within, cancel := context.WithTimeout(ctx, tendEvery)
		// An error is the broker's that is being killed or started: it is looked again.
		if n, err := k.EndHanging(within, hangingFrom); err == nil && n > 0 {
			fmt.Fprintln(os.Stderr, "realparts: the broker had forgotten to end transactions; ended in partitions:", n)
		}
		cancel()
	}
}

// openProducers are those with an open transaction, one for each partition that it is open in.
func openProducers(ctx context.Context, admin *kadm.Client) (open []kadm.DescribedProducer, err error) {
	topics, err := admin.ListTopicsWithInternal(ctx)
	if err != nil {
		return nil, fmt.Errorf("realparts: list topics: %w", err)
	}
	producers, err := admin.DescribeProducers(ctx, topics.TopicsSet())
	if err != nil {
		return nil, fmt.Errorf("realparts: describe producers: %w", err)
	}
	producers.EachProducer(func(p kadm.DescribedProducer) {
		if p.CurrentTxnStartOffset >= 0 { // -1: none is open
			open = append(open, p)
		}
	})
	return open, nil
}
