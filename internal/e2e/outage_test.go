//go:build real

package e2e_test

import (
	"bytes"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// outage is short here, to see that all is as it should be; `make outage` takes
// minutes, to see that it stays so.
var outage = flag.Duration("outage", 12*time.Second, "how long the broker is away in TestALongOutageCostsDiskNotMemory")

const (
	// warmUp is what a process takes until its memory is that of its traffic.
	warmUp = 3 * time.Second

	// backOff is what the Kafka client takes to notice that the broker is back.
	backOff = 15 * time.Second

	// caughtUp is how many webhooks may wait when the spool is called drained, while
	// more of them come: those of half a second.
	caughtUp = spoolPerSec / 2
)

// TestALongOutageCostsDiskNotMemory sends 200 webhooks a second, before, during and
// after an outage of the broker. No webhook is refused, each becomes one event, and
// each conversation has its order. The process takes no more memory for what waits
// on disk, and the disk is emptied faster than webhooks come in.
func TestALongOutageCostsDiskNotMemory(t *testing.T) {
	w := newWorld(t, sandbox.Config{}, map[string]string{
		"ENGAGE_BASE_URL": "", "ENGAGE_ACCESS_TOKEN": "", "SPOOL_DIR": filepath.Join(t.TempDir(), "spool"),
	})
	b := w.start(freePort(t), freePort(t))
	senders := newSenders(b)
	time.Sleep(warmUp)

	require.NoError(t, parts.Kafka.Kill())
	gauge := newGauge(b, min(time.Second, *outage/60))
	time.Sleep(*outage)
	r := outcome{away: gauge.stop()}
	defer func() { t.Logf("\n%s", r) }() // also of a run that comes to no end

	gauge = newGauge(b, 100*time.Millisecond)
	require.NoError(t, parts.Kafka.Restart(t.Context()))
	began := time.Now()
	for gauge.last().waiting > caughtUp && time.Since(began) < *outage+waitLong {
		time.Sleep(20 * time.Millisecond)
	}
	r.drain = time.Since(began)
	time.Sleep(warmUp)
	r.back = gauge.stop()
	r.sent = senders.stop()
	r.faults, r.slowest = senders.refused(), senders.slowest
	w.drained(b)
	w.published()
	require.Equal(t, 0, b.stop())
	r.tally = w.tally(senders.taken)

	require.Empty(t, r.faults)
	require.Equal(t, tally{events: r.sent}, r.tally)
	require.NoError(t, flat(r.away))
	require.NoError(t, bounded(r.away, r.back))
	require.Less(t, r.drain, *outage+backOff, "the spool is drained at less than twice the rate at which webhooks come in")
	require.NotContains(t, b.log.String(), "damaged")
}

// An outcome is what the test counted and measured.
type outcome struct {
	sent       int
	faults     []string
	slowest    time.Duration
	tally      tally
	drain      time.Duration // until no more than caughtUp waited
	away, back []sample
}

// String is a table.
func (r outcome) String() string {
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) {
		for _, cell := range cells {
			fmt.Fprintf(table, "%v\t", cell)
		}
		fmt.Fprintln(table)
	}
	row("webhooks", "refused", "slowest answer, ms", "events", "lost", "doubled", "out of order")
	row(r.sent, len(r.faults), r.slowest.Milliseconds(), r.tally.events, r.tally.lost, r.tally.doubled, r.tally.disordered)
	_ = table.Flush()
	row("outage", "spool's largest, MiB", "webhooks in it", "time to drain", "drained a second", "came a second")
	row(*outage, mib(most(r.back, onDisk)), most(r.back, waiting), r.drain.Round(10*time.Millisecond), int(r.drainRate()), spoolPerSec)
	_ = table.Flush()
	row("memory, MiB", "start", "a quarter", "half", "end", "second quarter", "last quarter", "most while draining")
	for _, m := range []struct {
		name string
		of   func(sample) float64
	}{{"resident", resident}, {"heap in use", heap}} {
		n := len(r.away)
		row(m.name, mib(m.of(r.away[0])), mib(m.of(r.away[n/4])), mib(m.of(r.away[n/2])), mib(m.of(r.away[n-1])),
			mib(mean(r.away[n/4:n/2], m.of)), mib(mean(r.away[n*3/4:], m.of)), mib(most(r.back, m.of)))
	}
	_ = table.Flush()
	return out.String()
}

// drainRate is how many records a second left the spool, from the first until it
// had caught up.
func (r outcome) drainRate() float64 {
	begin := slices.IndexFunc(r.back, func(s sample) bool { return s.drained > r.back[0].drained })
	end := slices.IndexFunc(r.back, func(s sample) bool { return s.waiting <= caughtUp })
	if begin < 1 || end < begin {
		return 0
	}
	from, to := r.back[begin-1], r.back[end]
	return (to.drained - from.drained) / to.at.Sub(from.at).Seconds()
}
