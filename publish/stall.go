package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

// stallBound is how long a session may get on with nothing while there are records for it to read. It is more than all that it waits
// for by itself: a held record for maxEnrichTimeout, transactionBound, or a trouble that is reported. What is left is a client that waits for good, as was
// seen after a broker had been killed: it hears of no fault, and the partitions it owns are nobody else's.
const stallBound = 2 * time.Minute / failpoint.Haste

// errStalled ends such a session. The next one has clients of its own.
var errStalled = errors.New("publish: the inbox holds records, and none was published for two minutes")

// A pulse tells when the loop got on last, and what it is at since. Safe for concurrent use.
type pulse struct {
	last atomic.Pointer[beat]
}

type beat struct {
	at    time.Time
	doing string
}

func (p *pulse) beat(doing string) { p.last.Store(&beat{time.Now(), doing}) }

func (p *pulse) doing() string { return p.last.Load().doing }

func (p *pulse) quietFor() time.Duration { return time.Since(p.last.Load().at) }

// stalled tells whether the session has got on with nothing for stallBound although it has records to read.
func (s *session) stalled(ctx context.Context) bool {
	if s.pulse.quietFor() < stallBound {
		return false
	}
	var owned []int32
	for _, shard := range s.maker.shards.all() {
		owned = append(owned, shard.partition)
	}
	n := s.deps.Names
	within, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	group := n.Group(stageName)
	held, err := kafka.HeldBack(within, kadm.NewClient(s.kafkaSession.Client()), group, n.Inbox)
	held = slices.DeleteFunc(held, func(p int32) bool { return !slices.Contains(owned, p) })
	unread := false
	if err == nil && len(held) == 0 {
		unread, err = kafka.Unread(within, s.deps.Kafka, group, n.Inbox, owned)
	}
	switch {
	case err != nil: // Kafka is out of reach: the session waits for it, and that is told
		return false
	case len(held) > 0: // no other session would get them
		s.kafka.felt(fmt.Sprintf("Kafka holds back the committed offsets of partitions %d of %s: %s", held, n.Inbox, kafka.RemedyHeldBack(group)), kerr.UnstableOffsetCommit)
		return false
	case !unread:
		s.pulse.beat(s.pulse.doing()) // idle: look again after another stallBound
		return false
	}
	_ = sleep.For(ctx, watchInterval) // what has come just now is on its way to the loop, too
	return s.pulse.quietFor() >= stallBound
}
