package kafka

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Unread tells whether these partitions hold committed records that a group has yet to read, as a client of its own sees it: offsets
// alone cannot tell, as the last of a partition may be no records but the markers of transactions. It joins no group and commits
// nothing; ctx bounds it, and when that ends while nothing was read, the answer is no.
func Unread(ctx context.Context, opts []kgo.Opt, group, topic string, partitions []int32) (bool, error) {
	client, err := kgo.NewClient(append(slices.Clone(opts), kgo.FetchIsolationLevel(kgo.ReadCommitted()))...)
	if err != nil {
		return false, fmt.Errorf("kafka: unread: %w", err)
	}
	defer client.Close()
	adm := kadm.NewClient(client)
	committed, err := adm.FetchOffsets(ctx, group)
	if err != nil {
		return false, fmt.Errorf("kafka: unread: offsets of group %s: %w", group, err)
	}
	ends, err := adm.ListCommittedOffsets(ctx, topic)
	if err != nil {
		return false, fmt.Errorf("kafka: unread: ends of %s: %w", topic, err)
	}
	from := map[int32]kgo.Offset{}
	for _, partition := range partitions {
		at, known := committed.Lookup(topic, partition)
		end, found := ends.Lookup(topic, partition)
		switch {
		case !found || end.Err != nil:
		case !known || at.At < 0:
			from[partition] = kgo.NewOffset().AtStart()
		case at.At < end.Offset:
			from[partition] = kgo.NewOffset().At(at.At)
		}
	}
	if len(from) == 0 {
		return false, nil
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	for ctx.Err() == nil {
		if client.PollRecords(ctx, math.MaxInt16).NumRecords() > 0 {
			return true, nil
		}
	}
	return false, nil
}
