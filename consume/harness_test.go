package consume_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/consume"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// newCodec prepares a codec. Outside a bubble only: the registry is on a socket.
func newCodec(t *testing.T) *schemas.Codec {
	t.Helper()
	server := httptest.NewServer(srfake.NewRegistry().Handler())
	t.Cleanup(server.Close)
	registry, err := schemas.NewRegistry(schemas.Config{URL: server.URL})
	require.NoError(t, err)
	codec, err := registry.Prepare(t.Context(), "t.", true)
	require.NoError(t, err)
	return codec
}

// A bench is a broker with the topics, and an API that a test scripts.
type bench struct {
	t       *testing.T
	cluster *kfake.Cluster
	opts    []kgo.Opt
	names   kafka.Names
	codec   consume.Codec
	api     *fakeEngage
	engage  consume.Engage // api, or nil = off
	social  consume.Social
	texts   consume.Messages
	client  *kgo.Client
	cfg     consume.Config
	health  *fakeHealth
	tracer  trace.Tracer

	consumer *consume.Consumer // the last that was started
}

func newBench(t *testing.T, codec consume.Codec) *bench {
	t.Helper()
	var net kfake.VirtualNetwork
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9093), kfake.ListenFn(net.Listen))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	b := &bench{
		t: t, cluster: cluster, codec: codec, names: kafka.TopicNames("t."), health: &fakeHealth{reasons: map[string]string{}},
		opts: []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.Dialer(net.DialContext)},
		api:  &fakeEngage{contents: map[string]stored{}, calls: map[string]int{}},
		cfg: consume.Config{
			Concurrency: 8, MaxAttempts: 3, BackoffMin: time.Second, BackoffMax: 4 * time.Second, CallTimeout: 5 * time.Second,
			CircuitFailures: 10, OnAmbiguous: consume.AmbiguousDeadLetter,
		},
	}
	b.engage = b.api
	b.client, err = kgo.NewClient(append(b.opts, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(16_000_000))...)
	require.NoError(t, err)
	t.Cleanup(b.client.Close)
	_, err = kafka.Apply(t.Context(), kadm.NewClient(b.client), kafka.TopicConfig{Prefix: "t.", Partitions: 2})
	require.NoError(t, err)
	return b
}

// start runs a consumer and returns what stops it and waits for its end.
func (b *bench) start() (stop func()) {
	b.t.Helper()
	c, err := consume.New(consume.Deps{
		Options: b.opts, Topics: b.names, Group: b.names.Group("replies"), Codec: b.codec, Engage: b.engage, Social: b.social, Messages: b.texts,
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Health: b.health, Tracer: b.tracer,
	}, b.cfg)
	require.NoError(b.t, err)
	b.consumer = c
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			require.NoError(b.t, <-done)
		})
	}
	b.t.Cleanup(stop)
	return stop
}

// send produces commands to partition 0 and returns their records.
func (b *bench) send(records ...*kgo.Record) []*kgo.Record {
	b.t.Helper()
	for _, r := range records {
		r.Topic = b.names.Replies
		require.NoError(b.t, b.client.ProduceSync(b.t.Context(), r).FirstErr())
	}
	return records
}

// reply is a command that answers a content with a text.
func (b *bench) reply(id, conversation, body string, change ...func(*schemas.ReplyCommand)) *kgo.Record {
	b.t.Helper()
	parent := "parent of " + conversation
	cmd := &schemas.ReplyCommand{
		CommandID: id, IssuedAt: time.Now(),
		Action: &schemas.CreateContent{API: schemas.ContentApiEngage, InReplyToID: &parent, Body: body, BodyFormat: schemas.BodyFormatText},
	}
	for _, f := range change {
		f(cmd)
	}
	value, err := b.codec.Encode(cmd)
	require.NoError(b.t, err)
	return &kgo.Record{Key: []byte(conversation), Value: value}
}

// read returns the committed records of a topic, and its results decoded.
func (b *bench) read(topic string) (records []*kgo.Record) {
	b.t.Helper()
	for partition := range int32(2) {
		require.NoError(b.t, kafka.ReadAll(b.t.Context(), b.opts, topic, partition, func(r *kgo.Record) { records = append(records, r) }))
	}
	return records
}

func (b *bench) results() (final map[string][]schemas.ReplyResult, ledger []schemas.ReplyResult) {
	b.t.Helper()
	final = map[string][]schemas.ReplyResult{}
	for _, r := range b.read(b.names.Results) {
		var result schemas.ReplyResult
		require.NoError(b.t, b.codec.Decode(b.t.Context(), r.Value, &result))
		require.Equal(b.t, result.CommandID, string(r.Key))
		require.Equal(b.t, int32(result.SourcePartition), r.Partition)
		ledger = append(ledger, result)
		if result.State != schemas.ReplyStateAttempting {
			final[result.CommandID] = append(final[result.CommandID], result)
		}
	}
	return final, ledger
}

