package realparts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// EndHanging ends the transactions that the broker has forgotten: its coordinator has decided on them, and partitions wait
// for it all the same. It returns how many partitions did.
//
// A lone broker that is killed does so at times, when it has many seconds to start in: it elects its coordinator before it
// knows itself to lead any partition, which then takes those partitions for deleted, and keeps their markers. Whoever
// reads only what is committed waits for good. On a real cluster an operator ends them (kafka-transactions.sh). It is no
// fault of the program under test, and decides nothing: each marker says what the coordinator has decided.
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
	open = slices.DeleteFunc(open, func(p kadm.DescribedProducer) bool { return time.Since(time.UnixMilli(p.LastTimestamp)) < idle })
	if err != nil || len(open) == 0 {
		return 0, err
	}
	decided, err := decidedTransactions(ctx, admin, open)
	if err != nil {
		return 0, err
	}
	var markers []kadm.TxnMarkers
	for _, producer := range open {
		// The decision raises the epoch: a transaction with this one is newer.
		if t, ok := decided[producer.ProducerID]; ok && t.ProducerEpoch > producer.ProducerEpoch {
			markers = append(markers, marker(producer, t))
		}
	}
	if len(markers) == 0 {
		return 0, nil
	}
	written, err := admin.WriteTxnMarkers(ctx, markers...)
	ended := 0
	written.EachPartition(func(p kadm.TxnMarkersPartitionResponse) {
		switch {
		case p.Err == nil:
			ended++
		case errors.Is(p.Err, kerr.TransactionCoordinatorFenced):
			// A newer coordinator has ended it since it was looked at.
		case err == nil:
			err = p.Err
		}
	})
	if err != nil {
		return 0, fmt.Errorf("realparts: end hanging transactions: %w", err)
	}
	return ended, nil
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

// decidedTransactions are the newest ones of these producers, by producer id, for which the coordinator has no more to do.
func decidedTransactions(ctx context.Context, admin *kadm.Client, of []kadm.DescribedProducer) (map[int64]kadm.DescribedTransaction, error) {
	var ids []int64
	for _, p := range of {
		ids = append(ids, p.ProducerID)
	}
	listed, err := admin.ListTransactions(ctx, ids, []string{"CompleteCommit", "CompleteAbort"})
	if err != nil || len(listed) == 0 {
		return nil, err
	}
	described, err := admin.DescribeTransactions(ctx, listed.TransactionalIDs()...)
	if err != nil {
		return nil, fmt.Errorf("realparts: describe transactions: %w", err)
	}
	decided := map[int64]kadm.DescribedTransaction{}
	for _, t := range described {
		if t.Err == nil {
			decided[t.ProducerID] = t
		}
	}
	return decided, nil
}

// marker is the one that the partition waits for.
func marker(p kadm.DescribedProducer, t kadm.DescribedTransaction) kadm.TxnMarkers {
	topics := kadm.TopicsSet{}
	topics.Add(p.Topic, p.Partition)
	return kadm.TxnMarkers{
		ProducerID: p.ProducerID, ProducerEpoch: t.ProducerEpoch, Commit: t.State == "CompleteCommit",
		CoordinatorEpoch: max(p.CoordinatorEpoch, 0), Topics: topics,
	}
}
