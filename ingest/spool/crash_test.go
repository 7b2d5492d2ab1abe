package spool_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest/spool"
)

// TestAPowerCutAtEveryStepLosesNothing lives through three outages on one disk and
// has the power cut at each call of it in turn, then starts again.
func TestAPowerCutAtEveryStepLosesNothing(t *testing.T) {
	steps := 0
	for cut := 1; cut == 1 || cut <= steps+1; cut++ {
		synctest.Test(t, func(t *testing.T) {
			disk := newFakeDisk()
			disk.cutAt = cut
			acked, got := cutAndRestart(t, disk, rand.New(rand.NewPCG(uint64(cut), 0)))
			require.Subset(t, got, acked, "cut at step %d", cut)
			require.Equal(t, firsts(got), sorted(got), "cut at step %d", cut)
			steps = max(steps, disk.steps)
		})
	}
	require.Greater(t, steps, 30)
}

func TestWithoutFsyncAPowerCutIsNoticed(t *testing.T) {
	lost := 0
	for cut := 5; cut < 40; cut++ {
		synctest.Test(t, func(t *testing.T) {
			disk := newFakeDisk()
			disk.cutAt, disk.noSync = cut, true
			acked, got := cutAndRestart(t, disk, rand.New(rand.NewPCG(uint64(cut), 0)))
			for _, one := range acked {
				if !strings.Contains(" "+strings.Join(got, " ")+" ", " "+one+" ") {
					lost++
				}
			}
		})
	}
	require.Positive(t, lost, "a suite that can't fail proves nothing")
}

// cutAndRestart returns what was acknowledged before the cut, and what reached the
// broker before and after it.
func cutAndRestart(t *testing.T, disk *fakeDisk, r *rand.Rand) (acked, got []string) {
	t.Helper()
	inbox := &fakeInbox{}
	n := 0
	if s, err := spool.OpenOn(disk, spool.MaxBytes, spool.Deps{Inbox: inbox}); err == nil {
		stop := run(t, s)
		for range 3 {
			inbox.set(true)
			for range 4 {
				body := fmt.Sprintf("%04d", n)
				n++
				if s.Accept(t.Context(), item("k", body+strings.Repeat(" ", spool.SegmentBytes/3))) == nil {
					acked = append(acked, body)
				}
			}
			inbox.set(false)
			time.Sleep(12 * time.Second)
		}
		stop()
		s.Close()
	}
	after := open(t, disk.afterCut(r), inbox)
	stop := run(t, after)
	require.NoError(t, after.Accept(t.Context(), item("k", "9999")))
	time.Sleep(12 * time.Second)
	stop()
	after.Close()
	for _, body := range inbox.got() {
		got = append(got, strings.TrimSpace(body))
	}
	return acked, got
}

// sorted returns the distinct members by number.
func sorted(list []string) []string {
	found := firsts(list)
	for i := range found {
		for j := i; j > 0 && found[j] < found[j-1]; j-- {
			found[j], found[j-1] = found[j-1], found[j]
		}
	}
	return found
}

// spooled makes a directory with one segment of these bodies, and returns its path.
func spooled(t *testing.T, dir string, bodies ...string) (segment string) {
	t.Helper()
	s, err := spool.Open(dir, spool.Deps{Inbox: &fakeInbox{down: true}})
	require.NoError(t, err)
	for _, body := range bodies {
		require.NoError(t, s.Accept(t.Context(), item("k", body)))
	}
	s.Close()
	found, err := filepath.Glob(filepath.Join(dir, "*.spool"))
	require.NoError(t, err)
	return found[len(found)-1]
}

// drained opens the directory, drains it and returns what arrived.
func drained(t *testing.T, dir string, change ...func(*spool.Deps)) []string {
	t.Helper()
	inbox := &fakeInbox{}
	deps := spool.Deps{Inbox: inbox}
	for _, c := range change {
		c(&deps)
	}
	s, err := spool.Open(dir, deps)
	require.NoError(t, err)
	defer s.Close()
	stop := run(t, s)
	defer stop()
	require.Eventually(t, func() bool {
		left, err := filepath.Glob(filepath.Join(dir, "*.spool"))
		return err == nil && len(left) == 0
	}, 10*time.Second, time.Millisecond)
	return inbox.got()
}

func TestAWriteThatWasCutShortAnywhereIsCutOff(t *testing.T) {
	dir := t.TempDir()
	segment := spooled(t, dir, "one", "two", "three")
	whole, err := os.ReadFile(segment)
	require.NoError(t, err)
	ends := map[int]int{0: 0}
	for i, p := range spool.Pieces(whole, spool.MarkerOf(filepath.Base(segment))) {
		ends[p.Offset+p.Size] = i + 1
	}
	records := 0
	for cut := range len(whole) + 1 {
		if n, isEnd := ends[cut]; isEnd {
			records = n
		}
		require.NoError(t, os.WriteFile(segment, whole[:cut], 0o600))
		var logged bytes.Buffer
		got := drained(t, dir, func(d *spool.Deps) { d.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
		require.Equal(t, []string{"one", "two", "three"}[:records], append([]string{}, got...), cut)
		_, isEnd := ends[cut]
		require.Equal(t, !isEnd, strings.Contains(logged.String(), "cut short"), logged.String())
		kept, err := filepath.Glob(filepath.Join(dir, "*.corrupt"))
		require.NoError(t, err)
		require.Empty(t, kept)
	}
}

func TestDamageInTheMiddleIsSetAsideAndTheRestIsDrained(t *testing.T) {
	dir := t.TempDir()
	first := spooled(t, dir, "one", "two", "three")
	last := spooled(t, dir, "four")
	require.NotEqual(t, first, last)
	for fact, damage := range map[string]func(data []byte) []byte{
		"a bit":                  func(data []byte) []byte { data[len(data)/2] ^= 1; return data },
		"a page of zeros":        func(data []byte) []byte { clear(data[len(data)/2 : len(data)/2+50]); return data },
		"a piece that is gone":   func(data []byte) []byte { return append(data[:len(data)/2:len(data)/2], data[len(data)/2+9:]...) },
		"the end of an old file": func(data []byte) []byte { return data[:len(data)-1] },
	} {
		t.Run(fact, func(t *testing.T) {
			dir := t.TempDir()
			for _, from := range []string{first, last} {
				data, err := os.ReadFile(from)
				require.NoError(t, err)
				if from == first {
					data = damage(data)
				}
				require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(from)), data, 0o600))
			}
			reg := prometheus.NewRegistry()
			got := drained(t, dir, func(d *spool.Deps) { d.Registerer = reg })
			require.Len(t, got, 3)
			require.Equal(t, "four", got[2])
			require.InDelta(t, 1, gauge(t, reg, "ringbridge_spool_damaged_total"), 0)
			require.Zero(t, gauge(t, reg, "ringbridge_spool_records"))
			kept, err := filepath.Glob(filepath.Join(dir, "*.corrupt"))
			require.NoError(t, err)
			require.Len(t, kept, 1)
			require.Empty(t, drained(t, dir), "it is not read again")
		})
	}
}

func TestAWriteThatWasCutShortIsNoDamageAfterTheNextStart(t *testing.T) {
	dir := t.TempDir()
	first := spooled(t, dir, "one", "two")
	info, err := os.Stat(first)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(first, info.Size()-1))
	spooled(t, dir, "three") // the broker is still away, and the next segment begun
	require.Equal(t, []string{"one", "three"}, drained(t, dir))
	kept, err := filepath.Glob(filepath.Join(dir, "*.corrupt"))
	require.NoError(t, err)
	require.Empty(t, kept)
}
