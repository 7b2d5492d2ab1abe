package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"
	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/internal/sleep"
	"github.com/ringbridge/ringbridge/schemas"
)

func (p *program) demoCommand() *cobra.Command {
	var once bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show everything in one process, with nothing to install",
		Long: `Runs the bridge between an embedded Kafka with its registry and a simulated Engage
Digital, all in this process and on this machine, with customers who write and a
team that answers. It tells what happens until it is interrupted.

You see webhooks and lost webhooks that polling repairs, replies that succeed at
once, after 503s, after a 429, and after a lost answer (found again, not sent
twice), a duplicate command, and a dead letter.

With --once the traffic ends, both sides are counted, and the exit status is 1 if
anything was lost or doubled.

Reads DATA_DIR (default: a directory that is removed), HTTP_ADDR, ADMIN_ADDR (default:
free ports), CONSOLE_MASK_TEXT, LOG_LEVEL (default: error) and LOG_FORMAT; other settings are the demo's own.`,
		Example: `  ringbridge demo
  ringbridge demo --once
  LOG_LEVEL=info ringbridge demo`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.demo(c.Context(), once) },
	}
	c.Flags().BoolVar(&once, "once", false, "end by itself, and fail if anything was lost or doubled")
	return c
}

// demoReady bounds the start of the demo's bridge.
const demoReady = 30 * time.Second

// demo is the bridge between its two simulated sides.
type demo struct {
	p       *program
	say     *narrator
	sandbox *sandbox.Server
	at      addresses
	client  *kgo.Client
	reach   reach
	codec   *schemas.Codec
	names   kafka.Names
	begun   time.Time
	run     string        // tells this run's commands from those of another on the same DATA_DIR
	pace    time.Duration // between two scenes
	issued  []issued
}

func (p *program) demo(ctx context.Context, once bool) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	env, remove, err := p.demoEnvironment()
	if err != nil {
		return err
	}
	defer remove()
	say := newNarrator(p.out)
	simulated, apiAddr, closeAPI, err := p.startDemoAPI(ctx, env, say)
	if err != nil {
		return err
	}
	defer closeAPI()
	env["ENGAGE_BASE_URL"] = "http://" + apiAddr + "/1.0"

	bridge, at, ended, err := p.startDemoBridge(ctx, env)
	if err != nil {
		return err
	}
	defer func() {
		cancel()
		err = errors.Join(err, <-ended)
	}()
	d, err := p.newDemo(simulated, bridge, at, say)
	if err != nil {
		return err
	}
	defer d.client.Close()
	play := d.play
	if once {
		play = d.playOnce
	}
	err = d.register(ctx, env)
	if err == nil {
		d.introduce(once, apiAddr, env["DATA_DIR"])
		narrated := make(chan struct{})
		go func() {
			defer close(narrated)
			d.narrate(ctx)
		}()
		err = play(ctx)
		cancel()
		<-narrated
	}
	if errors.Is(err, context.Canceled) {
		return nil // interrupted: the way the demo ends
	}
	return err
}

// demoEnvironment returns the settings of the demo's bridge.
func (p *program) demoEnvironment() (env map[string]string, remove func(), err error) {
	env = map[string]string{
		"HTTP_ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0", "LOG_LEVEL": "error", "ACCOUNT": "demo",
		"ENGAGE_ACCESS_TOKEN": sandbox.DefaultToken, "ENGAGE_RATE": "0",
		"ENGAGE_WEBHOOK_SECRET": "demo-secret", "ENGAGE_WEBHOOK_VERIFY_TOKEN": "demo-token",
		// Short times, so that a person sees in seconds what takes minutes.
		"POLL_INTERVAL": "1s", "POLL_OVERLAP": "1m", "POLL_SWEEP_INTERVAL": "5s", "POLL_SWEEP": "96h",
		"REPLIES_BACKOFF_MIN": "300ms", "REPLIES_BACKOFF_MAX": "2s",
	}
	for _, name := range []string{"DATA_DIR", "HTTP_ADDR", "ADMIN_ADDR", "ADMIN_TOKEN", "CONSOLE_MASK_TEXT", "LOG_LEVEL", "LOG_FORMAT"} {
		if value, ok := p.env.Lookup(name); ok && value != "" {
			env[name] = value
		}
	}
	if env["DATA_DIR"] != "" {
		return env, func() {}, nil
	}
	env["DATA_DIR"], err = os.MkdirTemp("", "ringbridge-demo-")
	return env, func() { _ = os.RemoveAll(env["DATA_DIR"]) }, err
}

