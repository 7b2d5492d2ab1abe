package realparts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

// Parts is a broker and a registry, running.
type Parts struct {
	Kafka    *Kafka
	Registry *Registry
}

// Start starts both side by side, in folders of their own under dir, and returns when both answer. After an
// error nothing of ours runs. ctx bounds the start only.
func Start(ctx context.Context, dir string) (*Parts, error) {
	return StartWith(ctx, Config{Dir: filepath.Join(dir, "kafka")}, Config{Dir: filepath.Join(dir, "registry")})
}

// StartWith is Start with settings; the two folders are made where they are missing.
func StartWith(ctx context.Context, kafka, registry Config) (*Parts, error) {
	for _, dir := range []string{kafka.Dir, registry.Dir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("realparts: %w", err)
		}
	}
	var p Parts
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		p.Kafka, err = StartKafka(ctx, kafka)
		return err
	})
	both.Go(func() (err error) {
		p.Registry, err = StartRegistry(ctx, registry)
		return err
	})
	if err := both.Wait(); err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	return &p, nil
}

// Stop ends both in order (SIGTERM) and waits.
func (p *Parts) Stop() error {
	return errors.Join(p.Registry.Stop(), p.Kafka.Stop())
}

// Kill ends whatever runs, at once, and waits until it is gone.
func (p *Parts) Kill() error {
	var errs []error
	if p.Kafka != nil {
		errs = append(errs, p.Kafka.Kill())
	}
	if p.Registry != nil {
		errs = append(errs, p.Registry.Kill())
	}
	return errors.Join(errs...)
}

// Main is for TestMain: it starts both parts, hands them to set, runs the tests and returns the exit status.
// Logs and data are removed after success; after a failure they stay, and stderr says where. Transactions that the broker
// forgets when tests kill it are ended, see EndHanging.
func Main(tests interface{ Run() int }, set func(*Parts)) int {
	dir, err := os.MkdirTemp("", "ringbridge-real-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "realparts:", err)
		return 1
	}
	parts, err := Start(context.Background(), dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	set(parts)
	tending, stop := context.WithCancel(context.Background())
	go parts.Kafka.tend(tending)
	code := tests.Run()
	stop()
	// The data goes with the folder, so there is nothing to end in order.
	if err := parts.Kill(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if code != 0 {
		fmt.Fprintln(os.Stderr, "realparts: the logs of Kafka and the registry are kept in", dir)
		return code
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "realparts:", err)
	}
	return code
}
