// Command up starts a real Kafka broker and a real schema registry, for trying Ringbridge by hand: it
// prints the two settings that point the bridge at them, each on a line of its own, and stops both on Ctrl-C.
//
//	go run ./deploy/local/up [-kafka-port N] [-registry-port N] [-dir DIR]
//
// It needs the parts that `make parts` fetches. The broker starts empty each time: its data is in a folder that is
// removed at the end, or in -dir, which must be empty and is kept.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/ringbridge/ringbridge/internal/realparts"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("up", flag.ExitOnError)
	kafkaPort := flags.Int("kafka-port", 0, "port of the broker; 0 takes a free one")
	registryPort := flags.Int("registry-port", 0, "port of the registry; 0 takes a free one")
	dir := flags.String("dir", "", "empty folder for data and logs, kept; without it, one that is removed at the end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	at, err := folder(*dir)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "starting Kafka and the registry; data and logs in", at)
	parts, err := realparts.StartWith(ctx,
		realparts.Config{Dir: filepath.Join(at, "kafka"), Port: *kafkaPort},
		realparts.Config{Dir: filepath.Join(at, "registry"), Port: *registryPort})
	if err != nil {
		return err
	}
	fmt.Printf("KAFKA_BROKERS=%s\nSCHEMA_REGISTRY_URL=%s\n", parts.Kafka.Addr(), parts.Registry.URL())
	fmt.Fprintln(os.Stderr, "ready; Ctrl-C stops both")
	<-ctx.Done()
	fmt.Fprintln(os.Stderr, "stopping")
	if err := parts.Stop(); err != nil {
		return err // the logs stay
	}
	if *dir == "" {
		return os.RemoveAll(at)
	}
	return nil
}

// folder is the absolute path of where data and logs go: the parts run in folders of their own.
func folder(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "ringbridge-up-")
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("up: %s is not empty", dir)
	}
	return filepath.Abs(dir)
}
