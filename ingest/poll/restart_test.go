package poll_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/kafka"
)

// known reads what the cursor of contents claims.
func (b *bench) known(t *testing.T) (since, known time.Time) {
	t.Helper()
	for _, r := range b.kafka.Records(t, b.kafka.Names.Cursors) {
		if string(r.Key) == "engage/contents" {
			var c struct{ Since, Known time.Time }
			require.NoError(t, json.Unmarshal(r.Value, &c))
			since, known = c.Since, c.Known
		}
	}
	return since, known
}

// A process that dies at any step has a cursor that claims no more than the inbox
// has, and its successor finds the rest.
func TestADeathAtAnyStepLosesNothing(t *testing.T) {
	for _, step := range []int64{1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20} {
		t.Run(fmt.Sprint("step ", step), func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.source.stream(1400, time.Now(), 300*time.Millisecond)
				var steps atomic.Int64
				die := func(ctx context.Context) error {
					if steps.Add(1) == step {
						b.die()
						<-ctx.Done()
						return ctx.Err()
					}
					return nil
				}
				b.source.hook(func(ctx context.Context, list string, _ int) error {
					if list == "contents" {
						return die(ctx)
					}
					return nil
				})
				b.inbox.hook(func(ctx context.Context, items []ingest.Item) error {
					if items[0].Arrival.Kind == "content" {
						return die(ctx)
					}
					return nil
				})
				stop := b.begin(t)
				for range 3 {
					time.Sleep(settle)
					b.source.arrive(100, time.Now())
				}
				stop()
				since, known := b.known(t)
				has := map[string]bool{}
				for _, id := range b.inbox.ids("content") {
					has[id] = true
				}
				if known.Sub(since) > 15*time.Minute { // more than the first cursor claims
					for _, r := range b.source.all() {
						if !r.at.Before(since) && r.at.Before(known) {
							require.True(t, has[r.id], "the cursor is ahead of the inbox")
						}
					}
				}
				b.source.hook(nil)
				b.inbox.hook(nil)
				stop = b.begin(t)
				time.Sleep(2 * time.Minute)
				stop()
				for _, id := range b.inbox.ids("content") {
					has[id] = true
				}
				for _, r := range b.source.all() {
					require.True(t, has[r.id])
				}
			})
		})
	}
}

// Peer failure 2: after a restart, rows of the same time as the last one saved were
// passed over.
func TestRowsOfOneInstantAreAllFoundOverARestart(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		at := time.Now()
		ids := b.source.arrive(200, at)
		stop := b.begin(t)
		time.Sleep(settle)
		stop()
		ids = append(ids, b.source.arrive(200, at)...)
		b.source.hook(func(_ context.Context, list string, n int) error {
			if list == "contents" && n%3 == 2 {
				return errors.New("cut off between two pages")
			}
			return nil
		})
		stop = b.begin(t)
		time.Sleep(settle)
		stop()
		b.source.hook(nil)
		b.begin(t)
		time.Sleep(2 * time.Minute)
		got := b.inbox.ids("content")
		slices.Sort(got)
		slices.Sort(ids)
		require.Equal(t, ids, slices.Compact(got))
	})
}

// Peer failure 1: the position was saved before what it covers was acknowledged.
func TestAnOutageOfTheInboxKeepsTheCursorAndTheOrder(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.begin(t)
		time.Sleep(settle)
		_, before := b.known(t)
		b.inbox.hook(func(context.Context, []ingest.Item) error { return errors.New("no broker") })
		var ids []string
		for range 20 {
			ids = append(ids, b.source.arrive(50, time.Now())...)
			time.Sleep(time.Minute)
		}
		_, during := b.known(t)
		require.Equal(t, before, during)
		require.GreaterOrEqual(t, b.metric(t, "rounds_total", "engage/contents", "inbox"), 10.0)
		b.inbox.hook(nil)
		time.Sleep(2 * time.Minute)
		got := b.inbox.ids("content")
		require.ElementsMatch(t, ids, got)
		place := map[string]int{}
		for i, id := range ids {
			place[id] = i / 50
		}
		require.True(t, slices.IsSortedFunc(got, func(x, y string) int { return place[x] - place[y] }), "oldest first")
	})
}

// cut is a network that can be cut off.
type cut struct {
	dial func(ctx context.Context, network, host string) (net.Conn, error)

	mu    sync.Mutex
	off   bool
	conns []net.Conn
}

func (c *cut) Dial(ctx context.Context, network, host string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.off {
		return nil, errors.New("cut")
	}
	conn, err := c.dial(ctx, network, host)
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

func (c *cut) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = true
	for _, conn := range c.conns {
		conn.Close()
	}
}

func TestTheStreamsOfADeadReplicaMove(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		first := poller(t, b, b.kafka.Options)
		time.Sleep(settle)
		second := poller(t, b, b.kafka.Options)
		time.Sleep(time.Minute)
		b.source.arrive(10, time.Now())
		time.Sleep(time.Minute)
		require.Len(t, b.inbox.ids("content"), 10, "one of them polls")

		first()
		late := b.source.arrive(10, time.Now())
		time.Sleep(2 * time.Minute)
		require.Subset(t, b.inbox.ids("content"), late)
		calls := b.source.called("contents")
		time.Sleep(5 * time.Minute)
		require.InDelta(t, 10, b.source.called("contents")-calls, 1, "one polls, not two and not none")
		second()
		calls = b.source.called("contents")
		time.Sleep(5 * time.Minute)
		require.Equal(t, calls, b.source.called("contents"))
	})
}

