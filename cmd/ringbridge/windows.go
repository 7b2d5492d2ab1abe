package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

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
	// windowLinger bounds how long a record waits for the broker. What comes later
	// than that is of little use.
	windowLinger = 30 * time.Second
	// windowWait is what a fetch waits for a window. None comes for days; the broker
	// answers at once when there is one.
	windowWait = 10 * time.Second
	// windowCatchUp bounds how long a start waits for the windows that are open.
	windowCatchUp = 5 * time.Second
)

// windows shares the penalty windows of the APIs among the processes that call them
// with one account's credentials: the replicas, and a backfill beside them. Each
// 429 is written to the topic cursors, which all of them follow.
//
//	429 ──▶ own budget closed ──▶ record ──▶ the budgets of the others closed
//
// What was on its way when a window opened, or leaves before the record has come,
// still arrives within it: some milliseconds. A process that starts reads first what
// is open. Without the broker each process knows its own windows only.
//
// It is safe for concurrent use.
type windows struct {
	topic  string
	logger *slog.Logger

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

func newWindows(names kafka.Names, logger *slog.Logger) *windows {
	return &windows{topic: names.Cursors, logger: logger, ready: make(chan struct{})}
}

// add makes an API one of those that keep the windows.
func (w *windows) add(api holder) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.apis = append(w.apis, api)
}

// open finds where the windows begin that may still be open, and makes the client.
// close ends it, and run.
func (w *windows) open(ctx context.Context, adm *kadm.Client, opts []kgo.Opt) error {
	starts, err := adm.ListOffsetsAfterMilli(ctx, time.Now().Add(-ringcentral.MaxWindow).UnixMilli(), w.topic)
	if err != nil {
		return fmt.Errorf("kafka: find penalty windows: %w", err)
	}
	ends, err := adm.ListEndOffsets(ctx, w.topic)
	if err != nil {
		return fmt.Errorf("kafka: find penalty windows: %w", err)
	}
	from, behind := map[int32]kgo.Offset{}, map[int32]int64{}
	starts.Each(func(start kadm.ListedOffset) {
		from[start.Partition] = kgo.NewOffset().At(start.Offset)
		if end, ok := ends.Lookup(w.topic, start.Partition); ok && end.Offset > start.Offset {
			behind[start.Partition] = end.Offset
		}
	})
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, opts...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{w.topic: from}),
		kgo.FetchMaxWait(windowWait),
		kgo.KeepControlRecords(), // one may be the last that a start waits for
		kgo.ProducerLinger(0),    // each millisecond may be a call
		// A window twice is a window: the first one need not wait for a producer id.
		kgo.DisableIdempotentWrite(),
		kgo.RecordDeliveryTimeout(windowLinger),
	)...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.client, w.behind = client, behind
	w.caughtUp()
	return nil
}

func (w *windows) close() {
	w.mu.Lock()
	client := w.client
	w.client = nil
	w.mu.Unlock()
	if client != nil {
		client.Close()
	}
}

// tell writes a window. It does not block.
func (w *windows) tell(window ringcentral.Window) {
	w.mu.Lock()
	client := w.client
	w.mu.Unlock()
	value, err := json.Marshal(windowRecord{Version: windowVersion, Window: window})
	if client == nil || err != nil {
		return
	}
	record := &kgo.Record{Topic: w.topic, Key: []byte(windowKey + window.Key()), Value: value}
	client.TryProduce(context.Background(), record, func(_ *kgo.Record, err error) {
		if err != nil {
			w.logger.Warn("other processes were not told of a penalty window", "api", window.API, "group", window.Budget, "error", err)
		}
	})
}

// run follows the topic until ctx ends or close is called.
func (w *windows) run(ctx context.Context) {
	w.mu.Lock()
	client := w.client
	w.mu.Unlock()
	for client != nil && ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		if fetches.IsClientClosed() {
			return
		}
		fetches.EachRecord(w.take)
	}
}

// await waits until the windows that were open at the start are kept, for a bounded
// time: a broker that is slow to answer does not hold the process up.
func (w *windows) await(ctx context.Context) {
	timer := time.NewTimer(windowCatchUp)
	defer timer.Stop()
	select {
	case <-w.ready:
	case <-ctx.Done():
	case <-timer.C:
		w.logger.Warn("starting without knowing all penalty windows", "waited", windowCatchUp)
	}
}

// take keeps the window that a record tells of.
func (w *windows) take(r *kgo.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if window, ok := windowOf(r); ok {
		for _, api := range w.apis {
			api.Hold(window)
		}
	}
	if end, ok := w.behind[r.Partition]; ok && r.Offset >= end-1 {
		delete(w.behind, r.Partition)
		w.caughtUp()
	}
}

// caughtUp tells that nothing is behind, once. The caller holds mu.
func (w *windows) caughtUp() {
	if len(w.behind) > 0 || w.behind == nil {
		return
	}
	w.behind = nil
	close(w.ready)
}

// windowOf reads a record; false where it is something else, such as a cursor.
func windowOf(r *kgo.Record) (ringcentral.Window, bool) {
	var read windowRecord
	if len(r.Key) < len(windowKey) || string(r.Key[:len(windowKey)]) != windowKey {
		return read.Window, false
	}
	err := json.Unmarshal(r.Value, &read)
	return read.Window, err == nil && read.Version == windowVersion
}
