package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// HeldBack returns the partitions of which the group's coordinator tells a new owner no committed offset, as a transaction with a newer one
// has not ended there (UNSTABLE_OFFSET_COMMIT). A member waits for that, without a word.
//
// A partition that nothing was ever committed of is not among them: brokers list only what is.
//
// For milliseconds it is ordinary. Where it lasts longer than transactions of ours may, the coordinator has lost track of one: a broker
// that had been killed and started slowly was seen to (4.3.1), with no open transaction left in its log. It reads that log anew when it
// is started again, or when another broker becomes the leader of the group's partition of __consumer_offsets.
func HeldBack(ctx context.Context, adm *kadm.Client, group, topic string) (partitions []int32, err error) {
	offsets, err := adm.FetchOffsets(kadm.RequireStable(ctx), group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, fmt.Errorf("kafka: stable offsets of group %s: %w", group, err)
	}
	offsets.Each(func(o kadm.OffsetResponse) {
		if o.Topic == topic && errors.Is(o.Err, kerr.UnstableOffsetCommit) {
			partitions = append(partitions, o.Partition)
		}
	})
	slices.Sort(partitions)
	return partitions, nil
}

// RemedyHeldBack is what ends it.
func RemedyHeldBack(group string) string {
	return "restart the broker that coordinates group " + group + ": `kafka-consumer-groups.sh --bootstrap-server BROKER --describe --state --group " + group + "` names it"
}