func TestTheStreamsOfACutOffReplicaMove(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		network := &cut{dial: b.kafka.Network.DialContext}
		stop := poller(t, b, append(slices.Clone(b.kafka.Options), kgo.Dialer(network.Dial)))
		time.Sleep(settle)
		poller(t, b, b.kafka.Options)
		time.Sleep(time.Minute)
		network.cut()
		time.Sleep(2 * time.Minute)
		ids := b.source.arrive(10, time.Now())
		time.Sleep(2 * time.Minute)
		require.Subset(t, b.inbox.ids("content"), ids)
		calls := b.source.called("contents")
		time.Sleep(5 * time.Minute)
		require.InDelta(t, 10, b.source.called("contents")-calls, 1, "who lost its partitions has stopped")
		began := time.Now()
		stop()
		require.LessOrEqual(t, time.Since(began), 10*time.Second, "leaving does not wait for a broker that is gone")
	})
}

// poller begins one of several pollers.
func poller(t *testing.T, b *bench, opts []kgo.Opt) (stop func()) {
	t.Helper()
	b.opts = opts
	return b.begin(t)
}

func TestACallThatHangsDoesNotHoldTheStopUp(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.hook(func(ctx context.Context, _ string, _ int) error {
			<-ctx.Done()
			return ctx.Err()
		})
		stop := b.begin(t)
		time.Sleep(settle)
		began := time.Now()
		stop()
		require.LessOrEqual(t, time.Since(began), time.Second)
	})
}

// replace puts another cursor in the place of the one of contents.
func (b *bench) replace(t *testing.T, value string) {
	t.Helper()
	var newest *kgo.Record
	for _, r := range b.kafka.Records(t, b.kafka.Names.Cursors) {
		if string(r.Key) == "engage/contents" {
			newest = r
		}
	}
	cl, err := kgo.NewClient(append(slices.Clone(b.kafka.Options), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	require.NoError(t, err)
	defer cl.Close()
	record := &kgo.Record{Topic: newest.Topic, Partition: newest.Partition, Key: newest.Key, Value: []byte(value)}
	require.NoError(t, cl.ProduceSync(t.Context(), record).FirstErr())
}

func TestACursorOfALaterVersionIsNotGuessedAt(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		stop := b.begin(t)
		time.Sleep(settle)
		stop()
		b.replace(t, `{"version":2,"known":"2026-03-01T00:00:00Z","since":"2026-03-01T00:00:00Z","swept":"2026-03-01T00:00:00Z"}`)
		calls := b.source.called("contents")
		b.begin(t)
		time.Sleep(10 * time.Minute)
		require.Equal(t, calls, b.source.called("contents"))
		require.Contains(t, b.health.all(), "cursor of engage/contents")
		require.Greater(t, b.source.called("identities"), 10)
	})
}

func TestAClockThatWasWrongAtTheFirstStartIsForgiven(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.source.noCount = true
		stop := b.begin(t)
		time.Sleep(settle)
		stop()
		b.replace(t, `{"version":1,"known":"2027-03-01T00:00:00Z","since":"2027-03-01T00:00:00Z","swept":"2027-03-01T00:00:00Z"}`)
		ids := b.source.arrive(500, time.Now())
		b.begin(t)
		time.Sleep(settle)
		require.ElementsMatch(t, ids, b.inbox.ids("content"))
	})
}

func TestRowsReachARealInboxEachOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bubbleTime()
		b := newBench(t)
		ids := b.source.stream(500, time.Now(), time.Second)
		p := poll.New(poll.Deps{Options: b.kafka.Options, Topics: b.kafka.Names, Source: b.source, Inbox: b.kafka.Inbox(t, codec)}, b.cfg)
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
		defer stop()
		require.NoError(t, p.Run(ctx))
		var got []string
		for _, a := range b.kafka.Arrivals(t, codec) {
			require.Equal(t, "POLL ENGAGE content application/json", fmt.Sprint(a.Origin, " ", a.API, " ", a.Kind, " ", a.ContentType))
			got = append(got, *a.ResourceID)
		}
		require.ElementsMatch(t, ids, got)
		require.NotEmpty(t, b.kafka.Records(t, kafka.TopicNames("t.").Cursors))
	})
}

// Seen in a run of the crash harness: a page that was on its way while its reader was frozen was written after another replica had
// read on, with the older of two states of one second, which then passed for the newer.
func TestAMemberThatTheGroupHasLostWritesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		client, err := kgo.NewClient(b.kafka.Options...)
		require.NoError(t, err)
		defer client.Close()
		b.begin(t)
		time.Sleep(settle)
		ids := b.source.arrive(10, time.Now())
		var once sync.Once
		b.source.hook(func(_ context.Context, list string, _ int) error {
			if list == "contents" {
				once.Do(func() { expel(t, client, b.kafka.Names.Group("poll")) })
			}
			return nil
		})
		time.Sleep(2 * time.Minute)
		require.ElementsMatch(t, ids, b.inbox.ids("content"), "once, by the owner that came after")
	})
}

// expel ends the membership of all members of a group, which learn of it by their next heartbeat.
func expel(t *testing.T, client *kgo.Client, group string) {
	t.Helper()
	described, err := kadm.NewClient(client).DescribeGroups(t.Context(), group)
	require.NoError(t, err)
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = group
	for _, m := range described[group].Members {
		member := kmsg.NewLeaveGroupRequestMember()
		member.MemberID = m.MemberID
		req.Members = append(req.Members, member)
	}
	require.NotEmpty(t, req.Members)
	answer, err := req.RequestWith(t.Context(), client)
	require.NoError(t, err)
	for _, m := range answer.Members {
		require.NoError(t, kerr.ErrorForCode(m.ErrorCode))
	}
}
