package publish_test

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// TestACutOffPublisherIsReplacedAndComesBack is a process that is frozen in the
// middle of its work, as far as the broker can tell.
func TestACutOffPublisherIsReplacedAndComesBack(t *testing.T) {
	inRealTime(t, func(b *bench) {
		link := &link{dial: b.dial}
		defer b.start(hasty, func(d *publish.Deps) { d.Kafka = append(d.Kafka, kgo.Dialer(link.DialContext)) })()
		produce := func(from, to int) {
			for i := from; i < to; i++ {
				b.arrive(thread(fmt.Sprint("t", i%9), fmt.Sprint("c", i), "hi"))
			}
		}
		produce(0, 100)
		link.cut()
		produce(100, 200)
		stop := b.start(hasty)
		b.caughtUp() // the other took over
		produce(200, 300)
		link.mend()
		produce(300, 400)
		b.settle()
		stop()
		produce(400, 500)
		produce(0, 100) // again
		b.settle()
		once(b, 500)
	})
}

func TestPublishersShareAndHandOver(t *testing.T) {
	inRealTime(t, func(b *bench) {
		stops := []func(){b.start(hasty)}
		next := 0
		burst := func() {
			for range 40 {
				b.arrive(thread(fmt.Sprint("t", next%9), fmt.Sprint("c", next), "hi"), thread(fmt.Sprint("t", next/2%9), fmt.Sprint("c", next/2), "hi"))
				next++
			}
		}
		for range 3 { // come and go while records flow
			burst()
			stops = append(stops, b.start(hasty))
			for range 10 {
				burst()
			}
			stops[0]()
			stops = stops[1:]
			burst()
		}
		b.settle()
		stops[0]()
		once(b, next)
	})
}

// TestRevocationsWhileIdleAreNotMissed takes two partitions away from a member
// that has nothing to do, one after the other: the client tells it of the first
// only. When it gets them back it must not trust what it knew of them.
func TestRevocationsWhileIdleAreNotMissed(t *testing.T) {
	inRealTime(t, func(b *bench) {
		name := func(id string) func(*publish.Deps) {
			return func(d *publish.Deps) { d.Session = append(d.Session, kgo.ClientID(id)) }
		}
		defer b.start(hasty, name("first"))()
		var arrivals []schemas.Arrival
		for i := range 30 {
			arrivals = append(arrivals, thread(fmt.Sprint("t", i), fmt.Sprint("c", i), "hi"))
		}
		b.arrive(arrivals[:15]...) // the first has state of each partition
		b.settle()
		second := b.start(hasty, name("second"))
		b.eventually("the second has its share", func() bool { return len(b.assigned("second")) == 1 && len(b.assigned("first")) == 2 })
		third := b.start(hasty, name("third"))
		b.eventually("the third has its share", func() bool { return len(b.assigned("third")) == 1 && len(b.assigned("first")) == 1 })
		mine := b.assigned("first")
		partitioner := kgo.StickyKeyPartitioner(nil).ForTopic(b.names.Inbox)
		for _, a := range arrivals[15:] { // all but what would end the first's idleness
			if p := partitioner.Partition(&kgo.Record{Key: []byte(conversation(a.Body))}, partitions); int32(p) != mine[0] {
				b.arrive(a)
			}
		}
		b.caughtUp()
		second()
		third()
		b.eventually("the first has all", func() bool { return len(b.assigned("first")) == partitions })
		b.arrive(arrivals...)
		b.settle()
		once(b, len(arrivals))
	})
}
