//go:build real

package e2e_test

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A sample is what a bridge had at one moment: bytes of memory and of disk, and
// records.
type sample struct {
	at                       time.Time
	resident, heap           float64
	onDisk, waiting, drained float64
}

// The parts of a sample.
func resident(s sample) float64 { return s.resident }
func heap(s sample) float64     { return s.heap }
func onDisk(s sample) float64   { return s.onDisk }
func waiting(s sample) float64  { return s.waiting }

// A gauge takes samples of a bridge until it is stopped.
type gauge struct {
	bridge   *bridge
	stopping chan struct{}
	running  sync.WaitGroup

	mu      sync.Mutex
	samples []sample
}

func newGauge(b *bridge, every time.Duration) *gauge {
	g := &gauge{bridge: b, stopping: make(chan struct{})}
	g.take()
	g.running.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-g.stopping:
				return
			case <-tick.C:
				g.take()
			}
		}
	})
	return g
}

// take adds a sample; what cannot be read, on a machine that is busy, is left out.
func (g *gauge) take() {
	status, text, err := get(g.bridge.admin + "/metrics")
	memory, unread := residentOf(g.bridge.cmd.Process.Pid)
	if err != nil || status != http.StatusOK || unread != nil {
		return
	}
	s := sample{
		at: time.Now(), resident: memory, heap: metric(text, "go_memstats_heap_inuse_bytes"), onDisk: metric(text, "ringbridge_spool_bytes"),
		waiting: metric(text, "ringbridge_spool_records"), drained: metric(text, "ringbridge_spool_drained_records_total"),
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.samples = append(g.samples, s)
}

func (g *gauge) last() sample {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.samples[len(g.samples)-1]
}

// stop ends taking samples and returns them.
func (g *gauge) stop() []sample {
	close(g.stopping)
	g.running.Wait()
	return g.samples
}

// metric returns the value of a metric without labels; 0 when there is none.
func metric(text, name string) float64 {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			number, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return number
		}
	}
	return 0
}

// residentOf returns the bytes of memory that a process has, from Linux itself or
// from ps.
func residentOf(pid int) (float64, error) {
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid)); err == nil {
		var size, pages float64
		_, err = fmt.Sscan(string(text), &size, &pages)
		return pages * float64(os.Getpagesize()), err
	}
	text, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return 0, err
	}
	kilobytes, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	return kilobytes * 1024, err
}

const (
	// growth and sawtooth are how much larger the last quarter of an outage may be than
	// the second, on average: a quarter, and what the garbage collector leaves to chance.
	// The first quarter does not count, for the heap finds its size then. In five
	// minutes 90 MiB come in; a fifth of that, held in memory, would show.
	growth   = 1.25
	sawtooth = 4 << 20

	// drainMemory is what draining may take beyond the second quarter: one load of the
	// spool (8 MiB) as it was read, decoded, encoded and compressed, the same once more
	// in publish, and as much again that is garbage. What waits is no part of it.
	drainMemory = 96 << 20
)

// flat returns an error when the memory grows while the broker is away.
func flat(away []sample) error {
	n := len(away)
	for name, of := range map[string]func(sample) float64{"resident": resident, "heap in use": heap} {
		second, last := mean(away[n/4:n/2], of), mean(away[n*3/4:], of)
		if last > growth*second+sawtooth {
			return fmt.Errorf("memory grows: %s: %.1f MiB in the second quarter, %.1f in the last", name, mib(second), mib(last))
		}
	}
	return nil
}

// bounded returns an error when draining takes more memory than it may.
func bounded(away, back []sample) error {
	n := len(away)
	before, peak := mean(away[n/4:n/2], resident), most(back, resident)
	if peak > before+drainMemory {
		return fmt.Errorf("draining takes memory: from %.1f to %.1f MiB", mib(before), mib(peak))
	}
	return nil
}

func mean(samples []sample, of func(sample) float64) (sum float64) {
	for _, s := range samples {
		sum += of(s)
	}
	return sum / float64(len(samples))
}

func most(samples []sample, of func(sample) float64) (most float64) {
	for _, s := range samples {
		most = max(most, of(s))
	}
	return most
}

func mib(bytes float64) float64 { return math.Round(bytes/(1<<20)*10) / 10 }

func TestGrowthIsNotFlat(t *testing.T) {
	samples := func(of func(i int) sample) (all []sample) {
		for i := range 300 {
			all = append(all, of(i))
		}
		return all
	}
	const came = 300_000 // bytes a second
	steady := samples(func(i int) sample { return sample{resident: 60 << 20, heap: float64(5+i%8) * (1 << 20)} })
	require.NoError(t, flat(steady))
	warming := samples(func(i int) sample { return sample{resident: float64(min(i, 70)) * came, heap: 1 << 20} })
	require.NoError(t, flat(warming), "it grew at first")
	kept := samples(func(i int) sample { return sample{resident: 30<<20 + float64(i)*came/3, heap: 5 << 20} })
	require.ErrorContains(t, flat(kept), "resident")
	kept = samples(func(i int) sample { return sample{resident: 30 << 20, heap: 5<<20 + float64(i)*came/5} })
	require.ErrorContains(t, flat(kept), "heap")
	require.NoError(t, bounded(steady, steady))
	require.ErrorContains(t, bounded(steady, []sample{{resident: 300 << 20}}), "draining")
}
