package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const (
	// reachBound is how long an armed failpoint may take to fire; traffic lasts less.
	reachBound = 5 * time.Second
	// frozenLeast and frozenMost are how long a process is frozen: longer than the group's session time-out (2.5 s,
	// hastened), and in part longer than a successor takes to look an effect up and to send again.
	frozenLeast = 5 * time.Second
	frozenMost  = 12 * time.Second
	// cutOff is how long the registry is down.
	cutOff = 3 * time.Second
	// lookedUp is passed only where a call's outcome is not known.
	lookedUp = "consume/looked-up"
)

// A round is one piece of traffic and what is done to it.
type round struct {
	*bed
	n      int
	random *rand.Rand
	kills  *pile[string] // of points to be killed at
	stops  *pile[string] // of points to be frozen at
	cuts   *pile[string] // of points to cut the power at
	start  func()        // starts the traffic; a second call does nothing
	told   []string      // what was done, for the table
}

// A disturbance does its harm and mends it.
type disturbance func(*round, context.Context) error

// deck holds the disturbances of some dozen rounds. It is shuffled, so that the seed decides their order and not how often
// each comes.
func deck() []disturbance {
	return []disturbance{
		(*round).killAtPoint, (*round).killAtPoint, (*round).killAtPoint,
		(*round).freezeAtPoint, (*round).freezeAtPoint, (*round).freezeAtPoint, (*round).freezeAtPoint,
		(*round).kill, (*round).freeze, (*round).mute, (*round).restart, (*round).breakBroker, (*round).blackOut, (*round).cutRegistry,
		(*round).stepClock, (*round).stepClock,
	}
}

// A pile is used up in a random order before it is shuffled again, so that nothing is left out for long.
type pile[T any] struct{ all, left []T }

func (p *pile[T]) draw(random *rand.Rand) T {
	if len(p.left) == 0 {
		p.left = shuffled(random, slices.Clone(p.all))
	}
	drawn := p.left[0]
	p.left = p.left[1:]
	return drawn
}

func (r *round) tell(format string, args ...any) {
	r.told = append(r.told, fmt.Sprintf(format, args...))
}

func (r *round) victim() *replica { return r.replicas[r.random.IntN(replicas)] }

// within waits for a random time.
func (r *round) within(ctx context.Context, least, most time.Duration) error {
	return wait(ctx, least+time.Duration(r.random.Int64N(int64(most-least))))
}

// kill ends a replica anywhere, and starts it again.
func (r *round) kill(ctx context.Context) error {
	v := r.victim()
	r.tell("kill -9 %s", v.name)
	r.start()
	if err := r.within(ctx, 0, 2500*time.Millisecond); err != nil {
		return err
	}
	v.kill()
	if err := r.within(ctx, 0, time.Second); err != nil {
		return err
	}
	return v.launch(ctx, "")
}

// arm starts a replica anew with a failpoint, and waits until the traffic has brought it there.
func (r *round) arm(ctx context.Context, point, action string) (v *replica, fired bool, err error) {
	v = r.victim()
	nth := 1 + r.random.IntN(5)
	if strings.HasPrefix(point, "poll/") || point == lookedUp {
		nth = 1 + r.random.IntN(2) // seldom passed
	}
	if strings.HasPrefix(point, subscribePrefix) {
		nth = 1
	}
	if point == lookedUp {
		if err := r.spoil("resets after the effect", sandbox.Fault{Reset: "after"}); err != nil {
			return v, false, err
		}
	}
	r.tell("%s %s at %s (%d)", action, v.name, point, nth)
	if err := v.stop(); err != nil {
		return v, false, err
	}
	if err := v.launch(ctx, fmt.Sprintf("%s:%d:%s", point, nth, action)); err != nil {
		return v, false, err
	}
	if err := v.ready(ctx); err != nil {
		return v, false, err
	}
	r.start()
	if strings.HasPrefix(point, subscribePrefix) {
		if err := r.handOver(ctx, v); err != nil {
			return v, false, err
		}
	}
	deadline := time.Now().Add(reachBound)
	err = until(ctx, v.name, func() bool { return v.fired() || time.Now().After(deadline) })
	fired = v.fired()
	if !fired {
		r.tell("not reached")
	}
	return v, fired, err
}

// handOver breaks the subscription and leaves it to a replica, which looks at what it is left.
func (r *round) handOver(ctx context.Context, to *replica) error {
	if err := r.breakEach(func(id string) error { return r.box.Platform().BlacklistSubscription(id, "crash") }); err != nil {
		return err
	}
	for _, v := range r.replicas {
		if v == to {
			continue
		}
		if err := v.stop(); err != nil {
			return err
		}
		if err := v.launch(ctx, ""); err != nil {
			return err
		}
	}
	return nil
}

