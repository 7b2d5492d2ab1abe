package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Ended tells how transactions that hung were ended; those left are as they were.
type Ended struct {
	Committed, Aborted, Left []HangingTransaction
}

// EndHanging ends transactions that hang, each as its coordinator has decided. One of which that is not known is left. The user needs
// the right to act for the cluster (CLUSTER_ACTION). After an error, what was ended is told all the same.
func EndHanging(ctx context.Context, adm *kadm.Client, hanging []HangingTransaction) (ended Ended, err error) {
	open := make([]kadm.DescribedProducer, len(hanging))
	for i, t := range hanging {
		open[i] = t.producer
	}
	decisions, err := Decisions(ctx, adm, open)
	if err != nil {
		return ended, err
	}
	for i, t := range hanging {
		d := decisions[i]
		if !d.Sure {
			ended.Left = append(ended.Left, t)
			continue
		}
		if err := d.End(ctx, adm); err != nil {
			return ended, fmt.Errorf("kafka: end the transaction in %s/%d: %w", t.Topic, t.Partition, err)
		}
		if d.Commit {
			ended.Committed = append(ended.Committed, t)
		} else {
			ended.Aborted = append(ended.Aborted, t)
		}
	}
	return ended, nil
}

// A Decision is what is known of how a transaction is to end that is open in a partition.
//
// A lone broker that is killed forgets markers at times, when it has many seconds to start in: it elects its coordinator before it
// knows itself to lead any partition, which then takes those partitions for deleted, and keeps their markers (4.3.1).
type Decision struct {
	Known  bool // the coordinator has no more to do for the producer
	Sure   bool // what it decided last is this very transaction's end, not that of a later one
	Commit bool

	marker kadm.TxnMarkers
}

// Decisions asks the coordinators how these are to end; one for each, in their order.
func Decisions(ctx context.Context, adm *kadm.Client, open []kadm.DescribedProducer) ([]Decision, error) {
	newest, err := newestDecided(ctx, adm, open)
	if err != nil {
		return nil, fmt.Errorf("kafka: ask for transactions: %w", err)
	}
	decisions := make([]Decision, len(open))
	for i, p := range open {
		// A decision raises the epoch: a transaction with this one is newer.
		if t, ok := newest[p.ProducerID]; ok && t.ProducerEpoch > p.ProducerEpoch {
			decisions[i] = Decision{Known: true, Sure: t.ProducerEpoch == p.ProducerEpoch+1, Commit: t.State == completeCommit, marker: marker(p, t)}
		}
	}
	return decisions, nil
}

// End writes the marker that the partition waits for.
func (d Decision) End(ctx context.Context, adm *kadm.Client) error {
	written, err := adm.WriteTxnMarkers(ctx, d.marker)
	written.EachPartition(func(answer kadm.TxnMarkersPartitionResponse) {
		// A newer coordinator has ended it since it was looked at.
		if !errors.Is(answer.Err, kerr.TransactionCoordinatorFenced) {
			err = errors.Join(err, answer.Err)
		}
	})
	return err
}

// The states of a transaction for which its coordinator has no more to do.
const (
	completeCommit = "CompleteCommit"
	completeAbort  = "CompleteAbort"
)

// newestDecided are the newest transactions of these producers, by producer id, for which the coordinator has no more to do.
func newestDecided(ctx context.Context, adm *kadm.Client, of []kadm.DescribedProducer) (map[int64]kadm.DescribedTransaction, error) {
	if len(of) == 0 {
		return nil, nil // asking of none would ask of all
	}
	var ids []int64
	for _, p := range of {
		ids = append(ids, p.ProducerID)
	}
	listed, err := adm.ListTransactions(ctx, ids, []string{completeCommit, completeAbort})
	if err != nil || len(listed) == 0 {
		return nil, err
	}
	described, err := adm.DescribeTransactions(ctx, listed.TransactionalIDs()...)
	if err != nil {
		return nil, err
	}
	decided := map[int64]kadm.DescribedTransaction{}
	for _, t := range described {
		if t.Err == nil {
			decided[t.ProducerID] = t
		}
	}
	return decided, nil
}

func marker(p kadm.DescribedProducer, t kadm.DescribedTransaction) kadm.TxnMarkers {
	topics := kadm.TopicsSet{}
	topics.Add(p.Topic, p.Partition)
	return kadm.TxnMarkers{
		ProducerID: p.ProducerID, ProducerEpoch: t.ProducerEpoch, Commit: t.State == completeCommit,
		CoordinatorEpoch: max(p.CoordinatorEpoch, 0), Topics: topics,
	}
}
