package ingest

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// recordOverhead is more than a batch of one record adds to its key, value and headers, in bytes.
	recordOverhead = 512

	// leastLimit is the least max.message.bytes with which the program starts.
	leastLimit = 1_000_000

	// askTimeout is how long a broker may take to name its limits, where one that is well needs milliseconds.
	askTimeout = 500 * time.Millisecond
)

// limits are the largest records that the topics take, in bytes. Until the broker was asked they are
// as large as the client makes them; what is too large then, the broker says. Safe for concurrent use.
type limits struct {
	topics []string
	well   atomic.Bool // the broker has acknowledged something since it was last asked
	known  atomic.Pointer[map[string]int]
}

func (l *limits) of(topic string) int {
	if known := l.known.Load(); known != nil && (*known)[topic] > 0 {
		return (*known)[topic]
	}
	return maxRecordBytes
}

// fits reports whether its topic takes the record. Compression is not counted on.
func (l *limits) fits(r *kgo.Record) bool { return size(r) <= l.of(r.Topic) }

// size returns the bytes of a record alone in its batch, or more.
func size(r *kgo.Record) int {
	size := len(r.Key) + len(r.Value) + recordOverhead
	for _, h := range r.Headers {
		size += len(h.Key) + len(h.Value) + 10 // the lengths before both
	}
	return size
}

// learn asks the broker if its limits are not known, but not in an outage: one request more would
// take the time that the records have.
func (l *limits) learn(ctx context.Context, client *kgo.Client) {
	if l.known.Load() == nil && l.well.CompareAndSwap(true, false) {
		l.ask(ctx, client)
	}
}

// ask asks the broker. What it does not say keeps the limit that it had.
func (l *limits) ask(ctx context.Context, client *kgo.Client) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	configs, err := kadm.NewClient(client).DescribeTopicConfigs(ctx, l.topics...)
	if _, denied := errors.AsType[*kadm.AuthError](err); err != nil && !denied {
		return
	}
	known := map[string]int{}
	for _, topic := range l.topics {
		known[topic] = l.of(topic)
	}
	for _, topic := range configs {
		for _, c := range topic.Configs {
			if n, err := strconv.Atoi(c.MaybeValue()); c.Key == "max.message.bytes" && err == nil && n > recordOverhead {
				known[topic.Name] = min(n, maxRecordBytes)
			}
		}
	}
	l.known.Store(&known)
}
