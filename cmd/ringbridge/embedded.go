package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Files in DATA_DIR.
const (
	lockName      = "lock"
	addressesName = "addresses"
	brokerDir     = "broker"
	schemasName   = "schemas.json"
)

// maxRecordBytes is what the embedded broker takes in one batch, as much as the
// topics are made for.
const maxRecordBytes = "16777216"

// errInUse says that another process runs on DATA_DIR: two on one would write
// over each other.
var errInUse = errors.New("another process runs on it")

// embedded is a broker and a registry inside the process, for trying out: one
// node, no replication, records on disk without fsync.
type embedded struct {
	Brokers     []string
	RegistryURL string

	dir     string
	lock    *os.File
	cluster *kfake.Cluster
	server  *httpListener
}

// startEmbedded starts both on free loopback ports, with their state in dir.
func startEmbedded(ctx context.Context, dir string, logger *slog.Logger) (*embedded, error) {
	e := &embedded{dir: dir}
	if err := e.start(ctx, logger); err != nil {
		_ = e.stop(ctx)
		return nil, fmt.Errorf("embedded broker: DATA_DIR %s: %w", dir, err)
	}
	return e, nil
}

func (e *embedded) start(ctx context.Context, logger *slog.Logger) (err error) {
	if err := os.MkdirAll(e.dir, 0o750); err != nil {
		return err
	}
	if e.lock, err = lockDir(e.dir); err != nil {
		return err
	}
	e.cluster, err = kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.DataDir(filepath.Join(e.dir, brokerDir)),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": maxRecordBytes}),
	)
	if err != nil {
		return err
	}
	e.Brokers = e.cluster.ListenAddrs()
	if err := e.serveRegistry(ctx, logger); err != nil {
		return err
	}
	return e.announce()
}

func (e *embedded) serveRegistry(ctx context.Context, logger *slog.Logger) error {
	handler, err := newEmbeddedRegistry(filepath.Join(e.dir, schemasName), logger)
	if err != nil {
		return err
	}
	if e.server, err = listen(ctx, "embedded registry", "127.0.0.1:0", handler, logger); err != nil {
		return err
	}
	e.RegistryURL = "http://" + e.server.addr
	return nil
}

// environment returns the addresses as settings, in the order they are shown.
func (e *embedded) environment() []string {
	return []string{
		"KAFKA_BROKERS=" + strings.Join(e.Brokers, ","),
		"SCHEMA_REGISTRY_URL=" + e.RegistryURL,
	}
}

// announce writes the addresses into DATA_DIR, where the other commands find
// them.
func (e *embedded) announce() error {
	text := strings.Join(e.environment(), "\n") + "\n"
	return writeWhole(filepath.Join(e.dir, addressesName), []byte(text))
}

// stop ends both. What the broker acknowledged is on disk.
func (e *embedded) stop(ctx context.Context) error {
	if e.server != nil {
		_ = e.server.stop(ctx)
	}
	if e.cluster != nil {
		e.cluster.Close()
	}
	if e.lock != nil {
		_ = os.Remove(filepath.Join(e.dir, addressesName))
		return e.lock.Close()
	}
	return nil
}

func lockDir(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(file); err != nil {
		_ = file.Close()
		return nil, errInUse
	}
	return file, nil
}

// useRunning fills in the addresses of the embedded broker that another process
// runs on DATA_DIR, where no broker is configured.
func (c *brokerConfig) useRunning() (registryURL string, err error) {
	if len(c.Kafka.Brokers) > 0 {
		return "", nil
	}
	nobody := fmt.Errorf("KAFKA_BROKERS: is empty, and no embedded broker runs on DATA_DIR (%s): start `ringbridge run` there, or set KAFKA_BROKERS", c.Embedded.DataDir)
	content, err := os.ReadFile(filepath.Join(c.Embedded.DataDir, addressesName))
	if err != nil {
		return "", nobody
	}
	// A process that was killed left its addresses behind, but not its lock.
	if lock, err := lockDir(c.Embedded.DataDir); err == nil {
		_ = lock.Close()
		return "", nobody
	}
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "KAFKA_BROKERS":
			c.Kafka.Brokers = strings.Split(value, ",")
		case "SCHEMA_REGISTRY_URL":
			registryURL = value
		}
	}
	return registryURL, nil
}

// useRunning does the same for the registry.
func (c *connectionConfig) useRunning() error {
	url, err := c.Broker.useRunning()
	if err == nil && c.Registry.URL == "" {
		c.Registry.URL = url
	}
	return err
}

// writeWhole writes the file so that a reader sees the old or the new content,
// never a part.
func writeWhole(path string, content []byte) error {
	temp := path + ".new"
	if err := os.WriteFile(temp, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, path)
}
