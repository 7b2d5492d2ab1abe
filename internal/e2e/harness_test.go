//go:build real

package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/realparts"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

var (
	parts  *realparts.Parts
	binary string
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "ringbridge-e2e-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "ringbridge")
	build := exec.Command("go", "build", "-o", binary, "github.com/ringbridge/ringbridge/cmd/ringbridge")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := realparts.Main(m, func(p *realparts.Parts) { parts = p })
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

const (
	account  = "acme"
	secret   = "webhook-secret"
	verify   = "verify-token"
	waitLong = 2 * time.Minute // more than anything takes; a test that waits so long has failed
)

// A world is one account of the sandbox, one set of topics, and the bridges that
// join them.
type world struct {
	t       *testing.T
	box     *sandbox.Server
	api     *httptest.Server
	names   kafka.Names
	prefix  string
	opts    []kgo.Opt
	client  *kgo.Client
	codec   *schemas.Codec
	env     map[string]string
	bridges int
}

func newWorld(t *testing.T, cfg sandbox.Config, env map[string]string) *world {
	t.Helper()
	w := &world{t: t, prefix: strings.ToLower(strings.NewReplacer("/", ".", " ", "-", ",", "").Replace(t.Name())) + "."}
	w.names = kafka.TopicNames(w.prefix)
	w.box = sandbox.New(cfg, sandbox.Deps{})
	w.api = httptest.NewServer(w.box.Handler())
	t.Cleanup(func() {
		w.api.CloseClientConnections()
		w.api.Close()
		w.box.Close()
	})
	w.env = map[string]string{
		"KAFKA_BROKERS": parts.Kafka.Addr(), "SCHEMA_REGISTRY_URL": parts.Registry.URL(), "TOPIC_PREFIX": w.prefix, "TOPIC_PARTITIONS": "4",
		"ACCOUNT": account, "ENGAGE_BASE_URL": w.api.URL + "/1.0", "ENGAGE_ACCESS_TOKEN": sandbox.DefaultToken, "ENGAGE_RATE": "0",
		"ENGAGE_WEBHOOK_SECRET": secret, "ENGAGE_WEBHOOK_VERIFY_TOKEN": verify, "LOG_FORMAT": "json",
	}
	maps.Copy(w.env, env)
	w.opts = []kgo.Opt{kgo.SeedBrokers(parts.Kafka.Addr())}
	var err error
	w.client, err = kgo.NewClient(w.opts...)
	require.NoError(t, err)
	t.Cleanup(w.client.Close)
	out, err := w.run("topics", "apply")
	require.NoError(t, err, out)
	registry, err := schemas.NewRegistry(schemas.Config{URL: parts.Registry.URL()})
	require.NoError(t, err)
	w.codec, err = registry.Prepare(t.Context(), w.prefix, true)
	require.NoError(t, err)
	return w
}

func (w *world) environ(extra ...string) []string {
	env := append(os.Environ(), extra...) //nolint:forbidigo // handed on to the program under test
	for key, value := range w.env {
		env = append(env, key+"="+value)
	}
	return env
}

// run runs one command to its end and returns what it printed.
func (w *world) run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = w.environ()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// A bridge is one process of `ringbridge run`.
type bridge struct {
	t      *testing.T
	cmd    *exec.Cmd
	public string
	admin  string
	log    logFile
	ended  chan struct{}
}

// logFile is where a bridge writes its log; it stays when the test fails.
type logFile string

func (l logFile) String() string {
	text, err := os.ReadFile(string(l))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// freePort finds a port for a listener whose address must be known before it
// starts, and stay the same when it is killed and started again.
func freePort(t *testing.T) string {
	t.Helper()
	addr, err := realparts.FreeAddr(t.Context())
	require.NoError(t, err)
	return addr
}

// start starts a bridge at these addresses and waits until it is ready.
func (w *world) start(public, admin string, args ...string) *bridge {
	w.t.Helper()
	b := w.launch(public, admin, args...)
	b.ready()
	return b
}

func (w *world) launch(public, admin string, args ...string) *bridge {
	w.t.Helper()
	w.bridges++
	name := filepath.Join(os.TempDir(), fmt.Sprintf("ringbridge-e2e-%sbridge%d.log", w.prefix, w.bridges))
	log, err := os.Create(name)
	require.NoError(w.t, err)
	b := &bridge{t: w.t, public: "http://" + public, admin: "http://" + admin, log: logFile(name), ended: make(chan struct{})}
	b.cmd = exec.Command(binary, append([]string{"run"}, args...)...)
	b.cmd.Env = w.environ("HTTP_ADDR="+public, "ADMIN_ADDR="+admin)
	b.cmd.Stdout, b.cmd.Stderr = log, log
	require.NoError(w.t, b.cmd.Start())
	go func() {
		_ = b.cmd.Wait()
		_ = log.Close()
		close(b.ended)
	}()
	w.t.Cleanup(func() {
		b.kill()
		if w.t.Failed() {
			w.t.Log("log of the bridge:", name)
			return
		}
		_ = os.Remove(name)
	})
	return b
}

func (b *bridge) ready() {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		status, _, err := get(b.admin + "/readyz")
		return err == nil && status == http.StatusOK
	}, time.Minute, 50*time.Millisecond, "not ready:\n%s", b.log)
}