// wait waits until n commands have a final result, and returns them.
func (b *bench) wait(n int) map[string]schemas.ReplyResult {
	b.t.Helper()
	var final map[string][]schemas.ReplyResult
	require.Eventually(b.t, func() bool {
		final, _ = b.results()
		return len(final) >= n
	}, 30*time.Minute, time.Second, "final results: %v", &final)
	out := map[string]schemas.ReplyResult{}
	for id, list := range final {
		require.Len(b.t, list, 1, "final results of %s", id)
		out[id] = list[0]
	}
	require.Len(b.t, out, n)
	return out
}

// committed returns the group's committed offset of partition 0.
func (b *bench) committed() int64 {
	b.t.Helper()
	offsets, err := kadm.NewClient(b.client).FetchOffsets(b.t.Context(), b.names.Group("replies"))
	require.NoError(b.t, err)
	offset, ok := offsets.Lookup(b.names.Replies, 0)
	if !ok {
		return -1
	}
	return offset.At
}

type fakeHealth struct {
	mu      sync.Mutex
	reasons map[string]string
}

func (h *fakeHealth) Set(component, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reasons[component] = reason
}

func (h *fakeHealth) Clear(component string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.reasons, component)
}

func (h *fakeHealth) all() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprint(h.reasons)
}

// stored is a content that the fake API holds.
type stored struct {
	parent, body, from string
	at, visible        time.Time
}

// fakeEngage is the API. script decides what the nth call to create with this
// body does: whether it has its effect, and what it answers.
type fakeEngage struct {
	mu       sync.Mutex
	script   func(ctx context.Context, c ringcentral.CreateContent, n int) (effect bool, err error)
	find     func(n int) error // what the nth look answers; nil = it works
	handover func(n int) error
	lag      time.Duration // of the search behind what was created
	latency  time.Duration
	contents map[string]stored
	order    []string // bodies, as they took effect
	calls    map[string]int
	looks    int
	hidden   bool // parents are not shown
	asked    int  // for the time
	untold   int  // so often it is not told
}

func (f *fakeEngage) CreateContent(ctx context.Context, c ringcentral.CreateContent) (json.RawMessage, error) {
	f.mu.Lock()
	f.calls[c.Body]++
	n, script := f.calls[c.Body], f.script
	f.mu.Unlock()
	if f.latency > 0 {
		select {
		case <-time.After(f.latency):
		case <-ctx.Done():
			return nil, &ringcentral.Error{Op: "create_content", Err: context.Cause(ctx)}
		}
	}
	effect, err := true, error(nil)
	if script != nil {
		effect, err = script(ctx, c, n)
	}
	id := ""
	if effect {
		id = f.store(*c.InReplyToID, c.Body, "api")
	}
	if err != nil {
		return nil, err
	}
	return json.RawMessage(`{"id":"` + id + `"}`), nil
}

func (f *fakeEngage) store(parent, body, from string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := fmt.Sprintf("content%d", len(f.contents))
	f.contents[id] = stored{parent: parent, body: body, from: from, at: time.Now(), visible: time.Now().Add(f.lag)}
	f.order = append(f.order, body)
	return id
}

func (f *fakeEngage) Handover(context.Context, ringcentral.Handover) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls["handover"]++
	if f.handover == nil {
		return nil
	}
	return f.handover(f.calls["handover"])
}

func (f *fakeEngage) Now(context.Context) (time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked++; f.asked <= f.untold {
		return time.Time{}, &ringcentral.Error{Op: "get_time", Outcome: ringcentral.NotSent, Err: errors.New("connection refused")}
	}
	return time.Now(), nil
}

func (f *fakeEngage) Content(_ context.Context, id string) (json.RawMessage, error) {
	if f.hidden {
		return nil, status(http.StatusNotFound)
	}
	return json.RawMessage(`{"id":"` + id + `","thread_id":"thread of ` + id + `"}`), nil
}

func (f *fakeEngage) Contents(_ context.Context, q ringcentral.ContentsQuery) (page ringcentral.Page, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	if f.find != nil {
		if err := f.find(f.looks); err != nil {
			return page, err
		}
	}
	for i := len(f.contents) - 1; i >= 0; i-- {
		id := fmt.Sprintf("content%d", i)
		c := f.contents[id]
		if time.Now().Before(c.visible) || q.Q != "" && !strings.Contains(q.Q, "thread of "+c.parent) {
			continue
		}
		raw, err := json.Marshal(map[string]any{"id": id, "in_reply_to_id": c.parent, "body": c.body, "created_from": c.from, "created_at": c.at.UTC().Truncate(time.Second)})
		if err != nil {
			return page, err
		}
		page.Records = append(page.Records, raw)
	}
	return page, nil
}

// effects counts the contents with a body.
func (f *fakeEngage) effects(body string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.contents {
		if c.body == body {
			n++
		}
	}
	return n
}

func (f *fakeEngage) count(body string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[body]
}

func status(code int) error {
	outcome := ringcentral.Refused
	if code >= 500 || code == 408 {
		outcome = ringcentral.Unknown
	}
	return &ringcentral.Error{Op: "create_content", Status: code, Code: fmt.Sprintf("code_%d", code), Message: "said the API", Outcome: outcome}
}

func reset() error {
	return &ringcentral.Error{Op: "create_content", Outcome: ringcentral.Unknown, Err: errors.New("connection reset by peer")}
}
