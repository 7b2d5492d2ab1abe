package consume

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// One snapshot of 2,500 commands in 1,000 conversations.
func BenchmarkUnfinished(b *testing.B) {
	p := newPartition(b.Context(), 0)
	p.work = func(p *partition, _ *progress) { <-p.waits.Done() }
	p.loaded = true
	var records []*kgo.Record
	for i := range int64(2500) {
		records = append(records, &kgo.Record{Key: fmt.Appendf(nil, "conversation %d", i%1000), Offset: i, Timestamp: time.Unix(i, 0)})
	}
	p.flow = still{}
	p.deliver(records)
	c := &Consumer{session: &session{parts: map[int32]*partition{0: p}}}
	b.ReportAllocs()
	for b.Loop() {
		if n := len(c.Unfinished()); n != 2500 {
			b.Fatal(n)
		}
	}
	p.stopWaits(errStopping)
	p.busy.Wait()
}

type still struct{}

func (still) pause(int32)  {}
func (still) resume(int32) {}