// kill ends the process as a power cut does.
func (b *bridge) kill() {
	_ = b.cmd.Process.Kill()
	<-b.ended
}

// stop ends the process in an orderly manner and returns its exit status.
func (b *bridge) stop() int {
	b.t.Helper()
	require.NoError(b.t, b.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-b.ended:
	case <-time.After(15 * time.Second):
		b.t.Fatalf("still running 15 s after SIGTERM:\n%s", b.log)
	}
	return b.cmd.ProcessState.ExitCode()
}

func get(url string) (int, string, error) {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// post sends a webhook request and returns the status.
func (b *bridge) post(body []byte) (int, error) { return b.postAs(secret, body) }

// postAs is post with the secret of whoever sends it.
func (b *bridge) postAs(secret string, body []byte) (int, error) {
	req, err := http.NewRequest(http.MethodPost, b.public+"/webhooks/engage", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-Dimelo-Secret", secret)
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 15 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// read returns what a read_committed reader of a topic sees.
func (w *world) read(topic string) (records []*kgo.Record) {
	w.t.Helper()
	for partition := range int32(4) {
		require.NoError(w.t, kafka.ReadAll(w.t.Context(), w.opts, topic, partition, func(r *kgo.Record) { records = append(records, r) }))
	}
	return records
}

// published waits until publish has committed all that is in the inbox.
func (w *world) published() {
	w.t.Helper()
	adm := kadm.NewClient(w.client)
	group := w.names.Group("publish")
	require.Eventually(w.t, func() bool {
		committed, err := adm.FetchOffsets(w.t.Context(), group)
		require.NoError(w.t, err)
		ends, err := adm.ListEndOffsets(w.t.Context(), w.names.Inbox)
		require.NoError(w.t, err)
		done := true
		ends.Each(func(end kadm.ListedOffset) {
			// The last offsets are a transaction's markers where publish wrote there itself.
			at, ok := committed.Lookup(end.Topic, end.Partition)
			done = done && (end.Offset == 0 || ok && at.At >= end.Offset-1)
		})
		return done
	}, time.Minute, 50*time.Millisecond, "publish did not come to the end of the inbox")
}

// contents returns the content events, by what a reader of the topic counts.
func (w *world) contents() (events []*schemas.ContentEvent) {
	w.t.Helper()
	for _, r := range w.read(w.names.Contents) {
		var e schemas.ContentEvent
		require.NoError(w.t, w.codec.Decode(w.t.Context(), r.Value, &e))
		events = append(events, &e)
	}
	return events
}

// results returns the final results by command.
func (w *world) results() map[string][]schemas.ReplyResult {
	w.t.Helper()
	final := map[string][]schemas.ReplyResult{}
	for _, r := range w.read(w.names.Results) {
		var result schemas.ReplyResult
		require.NoError(w.t, w.codec.Decode(w.t.Context(), r.Value, &result))
		if result.State != schemas.ReplyStateAttempting {
			final[result.CommandID] = append(final[result.CommandID], result)
		}
	}
	return final
}

// send puts commands on the topic, as another team's producer does.
func (w *world) send(commands ...*schemas.ReplyCommand) {
	w.t.Helper()
	var records []*kgo.Record
	for _, c := range commands {
		records = append(records, w.record(c))
	}
	require.NoError(w.t, w.client.ProduceSync(w.t.Context(), records...).FirstErr())
}

func (w *world) record(c *schemas.ReplyCommand) *kgo.Record {
	w.t.Helper()
	value, err := w.codec.Encode(c)
	require.NoError(w.t, err)
	return &kgo.Record{Topic: w.names.Replies, Key: []byte(c.Metadata["key"]), Value: value}
}

// reply is a command that answers a content.
func reply(id, thread, parent, body string) *schemas.ReplyCommand {
	return &schemas.ReplyCommand{
		CommandID: id, IssuedAt: time.Now(), Metadata: map[string]string{"key": thread},
		Action: &schemas.CreateContent{API: schemas.ContentApiEngage, BodyFormat: schemas.BodyFormatText, InReplyToID: &parent, Body: body},
	}
}

// eventually waits for a count to be reached, and tells how far it came.
func (w *world) eventually(want int, within time.Duration, count func() int, what string) {
	w.t.Helper()
	deadline := time.Now().Add(within)
	got := count()
	for got < want && time.Now().Before(deadline) {
		time.Sleep(100 * time.Millisecond)
		got = count()
	}
	require.GreaterOrEqual(w.t, got, want, what)
}
