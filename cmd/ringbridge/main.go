package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for a clean stop. Giving the signals back their
	// default makes the second one end the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, environment{}))
}

// environment is the process's environment, the one that run reads outside of
// tests.
type environment struct{}

// Lookup implements envconfig.Lookuper.
func (environment) Lookup(name string) (string, bool) { return os.LookupEnv(name) }

// Names lists the variables that are set, so that a misspelt one can be told.
func (environment) Names() []string {
	var names []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		names = append(names, name)
	}
	return names
}
