package poll

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
)

// An owner runs the streams of the partitions that are assigned to this process.
// It is safe for concurrent use.
type owner struct {
	ctx    context.Context //nolint:containedctx // the streams outlive the callbacks that begin them
	poller *Poller

	mu      sync.Mutex
	tenures map[int32]tenure
}

// A tenure is the time for which a partition is ours.
type tenure struct {
	end   context.CancelFunc
	ended chan struct{}
}

func newOwner(ctx context.Context, p *Poller) *owner {
	return &owner{ctx: ctx, poller: p, tenures: map[int32]tenure{}}
}

// assigned begins the tenures of partitions. It does not block.
func (o *owner) assigned(client *kgo.Client, got map[string][]int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, partitions := range got {
		for _, partition := range partitions {
			if _, running := o.tenures[partition]; running {
				continue
			}
			ctx, end := context.WithCancel(o.ctx)
			t := tenure{end: end, ended: make(chan struct{})}
			o.tenures[partition] = t
			go func() {
				defer close(t.ended)
				o.serve(ctx, client, partition)
			}()
		}
	}
}

// released ends the tenures of partitions, and returns when their streams have
// stopped.
func (o *owner) released(gone map[string][]int32) {
	var ending []tenure
	o.mu.Lock()
	for _, partitions := range gone {
		for _, partition := range partitions {
			if t, running := o.tenures[partition]; running {
				ending = append(ending, t)
				delete(o.tenures, partition)
			}
		}
	}
	o.mu.Unlock()
	o.end(ending)
}

// stop ends all tenures.
func (o *owner) stop() {
	var ending []tenure
	o.mu.Lock()
	for _, t := range o.tenures {
		ending = append(ending, t)
	}
	clear(o.tenures)
	o.mu.Unlock()
	o.end(ending)
}

func (o *owner) end(ending []tenure) {
	for _, t := range ending {
		t.end()
	}
	patience := time.After(stopTimeout)
	for _, t := range ending {
		select {
		case <-t.ended:
		case <-patience:
			o.poller.deps.Logger.Warn("stream does not stop", "waited", stopTimeout)
			return
		}
	}
}

// serve runs the streams that belong to a partition until the tenure ends.
func (o *owner) serve(ctx context.Context, client *kgo.Client, partition int32) {
	count, ok := o.partitions(ctx, client)
	if !ok {
		return
	}
	var streams sync.WaitGroup
	ours := func(name string) bool { return partitionOf(name, o.poller.deps.Topics.Cursors, count) == partition }
	for _, k := range o.poller.kinds {
		if ours(k.stream) {
			streams.Go(func() { o.poller.stream(k, client, partition).run(ctx) })
		}
	}
	for _, d := range o.poller.deps.Duties {
		if ours(d.Name) {
			streams.Go(func() { d.Run(ctx) })
		}
	}
	streams.Wait()
}

// partitions returns how many the topic of the cursors has. It must not grow: a
// stream whose cursor stays behind in another partition begins anew.
func (o *owner) partitions(ctx context.Context, client *kgo.Client) (int, bool) {
	adm, topic := kadm.NewClient(client), o.poller.deps.Topics.Cursors
	for {
		details, err := adm.ListTopics(ctx, topic)
		if count := len(details[topic].Partitions); err == nil && details[topic].Err == nil && count > 0 {
			return count, true
		}
		if sleep.For(ctx, backoffMin) != nil {
			return 0, false
		}
	}
}

// partitionOf returns where a stream's cursor lives: where Kafka's own partitioner
// puts its key.
func partitionOf(stream, topic string, partitions int) int32 {
	record := &kgo.Record{Topic: topic, Key: []byte(stream)}
	return int32(kgo.StickyKeyPartitioner(nil).ForTopic(topic).Partition(record, partitions))
}

func (p *Poller) stream(k kind, client *kgo.Client, partition int32) *stream {
	log := p.deps.Logger.With("stream", k.stream)
	s := &stream{
		kind: k, partition: partition, cfg: p.cfg, source: p.deps.Source, platform: p.deps.Platform, inbox: p.deps.Inbox,
		confirm: func(ctx context.Context) (time.Time, error) {
			return kafka.ConfirmMember(ctx, client, p.deps.Topics.Group("poll"))
		},
		cursors: &cursors{client: client, options: p.deps.Options, topic: p.deps.Topics.Cursors},
		gate:    p.gates[k.owner()], wake: p.wakes[k.stream], log: log, metrics: p.metrics, jitter: p.deps.Jitter,
		maxHarvest: p.maxHarvest, memory: newMemory(p.maxRemembered), sweeps: sweeps{cfg: p.cfg},
		trouble: &trouble{
			log: log, health: p.deps.Health, stream: k.stream, check: k.remedies().address, quiet: k.keyset != nil,
			metric: p.metrics.halted.WithLabelValues(k.stream).Set,
		},
	}
	s.list = &list{reader: &pageReader{fetch: s.fetch, try: s.fetchOnce, fault: s.faulty}}
	return s
}
