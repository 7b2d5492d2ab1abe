package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

// A backfill is a process of its own beside the bridge's, and calls the same APIs. It
// says so by its membership in a consumer group, with its share of the rate in the
// name of its client: the replicas leave it that share for as long as it is there,
// and have it back when it ends, however it ends.
const (
	backfillGroup  = "backfill"
	backfillClient = "ringbridge-backfill-" // and the share, as in 0.5
)

// errBackfillRuns is returned where another backfill is at work.
var errBackfillRuns = errors.New("another backfill is running: wait for its end, or stop it; it goes on where it was")

// takeRoom joins the group, or returns errBackfillRuns. The caller ends it by leave.
func takeRoom(ctx context.Context, adm *kadm.Client, cfg brokerConfig, opts []kgo.Opt, share float64) (leave func(), err error) {
	names := kafka.TopicNames(cfg.Topics.Prefix)
	members, err := groupMembers(ctx, adm, names.Group(backfillGroup))
	if err != nil {
		return nil, err
	}
	if len(members) > 0 {
		return nil, fmt.Errorf("%w (%s)", errBackfillRuns, strings.Join(members, ", "))
	}
	var joined sync.Once
	ready := make(chan struct{})
	client, err := kgo.NewClient(append(append(slices.Clip(opts), kafka.MemberOptions()...),
		kgo.ClientID(backfillClient+strconv.FormatFloat(share, 'f', -1, 64)),
		kgo.ConsumerGroup(names.Group(backfillGroup)),
		kgo.ConsumeTopics(names.Cursors),
		kgo.DisableAutoCommit(), // nothing is read: being a member is all
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { joined.Do(func() { close(ready) }) }),
	)...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	client.PauseFetchTopics(names.Cursors)
	polling, stop := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		for polling.Err() == nil {
			client.PollFetches(polling)
		}
	})
	leave = func() {
		stop()
		done.Wait()
		_ = within(context.WithoutCancel(ctx), pingTimeout, client.LeaveGroupContext) // else the session's time-out ends it
		client.Close()
	}
	err = within(ctx, connectTimeout, func(ctx context.Context) error {
		select {
		case <-ready:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("kafka: join group %s: %w", names.Group(backfillGroup), context.Cause(ctx))
		}
	})
	if err != nil {
		leave()
		return nil, err
	}
	return leave, awaitRoom(ctx, adm, names)
}

// awaitRoom gives running replicas the time to notice: that of a look, and more for
// one that takes long.
func awaitRoom(ctx context.Context, adm *kadm.Client, names kafka.Names) error {
	for _, group := range []string{names.Group(topicReplies), names.Group(stagePublish), names.Group(stagePoll)} {
		members, err := groupMembers(ctx, adm, group)
		if err != nil {
			return err
		}
		if len(members) > 0 {
			return sleep.For(ctx, 3*lookInterval)
		}
	}
	return nil
}

// roomBeside returns what a backfill leaves of the rate to the bridge, 1 = all. A
// group that cannot be read is none.
func roomBeside(ctx context.Context, adm *kadm.Client, names kafka.Names) (float64, error) {
	described, err := adm.DescribeGroups(ctx, names.Group(backfillGroup))
	if err == nil {
		err = described.Error()
	}
	if errors.Is(err, kerr.GroupIDNotFound) {
		return 1, nil
	}
	if err != nil {
		return 1, err
	}
	room := 1.0
	for _, member := range described[names.Group(backfillGroup)].Members {
		if text, ok := strings.CutPrefix(member.ClientID, backfillClient); ok {
			if share, err := strconv.ParseFloat(text, 64); err == nil && share > 0 && share < 1 {
				room = min(room, 1-share)
			}
		}
	}
	return room, nil
}