// startDemoAPI serves the simulated Engage Digital on a free port.
func (p *program) startDemoAPI(ctx context.Context, env map[string]string, say *narrator) (server *sandbox.Server, addr string, closeAll func(), err error) {
	var log logConfig
	if err := load(ctx, &log, envconfig.MapLookuper(env)); err != nil {
		return nil, "", nil, err
	}
	logger := newLogger(p.err, log)
	server = sandbox.New(sandbox.Config{ExportDelay: time.Second, Delivery: sandbox.Delivery{DuplicateRate: 0.2, RetryScale: 0.01}}, sandbox.Deps{Logger: logger})
	listener, err := listen(ctx, "sandbox", "127.0.0.1:0", say.observe(server.Handler()), logger)
	if err != nil {
		server.Close()
		return nil, "", nil, err
	}
	return server, listener.addr, func() {
		_ = listener.stop(ctx)
		server.Close()
	}, nil
}

// startDemoBridge runs the bridge as `run` does, and returns when it is ready.
// The channel gives what it ended with.
func (p *program) startDemoBridge(ctx context.Context, env map[string]string) (b *bridge, at addresses, ended chan error, err error) {
	var cfg config
	if err := load(ctx, &cfg, envconfig.MapLookuper(env)); err != nil {
		return nil, at, nil, err
	}
	b = newBridge(cfg, allStages(), newLogger(p.err, cfg.Connection.Broker.Log))
	opened := make(chan addresses, 1)
	b.Opened = func(at addresses) { opened <- at }
	ended = make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	select {
	case at = <-opened:
	case err := <-ended:
		return nil, at, nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, demoReady)
	defer cancel()
	for !b.board.Ready() {
		select {
		case err := <-ended:
			return nil, at, nil, err
		default:
		}
		if err := sleep.For(bounded, 20*time.Millisecond); err != nil {
			return nil, at, nil, fmt.Errorf("demo: the bridge is not ready: %v: %w", b.board.Reasons(), err)
		}
	}
	return b, at, ended, nil
}

func (p *program) newDemo(simulated *sandbox.Server, b *bridge, at addresses, say *narrator) (*demo, error) {
	opts, err := clientOptions(b.cfg.Connection.Broker, b.logger)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts, kgo.ProducerLinger(0))...)
	if err != nil {
		return nil, err
	}
	return &demo{
		p: p, say: say, sandbox: simulated, at: at, client: client, codec: b.codec, names: b.names(),
		reach: reach{opts: opts, adm: kadm.NewClient(client)}, begun: time.Now(), run: fmt.Sprintf("%x", time.Now().Unix()),
	}, nil
}

// register points the webhooks at the bridge, handshake included.
func (d *demo) register(ctx context.Context, env map[string]string) error {
	return d.sandbox.Register(ctx, sandbox.Webhook{
		URL: "http://" + d.at.Public + "/webhooks/engage", Secret: env["ENGAGE_WEBHOOK_SECRET"], VerifyToken: env["ENGAGE_WEBHOOK_VERIFY_TOKEN"],
	})
}

// introduce says where to look and what to try.
func (d *demo) introduce(once bool, apiAddr, dataDir string) {
	d.p.printf("Ringbridge demo: embedded Kafka and registry, simulated Engage Digital.\n\n")
	d.p.printf("KAFKA_BROKERS=%s\n", strings.Join(d.at.Brokers, ","))
	d.p.printf("SCHEMA_REGISTRY_URL=%s\n", d.at.RegistryURL)
	d.p.printf("console: http://%s/\n", d.at.Private)
	_, port, _ := net.SplitHostPort(apiAddr)
	d.p.printf("sandbox: http://127.0.0.1:%s/sandbox/contents\n\n", port)
	if once {
		return
	}
	d.p.printf("Try in a second terminal (DATA_DIR finds this broker):\n\n")
	d.p.printf("  export DATA_DIR=%s\n", dataDir)
	for _, command := range []string{
		"tail contents", "tail contents --from beginning --filter origin=POLL", "tail replies.results --filter state=SUCCEEDED",
		"dlq list", "dlq redrive --dry-run", "schemas check",
	} {
		d.p.printf("  go run ./cmd/ringbridge %s\n", command)
	}
	d.p.printf("  curl -d '{\"body\":\"Hello?\",\"author\":\"You\"}' http://127.0.0.1:%s/sandbox/contents\n\n", port)
}
