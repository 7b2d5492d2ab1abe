package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Config says what to run.
type Config struct {
	Binary string    // the program, built with the tag failpoints
	Dir    string    // for data and logs; it must exist and be empty
	Rounds int       // at most
	Seed   uint64    // decides what is sent and what goes wrong
	Off    string    // the safeguard to leave out; "" = none
	Odd    string    // part of the names of the oddities to have, in each round; "" = all, in some rounds; NoOddity
	Out    io.Writer // gets a line for each round
}

// Result is what a run came to.
type Result struct {
	Tally  Tally
	Rounds int // that were run: up to the first that was bad
	Points map[string]PointCount
}

// PointCount tells how often a failpoint was passed, and how often a process was killed or frozen there.
type PointCount struct{ Hits, Fired int }

// Run runs rounds until one is bad, and counts. The error is the harness's own: a part that did not start, a replica that
// did not stop in order, traffic that nobody took.
func Run(ctx context.Context, cfg Config) (Result, error) {
	b, err := newBed(ctx, cfg)
	if err != nil {
		return Result{}, err
	}
	defer b.close()
	var result Result
	// What is done in which round depends on no other draw.
	random, order := rand.New(rand.NewPCG(cfg.Seed, 0)), rand.New(rand.NewPCG(cfg.Seed, 1)) //nolint:gosec // repeatable
	cards, besides := &pile[disturbance]{all: append(deck(), diskDeck()...)}, &pile[side]{all: sides()}
	kills, stops := &pile[string]{all: replicaPoints()}, &pile[string]{all: zombiePoints()}
	cuts := &pile[string]{all: append(spoolPoints(), anywhere)}
	odd, strange := &pile[oddity]{all: odditiesOf(cfg.Odd)}, rand.New(rand.NewPCG(cfg.Seed, 2)) //nolint:gosec // repeatable
	for result.Rounds < cfg.Rounds && !result.Tally.Bad() && err == nil {
		result.Rounds++
		r := &round{bed: b, n: result.Rounds, random: random, kills: kills, stops: stops, cuts: cuts}
		if err = r.beOdd(odd, strange); err == nil {
			err = r.run(ctx, cards.draw(order), besides.draw(order), &result)
		}
	}
	if err == nil && !result.Tally.Bad() {
		err = b.heals(ctx)
		result.Tally.Unhealed = int(b.unhealed.Load())
	}
	result.Points = b.points()
	return result, err
}

func shuffled[T any](random *rand.Rand, all []T) []T {
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// run runs the round and writes its line.
func (r *round) run(ctx context.Context, disturb disturbance, beside side, result *Result) error {
	began := time.Now()
	if r.random.IntN(2) == 0 {
		if err := r.trouble(); err != nil {
			return err
		}
	}
	r.tell("%s", beside.name)
	var traffic errgroup.Group
	r.start = sync.OnceFunc(func() {
		random := rand.New(rand.NewPCG(r.cfg.Seed, 1<<32|uint64(r.n))) //nolint:gosec // repeatable
		traffic.Go(func() error { return r.traffic(ctx, r.n) })
		traffic.Go(func() error { return beside.do(r, ctx, random) })
	})
	err := disturb(r, ctx)
	if err == nil {
		r.start()
		err = traffic.Wait()
	}
	r.heal()
	restless := false
	if err == nil {
		restless, err = r.quiet(ctx)
	}
	if err == nil {
		err = r.converges(ctx)
	}
	for _, v := range r.replicas {
		if err == nil && v.gone() {
			err = fmt.Errorf("crash: %s ended by itself, log %s", v.name, v.log)
		}
	}
	if err != nil {
		return fmt.Errorf("round %d (%s): %w", r.n, strings.Join(r.told, ", "), err) // what was not sent is not missing
	}
	before := result.Tally
	result.Tally = r.count()
	if restless {
		result.Tally.Restless = 1 // it is the last round
	}
	r.line(before, result.Tally, time.Since(began))
	if result.Tally.Bad() {
		for _, field := range r.book.Diverging(r.rows()) {
			fmt.Fprintln(r.cfg.Out, "diverged:", field)
		}
		for _, shown := range r.book.Idle() {
			fmt.Fprintln(r.cfg.Out, "an update that changes nothing:", shown)
		}
		return r.dump()
	}
	return nil
}

// dump leaves what the replicas are at in their logs, for whoever looks for the fault. It is the end of them.
func (b *bed) dump() error {
	var errs []error
	for _, v := range b.replicas {
		errs = append(errs, v.dump())
	}
	return errors.Join(errs...)
}

// line tells of the round: what came in it, and what is bad so far.
func (r *round) line(before, now Tally, took time.Duration) {
	verdict := "ok"
	if now.Bad() {
		verdict = "BAD"
	}
	fmt.Fprintf(r.cfg.Out, "round %3d  %4.1fs  webhooks %3d  events %3d  commands %2d  calls %2d  effects %2d  %-3s  %s\n", r.n, took.Seconds(),
		now.Webhooks-before.Webhooks, now.Events-before.Events, now.Commands-before.Commands, now.Calls-before.Calls, now.Effects-before.Effects,
		verdict, strings.Join(r.told, ", "))
}

// points counts what the replicas and the backfills passed.
func (b *bed) points() map[string]PointCount {
	counts := map[string]PointCount{}
	for _, name := range Points() {
		counts[name] = PointCount{}
	}
	backfills, _ := os.ReadFile(b.backfillLog()) // there may have been none
	logs := [][]byte{backfills}
	for _, r := range b.replicas {
		logs = append(logs, r.passed())
	}
	for _, log := range logs {
		for line := range strings.Lines(string(log)) {
			name, fired := strings.CutPrefix(strings.TrimSpace(line), "!")
			count := counts[name]
			count.Hits++
			if fired {
				count.Fired++
			}
			counts[name] = count
		}
	}
	return counts
}

// Unreached are the failpoints that were never passed.
func (r Result) Unreached() (names []string) {
	for name, count := range r.Points {
		if count.Hits == 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
