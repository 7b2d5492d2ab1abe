package realparts

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

//go:embed server.properties
var serverProperties string

//go:embed log4j2.properties
var log4jProperties string

// clusterID is any 16 bytes in base64: a fresh data folder needs one, and nobody compares it.
const clusterID = "cmluZ2JyaWRnZS1sb2NhbA"

// Kafka is a broker of one node. Its methods are not safe for concurrent use.
type Kafka struct {
	at   install
	dir  string
	addr string
	proc *process
}

// StartKafka starts a broker on an empty data folder and returns when it answers. ctx bounds the start only.
func StartKafka(ctx context.Context, cfg Config) (*Kafka, error) {
	at, err := findInstall(ctx)
	if err != nil {
		return nil, err
	}
	port, err := cfg.port(ctx)
	if err != nil {
		return nil, err
	}
	controller, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	k := &Kafka{at: at, dir: cfg.Dir, addr: loopback(port)}
	if err := k.configure(loopback(controller), cfg.Settings); err != nil {
		return nil, err
	}
	if err := k.format(ctx); err != nil {
		return nil, err
	}
	if err := k.start(ctx); err != nil {
		return nil, err
	}
	return k, nil
}

// Addr is the bootstrap address, host:port; it stays the same over restarts.
func (k *Kafka) Addr() string { return k.addr }

// LogFile is where the broker's output is, of all its starts.
func (k *Kafka) LogFile() string { return k.proc.log }

// Stop ends the broker in order (SIGTERM) and waits. Stopping an ended broker is no error.
func (k *Kafka) Stop() error { return k.proc.stop() }

// Kill ends the broker as kill -9 does and waits until it is gone. Killing an ended broker is no error.
func (k *Kafka) Kill() error { return k.proc.kill() }

// Restart starts the broker again on its address and data, and returns when it answers. A broker that is still
// running is stopped in order first.
func (k *Kafka) Restart(ctx context.Context) error {
	if err := k.Stop(); err != nil {
		return err
	}
	return k.start(ctx)
}

func (k *Kafka) configure(controller string, extra []string) error {
	lines := append([]string{
		serverProperties,
		"listeners=PLAINTEXT://" + k.addr + ",CONTROLLER://" + controller,
		"advertised.listeners=PLAINTEXT://" + k.addr,
		"controller.quorum.voters=1@" + controller,
		"log.dirs=" + filepath.Join(k.dir, "kafka-data"),
	}, extra...)
	return errors.Join(
		os.WriteFile(k.properties(), []byte(strings.Join(lines, "\n")+"\n"), 0o644),
		os.WriteFile(k.log4j(), []byte(log4jProperties), 0o644),
	)
}

// format gives the data folder its identity, without which a KRaft broker does not start.
func (k *Kafka) format(ctx context.Context) error {
	p, err := launch(ctx, "kafka", k.dir, k.at.java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
		"-Dlog4j2.configurationFile="+k.log4j(), "-cp", k.classpath(),
		"kafka.tools.StorageTool", "format", "-t", clusterID, "-c", k.properties())
	if err != nil {
		return err
	}
	return p.finish(ctx)
}

// start launches the broker; after an error it does not run.
func (k *Kafka) start(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(k.addr), kgo.RequestRetries(0))
	if err != nil {
		return fmt.Errorf("realparts: kafka: %w", err)
	}
	defer client.Close()
	proc, err := launch(ctx, "kafka", k.dir, k.at.java, "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC",
		"-Dlog4j2.configurationFile="+k.log4j(), "-cp", k.classpath(), "kafka.Kafka", k.properties())
	if err != nil {
		return err
	}
	k.proc = proc
	return proc.until(ctx, func(ctx context.Context) error { return registered(ctx, client) })
}

// registered tells whether the broker is in the metadata it serves. The port opens earlier, while the controller does
// not let it lead partitions yet.
func registered(ctx context.Context, client *kgo.Client) error {
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, client)
	if err != nil {
		return err
	}
	if len(resp.Brokers) == 0 {
		return errors.New("no broker in the metadata")
	}
	return nil
}

func (k *Kafka) properties() string { return filepath.Join(k.dir, "server.properties") }
func (k *Kafka) log4j() string      { return filepath.Join(k.dir, "log4j2.properties") }
func (k *Kafka) classpath() string  { return filepath.Join(k.at.dir, "kafka", "*") }