// killAtPoint lets a replica die between two steps.
func (r *round) killAtPoint(ctx context.Context) error {
	point := r.kills.draw(r.random)
	if strings.HasPrefix(point, spoolPrefix) {
		return r.killSpooling(ctx, point)
	}
	v, _, err := r.arm(ctx, point, "kill")
	if err != nil {
		return err
	}
	v.kill() // where the point was not reached
	if err := r.within(ctx, 0, time.Second); err != nil {
		return err
	}
	return v.launch(ctx, "")
}

// freezeAtPoint lets a replica stand still between two steps while the group moves on.
func (r *round) freezeAtPoint(ctx context.Context) error {
	v, fired, err := r.arm(ctx, r.stops.draw(r.random), "stop")
	switch {
	case err != nil:
		return err
	case fired:
		return r.thaw(ctx, v)
	}
	v.kill() // it could still fire, with nobody there to thaw it
	return v.launch(ctx, "")
}

// freeze stops a replica anywhere.
func (r *round) freeze(ctx context.Context) error {
	v := r.victim()
	r.tell("freeze %s", v.name)
	r.start()
	if err := r.within(ctx, 0, 2*time.Second); err != nil {
		return err
	}
	if err := v.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return r.thaw(ctx, v)
}

func (r *round) thaw(ctx context.Context, v *replica) error {
	waited := r.within(ctx, frozenLeast, frozenMost)
	if err := v.signal(syscall.SIGCONT); err != nil {
		return err
	}
	return waited
}

// restart stops a replica in order and starts it again.
func (r *round) restart(ctx context.Context) error {
	v := r.victim()
	r.tell("restart %s", v.name)
	r.start()
	if err := r.within(ctx, 0, 2500*time.Millisecond); err != nil {
		return err
	}
	if err := v.stop(); err != nil {
		return err
	}
	return v.launch(ctx, "")
}

// breakBroker kills the broker and starts it again on its data.
func (r *round) breakBroker(ctx context.Context) error {
	r.tell("kill -9 the broker")
	r.start()
	if err := r.within(ctx, 0, 2*time.Second); err != nil {
		return err
	}
	if err := r.parts.Kafka.Kill(); err != nil {
		return err
	}
	return r.parts.Kafka.Restart(ctx)
}

// cutRegistry takes the registry away, from a replica that has just begun above all.
func (r *round) cutRegistry(ctx context.Context) error {
	v := r.victim()
	r.tell("no registry, kill -9 %s", v.name)
	r.start()
	r.proxy.down.Store(true)
	defer r.proxy.down.Store(false)
	if err := r.within(ctx, 0, time.Second); err != nil {
		return err
	}
	v.kill()
	if err := v.launch(ctx, ""); err != nil {
		return err
	}
	return wait(ctx, cutOff)
}

// trouble lets the API spoil some of the calls that make replies.
func (r *round) trouble() error {
	kinds := []struct {
		name  string
		fault sandbox.Fault
	}{
		{"hangs", sandbox.Fault{Hang: true}},
		{"hangs after the effect", sandbox.Fault{Hang: true, AfterEffect: true}},
		{"resets", sandbox.Fault{Reset: "before"}},
		{"resets after the effect", sandbox.Fault{Reset: "after"}},
		{"says 500", sandbox.Fault{Status: 500}},
		{"says 500 after the effect", sandbox.Fault{Status: 500, AfterEffect: true}},
		{"says 429", sandbox.Fault{Status: 429, RetryAfter: "1"}},
		{"is late", sandbox.Fault{Delay: sandbox.Duration(callTimeout + 500*time.Millisecond)}},
	}
	kind := kinds[r.random.IntN(len(kinds))]
	return r.spoil(kind.name, kind.fault)
}

// effectRoutes are the calls that have an effect.
func effectRoutes() []string {
	const store = "/restapi/v1.0/account/{account}/extension/{extension}"
	return []string{
		"POST /1.0/contents", "POST /cx/social-messaging/v1/contents", "POST " + store + "/sms", "PUT " + store + "/message-store/{id}",
		"DELETE " + store + "/message-store/{id}",
	}
}

// spoil adds a fault for some of the calls.
func (r *round) spoil(name string, fault sandbox.Fault) error {
	fault.Rate = 0.1 + 0.3*r.random.Float64()
	for _, fault.Route = range effectRoutes() {
		if _, err := r.box.AddFault(fault); err != nil {
			return fmt.Errorf("crash: %w", err)
		}
	}
	r.tell("API %s", name)
	return nil
}
