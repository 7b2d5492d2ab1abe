package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/spool"
	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/health"
)

// firsts returns the members in the order of their first appearance: what publish
// makes of a list with duplicates.
func firsts(list []string) (found []string) {
	seen := map[string]bool{}
	for _, one := range list {
		if !seen[one] {
			seen[one] = true
			found = append(found, one)
		}
	}
	return found
}

func numbers(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

func TestWithABrokerNothingTouchesTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, inbox := newFakeDisk(), &fakeInbox{}
		s := open(t, disk, inbox)
		run(t, s)
		synctest.Wait()
		before := disk.steps
		require.NoError(t, s.Accept(t.Context(), item("k", "a")))
		require.NoError(t, s.Refuse(t.Context(), ingest.Refusal{Body: []byte("b")}))
		require.Equal(t, []string{"a"}, inbox.got())
		require.Len(t, inbox.letters, 1)
		require.Equal(t, before, disk.steps)
	})
}

func TestAnOutageIsNoneForTheSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, inbox, reg := newFakeDisk(), &fakeInbox{down: true}, prometheus.NewRegistry()
		s := open(t, disk, inbox, func(d *spool.Deps) { d.Registerer = reg })
		run(t, s)
		began := time.Now()
		for i := range 2000 {
			before := time.Now()
			require.NoError(t, s.Accept(t.Context(), item("k", fmt.Sprint(i))))
			most := 0 * time.Second
			if i == 0 {
				most = time.Second // to find out that the broker is down
			}
			require.LessOrEqual(t, time.Since(before), most)
			time.Sleep(5 * time.Millisecond)
		}
		require.NoError(t, s.Refuse(t.Context(), ingest.Refusal{Body: []byte("letter"), Message: "why"}))
		require.Empty(t, inbox.got())
		synctest.Wait()
		require.InDelta(t, 2001, gauge(t, reg, "ringbridge_spool_records"), 0)
		require.InDelta(t, began.Unix(), gauge(t, reg, "ringbridge_spool_oldest_timestamp_seconds"), 1.1)
		require.Positive(t, gauge(t, reg, "ringbridge_spool_bytes"))

		inbox.set(false)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, numbers(2000), inbox.got())
		require.Equal(t, "letter", string(inbox.letters[0].Body))
		require.Equal(t, "why", inbox.letters[0].Message)
		require.WithinDuration(t, began, inbox.items[0].Arrival.ReceivedAt, 0, "when it came, not when it was drained")
		require.Empty(t, disk.left())
		for _, name := range []string{"bytes", "records", "oldest_timestamp_seconds", "active"} {
			require.Zero(t, gauge(t, reg, "ringbridge_spool_"+name), name)
		}
		require.InDelta(t, 2001, gauge(t, reg, "ringbridge_spool_written_records_total"), 0)
		require.InDelta(t, 2001, gauge(t, reg, "ringbridge_spool_drained_records_total"), 0)
	})
}

func gauge(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatal("no metric", name)
	return 0
}

// TestNobodyOvertakes has senders that do not wait for their answer, so that many
// are under way when the broker goes, and the broker goes and comes.
func TestNobodyOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, inbox := newFakeDisk(), &fakeInbox{}
		s := open(t, disk, inbox)
		run(t, s)
		var senders sync.WaitGroup
		const n = 3000
		for i := range n {
			switch i {
			case 500, 2000:
				inbox.set(true)
			case 1500, 2500:
				inbox.set(false)
			}
			senders.Go(func() {
				require.NoError(t, s.Accept(t.Context(), item("k", fmt.Sprint(i))))
			})
			time.Sleep(5 * time.Millisecond)
		}
		senders.Wait()
		time.Sleep(10 * time.Second)
		require.Equal(t, numbers(n), firsts(inbox.got()))
		require.Empty(t, disk.left())
	})
}

func TestRequestsThatComeTogetherShareAnFsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, inbox := newFakeDisk(), &fakeInbox{down: true}
		s := open(t, disk, inbox)
		require.NoError(t, s.Accept(t.Context(), item("k", "first")))
		disk.waits = make(chan struct{})
		before := disk.syncs
		var senders sync.WaitGroup
		for i := range 100 {
			senders.Go(func() { require.NoError(t, s.Accept(t.Context(), item("k", fmt.Sprint(i)))) })
		}
		synctest.Wait() // some wait for the disk, and the others behind them
		close(disk.waits)
		senders.Wait()
		require.LessOrEqual(t, disk.syncs-before, 2)
	})
}

func TestNobodyIsToldYesBeforeTheFsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, inbox := newFakeDisk(), &fakeInbox{down: true}
		disk.waits = make(chan struct{})
		s := open(t, disk, inbox)
		answered := make(chan error, 1)
		began := time.Now()
		go func() { answered <- s.Accept(t.Context(), item("k", "a")) }()
		require.Error(t, <-answered, "the disk does not answer")
		require.Less(t, time.Since(began), 10*time.Second)
		close(disk.waits)
	})
}

func TestAFullSpoolRefusesAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inbox, board, reg := &fakeInbox{down: true}, &health.Board{}, prometheus.NewRegistry()
		s, err := spool.OpenOn(newFakeDisk(), 2*spool.SegmentBytes, spool.Deps{Inbox: inbox, Health: board, Registerer: reg})
		require.NoError(t, err)
		defer s.Close()
		run(t, s)
		big := strings.Repeat("x", spool.SegmentBytes/8)
		kept := 0
		for kept < 100 && s.Accept(t.Context(), item("k", big)) == nil {
			kept++
		}
		require.InDelta(t, 15, kept, 1)
		require.False(t, board.Ready())
		require.Contains(t, board.Reasons()[0].Reason, "full")
		require.NoError(t, s.Accept(t.Context(), item("k", "small")), "there is room for it")
		require.LessOrEqual(t, gauge(t, reg, "ringbridge_spool_bytes"), float64(2*spool.SegmentBytes))
		inbox.set(false)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		require.Len(t, inbox.got(), kept+1)
		require.True(t, board.Ready())
		require.NoError(t, s.Accept(t.Context(), item("k", big)))
	})
}

func TestAFailingDiskIsAnErrorAndPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, inbox, board := newFakeDisk(), &fakeInbox{down: true}, &health.Board{}
		s := open(t, disk, inbox, func(d *spool.Deps) { d.Health = board })
		run(t, s)
		require.NoError(t, s.Accept(t.Context(), item("k", "before")))
		disk.setFull(errDisk)
		for range 50 {
			require.ErrorIs(t, s.Accept(t.Context(), item("k", "during")), errDisk)
		}
		require.False(t, board.Ready())
		names, err := disk.Names()
		require.NoError(t, err)
		require.LessOrEqual(t, len(names), 2, "no file for each try")
		disk.setFull(nil)
		time.Sleep(2 * time.Second)
		require.True(t, board.Ready(), "noticed without a webhook")
		require.NoError(t, s.Accept(t.Context(), item("k", "after")))
		inbox.set(false)
		time.Sleep(10 * time.Second)
		require.Equal(t, []string{"before", "after"}, inbox.got())
	})
}

// messages are those of the log, in order.
func messages(logged *bytes.Buffer) (all []string) {
	for line := range strings.Lines(logged.String()) {
		_, message, _ := strings.Cut(line, "msg=")
		all = append(all, strings.Trim(strings.SplitAfter(message, `" `)[0], "\" \n"))
	}
	return all
}

// TestADiskThatIsFullDuringAnOutageIsToldOnce has a webhook a second, each of which
// finds neither the broker nor room.
func TestADiskThatIsFullDuringAnOutageIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		disk, inbox := newFakeDisk(), &fakeInbox{down: true}
		disk.setFull(errDisk)
		s := open(t, disk, inbox, func(d *spool.Deps) { d.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
		stop := run(t, s)
		for range 20 {
			require.ErrorIs(t, s.Accept(t.Context(), item("k", "a")), errDisk)
		}
		disk.setFull(nil)
		time.Sleep(2 * time.Second)
		require.NoError(t, s.Accept(t.Context(), item("k", "a")))
		inbox.set(false)
		time.Sleep(10 * time.Second)
		stop()
		require.Equal(t, []string{
			"webhooks are kept on disk until the broker has taken them",
			"the spool cannot take webhooks; they are answered 503",
			"the spool can take webhooks again",
			"webhooks are kept on disk until the broker has taken them",
			"all that was kept on disk is in the inbox",
		}, messages(&logged))
	})
}

func TestAWebhookThatFindsRoomTellsOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		disk, inbox, board := newFakeDisk(), &fakeInbox{down: true}, &health.Board{}
		s := open(t, disk, inbox, func(d *spool.Deps) { d.Logger, d.Health = slog.New(slog.NewTextHandler(&logged, nil)), board })
		require.NoError(t, s.Accept(t.Context(), item("k", "before")))
		disk.setFull(errDisk)
		require.Error(t, s.Accept(t.Context(), item("k", "during")))
		disk.setFull(nil)
		require.NoError(t, s.Accept(t.Context(), item("k", "after")), "there is nobody who probes")
		require.True(t, board.Ready())
		require.Equal(t, "the spool can take webhooks again", messages(&logged)[2])
	})
}

func (d *fakeDisk) setFull(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = err
}

func TestWhatCanNeverBeDeliveredIsSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, inbox, reg := newFakeDisk(), &fakeInbox{down: true}, prometheus.NewRegistry()
		inbox.fail = func(i ingest.Item) error {
			if i.Key == "bad" {
				return fmt.Errorf("x: %w", ingest.ErrTooLarge)
			}
			return nil
		}
		s := open(t, disk, inbox, func(d *spool.Deps) { d.Registerer = reg })
		run(t, s)
		for _, i := range []ingest.Item{item("a", "1"), item("bad", "2"), item("c", "3")} {
			require.NoError(t, s.Accept(t.Context(), i))
		}
		inbox.set(false)
		time.Sleep(10 * time.Second)
		require.Equal(t, []string{"1", "3"}, inbox.got())
		require.InDelta(t, 1, gauge(t, reg, "ringbridge_spool_damaged_total"), 0)
		require.Zero(t, gauge(t, reg, "ringbridge_spool_records"))
		names, err := disk.Names()
		require.NoError(t, err)
		require.Len(t, names, 1)
		require.True(t, strings.HasSuffix(names[0], ".corrupt"))
		require.ErrorIs(t, s.Accept(t.Context(), item("bad", "4")), ingest.ErrTooLarge, "told at once while the broker is there")
	})
}

func TestACallerThatLeavesDivertsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, inbox, reg := newFakeDisk(), &fakeInbox{down: true}, prometheus.NewRegistry()
		s := open(t, disk, inbox, func(d *spool.Deps) { d.Registerer = reg })
		ctx, leave := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		go func() { time.Sleep(100 * time.Millisecond); leave(gone) }()
		require.ErrorIs(t, s.Accept(ctx, item("k", "a")), gone)
		require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP ringbridge_spool_active 1 while webhooks go through the disk.
# TYPE ringbridge_spool_active gauge
ringbridge_spool_active 0
`), "ringbridge_spool_active"))
	})
}

func TestOneProcessUsesADirectory(t *testing.T) {
	dir := t.TempDir()
	first, err := spool.Open(dir, spool.Deps{Inbox: &fakeInbox{}})
	require.NoError(t, err)
	_, err = spool.Open(dir, spool.Deps{Inbox: &fakeInbox{}})
	require.ErrorIs(t, err, spool.ErrInUse)
	require.ErrorContains(t, err, "SPOOL_DIR")
	first.Close()
	again, err := spool.Open(dir, spool.Deps{Inbox: &fakeInbox{}})
	require.NoError(t, err)
	again.Close()
	_, err = spool.Open("/dev/null/x", spool.Deps{Inbox: &fakeInbox{}})
	require.ErrorContains(t, err, "SPOOL_DIR")
}

func TestAClosedSpoolTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inbox := &fakeInbox{down: true}
		s := open(t, newFakeDisk(), inbox)
		require.NoError(t, s.Accept(t.Context(), item("k", "a")))
		s.Close()
		require.Error(t, s.Accept(t.Context(), item("k", "b")))
		require.False(t, slices.Contains(inbox.got(), "b"))
	})
}

func TestAnItemThatCannotBeUsedIsKeptOnDiskAsALetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inbox := &fakeInbox{down: true}
		s := open(t, newFakeDisk(), inbox)
		run(t, s)
		odd := item(strings.Repeat("k", 18<<20), "odd") // more than a record of the disk may have
		require.NoError(t, s.Accept(t.Context(), item("k", "1"), odd, item("k", "2")))
		inbox.set(false)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"1", "2"}, inbox.got())
		require.Len(t, inbox.letters, 1)
		require.Equal(t, "odd", string(inbox.letters[0].Body))
		require.Equal(t, deadletter.Invalid, inbox.letters[0].Reason)
	})
}
