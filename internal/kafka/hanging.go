package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

const (
	// ownBound is the age at which a transaction of the stages is none that anybody will end: the broker aborts theirs
	// after ten seconds.
	ownBound = time.Minute
	// otherBound is that of other producers, of which the broker aborts the longest after transaction.max.timeout.ms,
	// fifteen minutes by default.
	otherBound = 16 * time.Minute
)

// A HangingTransaction keeps all who read only what is committed, the stages among them, from reading on in a partition.
//
// Brokers forget to end one at times: a lone one that is killed, and starts so slowly that it ends transactions before it
// knows which partitions it leads, was seen to. Only an operator ends it then.
type HangingTransaction struct {
	Topic     string
	Partition int32
	Start     int64     // the first offset that is kept back
	Since     time.Time // its newest record

	producer kadm.DescribedProducer
}

// String says what it does, and how it is ended.
func (t HangingTransaction) String() string {
	return fmt.Sprintf("%s/%d is read no further than offset %d: a transaction there has been open since %s; end it with %s",
		t.Topic, t.Partition, t.Start, t.Since.UTC().Format(time.RFC3339), t.Remedy())
}

// Remedy is the command that ends it: as was decided, which Kafka's own kafka-transactions.sh cannot. That aborts, and what was
// committed is lost.
func (t HangingTransaction) Remedy() string { return "`ringbridge topics end-hanging`" }

// Abort is Kafka's own command, for one of which nobody knows how it was to end.
func (t HangingTransaction) Abort() string {
	return fmt.Sprintf("`kafka-transactions.sh --bootstrap-server BROKER abort --topic %s --partition %d --start-offset %d`", t.Topic, t.Partition, t.Start)
}

// Hanging returns the transactions on the topics that, by their age at now, nobody will end. Topics that do not exist or may not be read are
// passed over.
func Hanging(ctx context.Context, adm *kadm.Client, n Names, now time.Time) ([]HangingTransaction, error) {
	details, err := adm.ListTopics(ctx, n.Inbox, n.InboxDLQ, n.Contents, n.Identities, n.Messages, n.Activity, n.Replies, n.Results, n.RepliesDLQ, n.Cursors, n.Seen)
	if err != nil {
		return nil, fmt.Errorf("kafka: hanging transactions: %w", err)
	}
	there := kadm.TopicsSet{}
	for _, detail := range details {
		if detail.Err == nil {
			there.Add(detail.Topic, detail.Partitions.Numbers()...)
		}
	}
	if len(there) == 0 {
		return nil, nil // asking of none would ask of all
	}
	producers, err := adm.DescribeProducers(ctx, there)
	if err != nil {
		return nil, fmt.Errorf("kafka: hanging transactions: %w", err)
	}
	var hanging []HangingTransaction
	var faults []error
	producers.EachPartition(func(p kadm.DescribedProducersPartition) {
		if p.Err != nil && !errors.Is(p.Err, kerr.TopicAuthorizationFailed) {
			faults = append(faults, fmt.Errorf("%s/%d: %w", p.Topic, p.Partition, p.Err))
		}
		bound := ownBound
		if p.Topic == n.Replies {
			bound = otherBound
		}
		for _, producer := range p.ActiveProducers.Sorted() {
			since := time.UnixMilli(producer.LastTimestamp)
			if producer.CurrentTxnStartOffset >= 0 && now.Sub(since) > bound { // -1: none is open
				hanging = append(hanging, HangingTransaction{p.Topic, p.Partition, producer.CurrentTxnStartOffset, since, producer})
			}
		}
	})
	if len(hanging) == 0 && len(faults) > 0 {
		return nil, fmt.Errorf("kafka: hanging transactions: %w", errors.Join(faults...))
	}
	return hanging, nil
}
