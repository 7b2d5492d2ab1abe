package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/realparts"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	replicas   = 2
	partitions = 4
	streams    = 5 // that are polled: contents and identities of both APIs, and texts
	secret     = "webhook-secret"
	prefix     = "crash."
	// callTimeout is REPLIES_CALL_TIMEOUT. A fault delays an effect by less than what the program allows for.
	callTimeout = time.Second
	// indexLag is how long a content stays out of the API's lists, well within the program's allowance.
	indexLag = 300 * time.Millisecond
	// latency is what a reply takes: enough for several to be under way whenever something dies.
	latency = 150 * time.Millisecond
	// retryScale is what of the documented waits remains before a webhook is sent again: 0.3 s to
	// 72 s.
	retryScale = 0.01
	// verifyToken is what Engage Digital shows in its handshake.
	verifyToken = "verify-token"
)

// A bed is all that runs.
type bed struct {
	cfg      Config
	parts    *realparts.Parts
	proxy    *proxy
	box      *sandbox.Server
	api      *http.Server
	client   *kgo.Client // produces commands
	codec    *schemas.Codec
	names    kafka.Names
	book     *Book
	reader   *reader
	replicas []*replica
	hanging  int // partitions in which the broker had forgotten a transaction
	front    *front
	unhealed atomic.Int64 // times that the subscription stayed broken
	full     atomic.Bool  // a disk is, and with the broker away webhooks are refused
	refused  atomic.Int64 // how many were
	undo     []func()     // in the order of their making
}

// newBed starts everything. After an error nothing runs.
func newBed(ctx context.Context, cfg Config) (*bed, error) {
	b := &bed{cfg: cfg, names: kafka.TopicNames(prefix), book: NewBook()}
	for _, step := range []func(context.Context) error{b.startParts, b.startAPI, b.startClients, b.startReplicas} {
		if err := step(ctx); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

func (b *bed) close() {
	for _, undo := range slices.Backward(b.undo) {
		undo()
	}
}

func (b *bed) startParts(ctx context.Context) (err error) {
	// A group's members may be given up as soon as the program, hastened, asks for.
	broker := realparts.Config{Dir: filepath.Join(b.cfg.Dir, "kafka"), Settings: []string{"group.min.session.timeout.ms=1000"}}
	b.parts, err = realparts.StartWith(ctx, broker, realparts.Config{Dir: filepath.Join(b.cfg.Dir, "registry")})
	if err != nil {
		return err
	}
	b.undo = append(b.undo, func() { _ = b.parts.Kill() }) // nothing of theirs is needed any more
	b.proxy, err = newProxy(ctx, b.parts.Registry.URL())
	if err != nil {
		return err
	}
	b.undo = append(b.undo, func() { _ = b.proxy.server.Close() })
	return nil
}

func (b *bed) startAPI(ctx context.Context) error {
	b.box = sandbox.New(sandbox.Config{IndexLag: indexLag, Seed: b.cfg.Seed, Delivery: deliveries(), Platform: platformConfig()}, sandbox.Deps{})
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("crash: API: %w", err)
	}
	b.api = &http.Server{Addr: ln.Addr().String(), Handler: slow(b.box.Handler())} //nolint:gosec // loopback, for a test
	go func() { _ = b.api.Serve(ln) }()                                            // ends with Close
	b.undo = append(b.undo, func() {
		_ = b.api.Close()
		b.box.Close()
	})
	return nil
}

// slow holds back what would make a reply. It goes on when the caller has gone: so does the real one.
func slow(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_ = wait(context.WithoutCancel(r.Context()), latency) // ends with the time alone
		}
		api.ServeHTTP(w, r)
	})
}

func (b *bed) startClients(ctx context.Context) error {
	apply := exec.CommandContext(ctx, b.cfg.Binary, "topics", "apply")
	apply.Env = b.environ()
	if out, err := apply.CombinedOutput(); err != nil {
		return fmt.Errorf("crash: topics apply: %w: %s", err, out)
	}
	registry, err := schemas.NewRegistry(schemas.Config{URL: b.parts.Registry.URL()})
	if err != nil {
		return fmt.Errorf("crash: %w", err)
	}
	if b.codec, err = registry.Prepare(ctx, prefix, true); err != nil {
		return fmt.Errorf("crash: %w", err)
	}
	if b.client, err = kgo.NewClient(kgo.SeedBrokers(b.parts.Kafka.Addr()), kgo.ProducerLinger(0)); err != nil {
		return fmt.Errorf("crash: %w", err)
	}
	b.undo = append(b.undo, b.client.Close)
	if b.reader, err = newReader(b.parts.Kafka.Addr(), b.names, b.codec, b.book); err != nil {
		return err
	}
	reading, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.reader.run(reading)
	}()
	b.undo = append(b.undo, func() {
		stop()
		<-ended
		b.reader.client.Close()
	})
	return nil
}

func (b *bed) startReplicas(ctx context.Context) (err error) {
	var addresses []string
	for n := range replicas {
		r, err := newReplica(ctx, n+1, b.cfg)
		if err != nil {
			return err
		}
		b.replicas, addresses = append(b.replicas, r), append(addresses, r.public)
	}
	if b.front, err = newFront(ctx, addresses); err != nil {
		return err
	}
	b.undo = append(b.undo, func() { _ = b.front.server.Close() })
	for _, r := range b.replicas {
		r.env = slices.Concat(b.environ(), r.environ(), r.disk().environ())
		if err := r.launch(ctx, ""); err != nil {
			return err
		}
		b.undo = append(b.undo, r.kill)
	}
	var errs []error
	for _, r := range b.replicas {
		errs = append(errs, r.ready(ctx))
	}
	return errors.Join(append(errs, b.polls(ctx), b.heals(ctx), b.register(ctx))...)
}

// register has Engage Digital send its webhooks to the front.
func (b *bed) register(ctx context.Context) error {
	err := b.box.Register(ctx, sandbox.Webhook{URL: b.front.base + engagePath, Secret: secret, VerifyToken: verifyToken})
	if err != nil {
		return fmt.Errorf("crash: %w", err)
	}
	return nil
}

// polls waits until each stream has its first cursor. What comes long before that is history, which no poll finds.
func (b *bed) polls(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyBound)
	defer cancel()
	return until(ctx, "streams do not begin", func() bool {
		begun := map[string]bool{}
		for _, r := range b.replicas {
			for line := range bytes.Lines(r.logged()) {
				var entry struct{ Msg, Stream string }
				if json.Unmarshal(line, &entry) == nil && entry.Msg == "stream begins" {
					begun[entry.Stream] = true
				}
			}
		}
		return len(begun) == streams
	})
}
