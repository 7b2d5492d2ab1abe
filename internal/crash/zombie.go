package crash

import (
	"context"
	"fmt"
	"os"
	"time"
)

const (
	// givenUpLeast and givenUpMost are about how long the group waits for a heartbeat before it moves on.
	givenUpLeast = 2 * time.Second
	givenUpMost  = 4 * time.Second
	// zombieFor is how long a replica then works on. With it all is less than the client takes to give its heartbeat up.
	zombieFor = 4 * time.Second
)

// mute lets nothing of a replica's heartbeats reach the broker, and all else: the group gives its partitions to the other
// one while it works on and has not been told. What it must not do, only the fence can keep it from.
func (r *round) mute(ctx context.Context) error {
	v := r.victim()
	r.tell("the group does not hear %s", v.name)
	if err := os.WriteFile(v.muted(), nil, 0o644); err != nil {
		return fmt.Errorf("crash: %s: %w", v.name, err)
	}
	waited := r.within(ctx, givenUpLeast, givenUpMost)
	r.start()
	if waited == nil {
		waited = wait(ctx, zombieFor)
	}
	if err := os.Remove(v.muted()); err != nil {
		return fmt.Errorf("crash: %s: %w", v.name, err)
	}
	return waited
}

// blackOut kills the broker, then a replica that waits for it, and brings both back.
func (r *round) blackOut(ctx context.Context) error {
	v := r.victim()
	r.tell("kill -9 the broker, then %s", v.name)
	r.start()
	if err := r.within(ctx, 0, time.Second); err != nil {
		return err
	}
	if err := r.parts.Kafka.Kill(); err != nil {
		return err
	}
	if err := r.within(ctx, 0, 2*time.Second); err != nil {
		return err
	}
	v.kill()
	if err := v.launch(ctx, ""); err != nil {
		return err
	}
	return r.parts.Kafka.Restart(ctx)
}
