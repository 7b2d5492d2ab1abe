package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/sleep"
)

// leastShare is what a process keeps of the API's quota that owns nothing at
// the moment: enough for the first call when it is given something, too little
// to hurt the others.
const leastShare = 0.02

const (
	// lookInterval is how often the groups are looked at: half of what a replica waits
	// for its part at the most, for two requests to the broker.
	lookInterval = 2 * time.Second
	// firstLooks is the same until they have given this process something, for
	// firstTime at most. Until then it has leastShare: with all of the quota, replicas
	// that start together would spend it several times over.
	firstLooks = 500 * time.Millisecond
	firstTime  = 30 * time.Second
)

// stable is the state of a consumer group that is not being divided anew.
const stable = "Stable"

// shares divides the API's quota among the replicas: each process takes the
// part of it that its consumers own of the groups' partitions.
//
// As a hook of the Kafka clients it knows which members of the groups are this
// process's. It is safe for concurrent use.
type shares struct {
	bridge *bridge
	apis   []sharer

	seen float64 // the share at the last look; run's alone

	mu      sync.Mutex
	clients map[*kgo.Client]bool
}

// sharer is the client of an API whose quota is divided. It is safe for
// concurrent use.
type sharer interface {
	// Share makes a fraction of the quota, 0 to 1, this process's.
	Share(fraction float64)
}

func newShares(b *bridge, apis ...sharer) *shares {
	return &shares{bridge: b, apis: apis, clients: map[*kgo.Client]bool{}}
}

// OnNewClient implements kgo.HookNewClient.
func (s *shares) OnNewClient(client *kgo.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[client] = true
}

// OnClientClosed implements kgo.HookClientClosed.
func (s *shares) OnClientClosed(client *kgo.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, client)
}

// run keeps the share right until ctx ends. It begins with leastShare.
func (s *shares) run(ctx context.Context) {
	begun, pause := time.Now(), firstLooks
	for sleep.For(ctx, pause) == nil {
		_ = within(ctx, pingTimeout, s.update)
		if s.seen > leastShare || time.Since(begun) > firstTime {
			pause = lookInterval
		}
	}
}

func (s *shares) set(share float64) {
	for _, api := range s.apis {
		api.Share(share)
	}
}

// update takes the share from the groups as they are. Where the broker can't
// be asked, the share stays as it was.
//
// It becomes less at once, and more only if it was so at the look before: those that
// lose what this process gains have looked by then too, and together they never have
// more than all. Whoever owns everything need not wait for others.
func (s *shares) update(ctx context.Context) error {
	names := s.bridge.names()
	groups, err := s.bridge.adm.DescribeGroups(ctx, names.Group(topicReplies), names.Group(stagePublish), names.Group(stagePoll))
	if err != nil {
		return err
	}
	ours := s.members()
	own, all, settled := 0, 0, true
	for _, group := range groups.Sorted() {
		settled = settled && (group.State == stable || len(group.Members) == 0)
		for _, member := range group.Members {
			n := partitionCount(member)
			all += n
			if ours[member.MemberID] {
				own += n
			}
		}
	}
	if all == 0 {
		return nil
	}
	room, err := roomBeside(ctx, s.bridge.adm, names)
	if err != nil {
		return err
	}
	share := room * max(leastShare, float64(own)/float64(all))
	if own == all && settled {
		s.set(share)
	} else {
		s.set(min(share, max(s.seen, leastShare)))
	}
	s.seen = share
	return nil
}

// members returns the names that the groups know this process's clients by.
func (s *shares) members() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := map[string]bool{}
	for client := range s.clients {
		if id, _ := client.GroupMetadata(); id != "" {
			ids[id] = true
		}
	}
	return ids
}

func partitionCount(member kadm.DescribedGroupMember) (n int) {
	assigned, ok := member.Assigned.AsConsumer()
	if !ok {
		return 0
	}
	for _, topic := range assigned.Topics {
		n += len(topic.Partitions)
	}
	return n
}
