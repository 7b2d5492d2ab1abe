package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	ringbridge "github.com/ringbridge/ringbridge/cmd/ringbridge"
	"github.com/ringbridge/ringbridge/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a broker and a registry, and the environment that leads to them.
type world struct {
	env    map[string]string
	client *kgo.Client
	codec  *schemas.Codec
	stop   func()
}

// newWorld starts both, empty.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, t.TempDir())
}

// newWorldOn starts both with what an earlier world left in the directory.
func newWorldOn(t *testing.T, dir string) *world {
	t.Helper()
	env, stop, err := ringbridge.StartEmbedded(dir)
	require.NoError(t, err)
	w := &world{env: env, stop: sync.OnceFunc(stop)}
	t.Cleanup(w.stop)
	w.client, err = kgo.NewClient(kgo.SeedBrokers(strings.Split(env["KAFKA_BROKERS"], ",")...))
	require.NoError(t, err)
	t.Cleanup(w.client.Close)
	return w
}

// withTopics makes the topics and the schemas too.
func (w *world) withTopics(t *testing.T) *world {
	t.Helper()
	require.Zero(t, w.run(t, "topics", "apply").code)
	registry, err := schemas.NewRegistry(schemas.Config{URL: w.env["SCHEMA_REGISTRY_URL"]})
	require.NoError(t, err)
	w.codec, err = registry.Prepare(t.Context(), "ringcentral.", true)
	require.NoError(t, err)
	return w
}

// put writes a value to a topic.
func (w *world) put(t *testing.T, record *kgo.Record, value schemas.Value) *kgo.Record {
	t.Helper()
	if value != nil {
		encoded, err := w.codec.Encode(value)
		require.NoError(t, err)
		record.Value = encoded
	}
	record.Topic = "ringcentral." + record.Topic
	written, err := w.client.ProduceSync(t.Context(), record).First()
	require.NoError(t, err)
	return written
}

// outcome is what a command left behind.
type outcome struct {
	code     int
	out, err string
}

// run runs a command to its end.
func (w *world) run(t *testing.T, args ...string) outcome {
	return w.runWith(t, "", args...)
}

func (w *world) runWith(t *testing.T, stdin string, args ...string) outcome {
	var out, errOut bytes.Buffer
	code := ringbridge.Run(t.Context(), args, strings.NewReader(stdin), &out, &errOut, envconfig.MapLookuper(w.env))
	return outcome{code, out.String(), errOut.String()}
}

// lines decodes an output of JSON lines.
func lines(t *testing.T, text string) (decoded []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var v map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &v), line)
		decoded = append(decoded, v)
	}
	return decoded
}

// buffer collects what a command that is still running prints.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// process is a command that runs until it is told to stop.
type process struct {
	out, err buffer
	stop     context.CancelFunc
	done     chan int
}

func start(t *testing.T, env map[string]string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := &process{stop: cancel, done: make(chan int, 1)}
	go func() {
		p.done <- ringbridge.Run(ctx, args, strings.NewReader(""), &p.out, &p.err, envconfig.MapLookuper(env))
	}()
	t.Cleanup(func() {
		cancel()
		p.done <- <-p.done
	})
	return p
}

// end asks the process to stop and returns its exit status.
func (p *process) end() int {
	p.stop()
	code := <-p.done
	p.done <- code
	return code
}
