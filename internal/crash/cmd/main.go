// Command cmd is the crash harness: `make crash` and `make crash-mutants`.
//
//	go run ./internal/crash/cmd [-rounds N] [-seed S] [-odd PART] [-off SAFEGUARD | -mutants]
//
// It exits with 1 when a guarantee was broken, and then keeps the logs of everything. With -mutants it leaves out one
// safeguard after another, and exits with 1 when that goes unnoticed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ringbridge/ringbridge/internal/crash"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("crash", flag.ContinueOnError)
	rounds := flags.Int("rounds", 20, "rounds to run, or in which a left-out safeguard must be caught")
	seed := flags.Uint64("seed", 0, "what decides; 0 takes a random one")
	off := flags.String("off", "", "safeguard to leave out: "+strings.Join(crash.Safeguards(), ", "))
	odd := flags.String("odd", "", "part of the names of what the APIs deviate in, in each round; "+crash.NoOddity+" = nothing, empty = all, in some rounds")
	mutants := flags.Bool("mutants", false, "leave out one safeguard after another, and want each to be caught")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *seed == 0 {
		*seed = 1 + rand.Uint64N(999_999) // short enough to be typed
	}
	dir, err := os.MkdirTemp("", "ringbridge-crash-")
	if err != nil {
		return err
	}
	binary := filepath.Join(dir, "ringbridge")
	fmt.Println("seed", *seed, "logs and data in", dir)
	if err := crash.Build(ctx, binary); err != nil {
		return err
	}
	cfg := crash.Config{Binary: binary, Rounds: *rounds, Seed: *seed, Off: *off, Odd: *odd, Out: os.Stdout}
	if *mutants {
		err = catchAll(ctx, cfg, dir)
	} else {
		err = once(ctx, cfg, dir)
	}
	if err != nil {
		return fmt.Errorf("%w\nlogs are kept in %s; repeat with ROUNDS=%d SEED=%d", err, dir, *rounds, *seed)
	}
	return os.RemoveAll(dir)
}

// once runs the harness and prints what it counted.
func once(ctx context.Context, cfg crash.Config, dir string) error {
	cfg.Dir = dir
	result, err := crash.Run(ctx, cfg)
	result.Print(os.Stdout)
	fmt.Printf("%d rounds, seed %d\n", result.Rounds, cfg.Seed)
	if result.Tally.Bad() {
		err = errors.Join(errors.New("a guarantee was broken"), err)
	}
	return err
}

// catchAll leaves out each safeguard, and returns an error if that went unnoticed.
func catchAll(ctx context.Context, cfg crash.Config, dir string) error {
	var missed []string
	for _, cfg.Off = range crash.Safeguards() {
		cfg.Dir = filepath.Join(dir, cfg.Off)
		if err := os.Mkdir(cfg.Dir, 0o755); err != nil {
			return err
		}
		began := time.Now()
		result, err := crash.Run(ctx, cfg)
		switch {
		case result.Tally.Bad():
			fmt.Printf("without %s: caught in round %d, after %s: %+v\n", cfg.Off, result.Rounds, time.Since(began).Round(time.Second), result.Tally)
		case err != nil:
			return fmt.Errorf("without %s: %w", cfg.Off, err)
		default:
			fmt.Printf("without %s: NOT CAUGHT in %d rounds\n", cfg.Off, result.Rounds)
			missed = append(missed, cfg.Off)
		}
	}
	if len(missed) > 0 {
		return errors.New("left out and not caught: " + strings.Join(missed, ", "))
	}
	return nil
}
