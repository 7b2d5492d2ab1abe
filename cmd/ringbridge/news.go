package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	// windowKey comes before the name of what a window closes, and makes the key of
	// its record in the topic cursors: the poller keeps its cursors under bare names.
	windowKey = "window/"
	// windowVersion is the form of a record; an older program must not guess.
	windowVersion = 1
	// hintKey and hintVersion are the same for hints.
	hintKey     = "hint/"
	hintVersion = 1
	// hintAge is how old a hint may be: what it is about has been polled since.
	hintAge = time.Minute
	// newsLinger bounds how long a record waits for the broker. What comes later
	// than that is of little use.
	newsLinger = 30 * time.Second
	// newsWait is what a fetch waits for news. None may come for days; the broker
	// answers at once when there is some.
	newsWait = 10 * time.Second
	// newsCatchUp bounds how long a start waits for the windows that are open.
	newsCatchUp = 5 * time.Second
)

// news is what one process of the bridge hears and all have to know at once. It is
// written to the topic cursors, which they follow: the replicas, and a backfill.
//
// Penalty windows of the APIs, because they count by account:
//
//	429 ──▶ own budget closed ──▶ record ──▶ the budgets of the others closed
//
// Hints of the message store, because a notification comes to any replica, and only
// one of them runs the stream:
//
//	hint ──▶ own poller woken ──▶ record ──▶ the pollers of the others woken
//
// What was on its way when a window opened, or leaves before the record has come,
// still arrives within it: milliseconds, or most of a second on a machine that is
// overloaded. A process that starts reads first what
// is open. Without the broker each process knows its own windows only.
//
// It is safe for concurrent use.
type news struct {
	topic   string
	logger  *slog.Logger
	process string                 // tells our own hints from those of others
	hinted  func(extension string) // is told of hints that others got

	mu     sync.Mutex
	client *kgo.Client // nil until it is open
	apis   []holder
	behind map[int32]int64 // by partition: the offset up to which a start waits
	ready  chan struct{}   // closed when nothing is behind
}

// holder is the client of an API whose windows are shared. It is safe for
// concurrent use.
type holder interface {
	// Hold keeps a window, if it is the API's.
	Hold(w ringcentral.Window)
}

// windowRecord is a window as it is written.
type windowRecord struct {
	Version int `json:"version"`
	ringcentral.Window
}

// hintRecord is a hint as it is written.
type hintRecord struct {
	Version   int    `json:"version"`
	Process   string `json:"process"` // that got it
	Extension string `json:"extension"`
}

func newNews(names kafka.Names, logger *slog.Logger) *news {
	return &news{topic: names.Cursors, logger: logger, process: uuid.NewString(), hinted: func(string) {}, ready: make(chan struct{})}
}

// add makes an API one of those that keep the windows.
func (n *news) add(api holder) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.apis = append(n.apis, api)
}

// open finds where the windows begin that may still be open, and makes the client.
// close ends it, and run.
func (n *news) open(ctx context.Context, adm *kadm.Client, opts []kgo.Opt) error {
	starts, err := adm.ListOffsetsAfterMilli(ctx, time.Now().Add(-ringcentral.MaxWindow).UnixMilli(), n.topic)
	if err != nil {
		return fmt.Errorf("kafka: find news: %w", err)
	}
	ends, err := adm.ListEndOffsets(ctx, n.topic)
	if err != nil {
		return fmt.Errorf("kafka: find news: %w", err)
	}
	from, behind := map[int32]kgo.Offset{}, map[int32]int64{}
	starts.Each(func(start kadm.ListedOffset) {
		from[start.Partition] = kgo.NewOffset().At(start.Offset)
		if end, ok := ends.Lookup(n.topic, start.Partition); ok && end.Offset > start.Offset {
			behind[start.Partition] = end.Offset
		}
	})
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, opts...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{n.topic: from}),
		kgo.FetchMaxWait(newsWait),
		kgo.KeepControlRecords(), // one may be the last that a start waits for
		kgo.ProducerLinger(0),    // each millisecond may be a call
		// News told twice is no other: the first need not wait for a producer id.
		kgo.DisableIdempotentWrite(),
		kgo.RecordDeliveryTimeout(newsLinger),
	)...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.client, n.behind = client, behind
	n.caughtUp()
	return nil
}

func (n *news) close() {
	n.mu.Lock()
	client := n.client
	n.client = nil
	n.mu.Unlock()
	if client != nil {
		client.Close()
	}
}

// window writes a penalty window. It does not block.
func (n *news) window(window ringcentral.Window) {
	n.tell(windowKey+window.Key(), windowRecord{Version: windowVersion, Window: window})
}

// hint writes a hint. It does not block.
func (n *news) hint(extension string) {
	n.tell(hintKey+extension, hintRecord{Version: hintVersion, Process: n.process, Extension: extension})
}

func (n *news) tell(key string, record any) {
	n.mu.Lock()
	client := n.client
	n.mu.Unlock()
	value, err := json.Marshal(record)
	if client == nil || err != nil {
		return
	}
	client.TryProduce(context.Background(), &kgo.Record{Topic: n.topic, Key: []byte(key), Value: value}, func(_ *kgo.Record, err error) {
		if err != nil {
			n.logger.Warn("other processes were not told", "of", key, "error", err)
		}
	})
}

// run follows the topic until ctx ends or close is called.
func (n *news) run(ctx context.Context) {
	n.mu.Lock()
	client := n.client
	n.mu.Unlock()
	for client != nil && ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		if fetches.IsClientClosed() {
			return
		}
		fetches.EachRecord(n.take)
	}
}

// await waits until the windows that were open at the start are kept, for a bounded
// time: a broker that is slow to answer does not hold the process up.
func (n *news) await(ctx context.Context) {
	timer := time.NewTimer(newsCatchUp)
	defer timer.Stop()
	select {
	case <-n.ready:
	case <-ctx.Done():
	case <-timer.C:
		n.logger.Warn("starting without knowing all penalty windows", "waited", newsCatchUp)
	}
}

// take does what a record asks for.
func (n *news) take(r *kgo.Record) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if window, ok := windowOf(r); ok {
		for _, api := range n.apis {
			api.Hold(window)
		}
	}
	if hint, ok := hintOf(r); ok && hint.Process != n.process && time.Since(r.Timestamp) < hintAge {
		n.hinted(hint.Extension)
	}
	if end, ok := n.behind[r.Partition]; ok && r.Offset >= end-1 {
		delete(n.behind, r.Partition)
		n.caughtUp()
	}
}

// caughtUp tells that nothing is behind, once. The caller holds mu.
func (n *news) caughtUp() {
	if len(n.behind) > 0 || n.behind == nil {
		return
	}
	n.behind = nil
	close(n.ready)
}

// windowOf reads a record; false where it is something else, such as a cursor.
func windowOf(r *kgo.Record) (ringcentral.Window, bool) {
	var read windowRecord
	ok := readNews(r, windowKey, &read) && read.Version == windowVersion
	return read.Window, ok
}

// hintOf does the same for a hint.
func hintOf(r *kgo.Record) (read hintRecord, ok bool) {
	ok = readNews(r, hintKey, &read) && read.Version == hintVersion
	return read, ok
}

func readNews(r *kgo.Record, key string, into any) bool {
	return strings.HasPrefix(string(r.Key), key) && json.Unmarshal(r.Value, into) == nil
}
