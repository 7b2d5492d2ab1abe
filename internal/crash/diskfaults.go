package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	// anywhere is no failpoint.
	anywhere = "any time"
	// fillBound is how long a spool may take to have something: the broker has a second for each webhook first, and it
	// may be that none comes.
	fillBound = 4 * time.Second
	// drainBound is how long a spool may take to begin to drain: the client looks for the broker every few seconds.
	drainBound = 20 * time.Second
	// fullLeast and fullMost are how long a disk is full.
	fullLeast = time.Second
	fullMost  = 3 * time.Second
)

// diskDeck holds the disturbances of the spools' disks.
func diskDeck() []disturbance {
	return []disturbance{(*round).powerCut, (*round).powerCut, (*round).diskFull}
}

// killSpooling lets a replica die between two steps of its spool.
func (r *round) killSpooling(ctx context.Context, point string) error {
	v := r.victim()
	o := &outage{round: r, v: v, end: func() error {
		v.kill() // where the point was not reached
		return nil
	}}
	return o.run(ctx, "kill", point)
}

// powerCut lets a replica die, there or at any time while it spools, and takes from its disk what was not fsynced.
func (r *round) powerCut(ctx context.Context) error {
	v := r.victim()
	o := &outage{round: r, v: v, end: func() error {
		v.kill()
		lost, err := v.disk().cut(rand.New(rand.NewPCG(r.random.Uint64(), 0))) //nolint:gosec // repeatable, however much it draws
		r.tell("%d bytes lost", lost)
		return err
	}}
	return o.run(ctx, "cut the power of", r.cuts.draw(r.random))
}

// An outage is one of the broker, in which a replica that spools comes to its end.
type outage struct {
	*round
	v    *replica
	end  func() error // of the replica, whatever has become of it
	down bool         // the broker is
}

// run takes the broker away, ends the replica, and starts both again, in any order. While the broker is away the replica
// may spool and end a second time.
func (o *outage) run(ctx context.Context, what, point string) error {
	nth := 1
	if point == "spool/written" || point == "spool/synced" {
		nth = 1 + o.random.IntN(5) // the others are seldom passed
	}
	o.tell("no broker, %s %s at %s (%d)", what, o.v.name, point, nth)
	if err := o.reach(ctx, point, fmt.Sprintf("%s:%d:kill", point, nth)); err != nil {
		return err
	}
	if err := o.end(); err != nil {
		return err
	}
	if o.down && o.random.IntN(2) == 0 {
		if err := o.again(ctx); err != nil {
			return err
		}
	}
	if err := o.mend(ctx); err != nil {
		return err
	}
	if o.v.gone() {
		return o.v.launch(ctx, "")
	}
	return nil
}

// reach brings the replica to the point.
func (o *outage) reach(ctx context.Context, point, spec string) error {
	if err := o.v.stop(); err != nil {
		return err
	}
	if err := o.v.launch(ctx, spec); err != nil {
		return err
	}
	if err := o.v.ready(ctx); err != nil {
		return err
	}
	if err := o.breakOff(ctx); err != nil {
		return err
	}
	if err := o.fill(ctx); err != nil {
		return err
	}
	bound := reachBound
	switch point {
	case anywhere:
		return o.within(ctx, 0, 2*time.Second)
	case "spool/recovered":
		if err := o.end(); err != nil {
			return err
		}
		if err := o.v.launch(ctx, spec); err != nil {
			return err
		}
	case "spool/delivered", "spool/drained", "spool/deleted":
		if err := o.mend(ctx); err != nil {
			return err
		}
		bound = drainBound
	}
	return o.fires(ctx, bound)
}

// breakOff takes the broker away from the traffic.
func (o *outage) breakOff(ctx context.Context) error {
	o.start()
	if err := o.within(ctx, 0, time.Second); err != nil {
		return err
	}
	o.down = true
	return o.parts.Kafka.Kill()
}

// fill waits until the replica's spool has something.
func (o *outage) fill(ctx context.Context) error {
	deadline := time.Now().Add(fillBound)
	return until(ctx, o.v.name, func() bool { return o.v.fired() || o.v.disk().holds() || time.Now().After(deadline) })
}

// fires waits until the failpoint has fired.
func (o *outage) fires(ctx context.Context, bound time.Duration) error {
	deadline := time.Now().Add(bound)
	err := until(ctx, o.v.name, func() bool { return o.v.fired() || time.Now().After(deadline) })
	if !o.v.fired() {
		o.tell("not reached")
	}
	return err
}

// again starts the replica while the broker is away. It must be ready: webhooks have a way in.
func (o *outage) again(ctx context.Context) error {
	o.tell("start it without a broker")
	if err := o.v.launch(ctx, ""); err != nil {
		return err
	}
	if err := o.v.takesAgain(ctx); err != nil {
		return err
	}
	if err := o.within(ctx, 0, 2*time.Second); err != nil {
		return err
	}
	if o.random.IntN(2) == 0 {
		o.tell("and again")
		return o.end()
	}
	return nil
}

// takesAgain waits until webhooks have a way in, the broker being away.
func (r *replica) takesAgain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyBound)
	defer cancel()
	return until(ctx, r.name+" takes no webhooks", func() bool { return r.gone() || r.takes(ctx) })
}

// mend starts the broker again, once.
func (o *outage) mend(ctx context.Context) error {
	if !o.down {
		return nil
	}
	o.down = false
	return o.parts.Kafka.Restart(ctx)
}

// diskFull takes the broker away, and the room on one disk or on both for a part of the outage. Webhooks must be refused
// meanwhile, and be taken again before the broker is back.
func (r *round) diskFull(ctx context.Context) error {
	o := &outage{round: r, v: r.victim()}
	full := []*replica{o.v}
	if r.random.IntN(2) == 0 {
		full = slices.Clone(r.replicas)
	}
	call := Failures()[r.random.IntN(len(Failures()))]
	r.tell("no broker, no room on %d disks (%s)", len(full), call)
	if err := o.breakOff(ctx); err != nil {
		return err
	}
	if call == "spool/write" || call == "spool/sync" { // the others are made for a new segment alone
		if err := o.fill(ctx); err != nil {
			return err
		}
	}
	before := r.refused.Load()
	if err := r.fillUp(ctx, full, call); err != nil {
		return err
	}
	for _, v := range full {
		if err := v.takesAgain(ctx); err != nil {
			return err
		}
	}
	r.tell("%d refused", r.refused.Load()-before)
	if err := r.within(ctx, 0, time.Second); err != nil {
		return err
	}
	return o.mend(ctx)
}

// fillUp takes the room on the disks for a while.
func (r *round) fillUp(ctx context.Context, full []*replica, call string) error {
	r.full.Store(true)
	defer r.full.Store(false)
	var errs []error
	for _, v := range full {
		errs = append(errs, v.disk().fail(call))
	}
	errs = append(errs, r.within(ctx, fullLeast, fullMost))
	for _, v := range full {
		errs = append(errs, v.disk().mend())
	}
	return errors.Join(errs...)
}
