package crash

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// stepMost is how far a clock is off. A broker takes no record from one that is an hour ahead, so such a replica
	// does no work, and spoils none.
	stepMost = 50 * time.Minute
	// settleClock is how long a replica works after its clock has stepped, until it dies.
	settleClock = 2 * time.Second
)

//go:embed step.go.txt
var stepSource string

// overlay writes what `go build -overlay` takes to give the program a clock that can step: its standard library's
// time.Now adds what the environment says. So every line that asks for the time is told the wrong one, those of the
// program's libraries too, while time-outs and tickers go on as they do on a real machine.
func overlay(ctx context.Context, dir string) (path string, err error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("crash: clock: %w", err)
	}
	original := filepath.Join(strings.TrimSpace(string(out)), "src", "time", "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		return "", fmt.Errorf("crash: clock: %w", err)
	}
	const asked = "\tsec, nsec, mono := runtimeNow()\n"
	head, tail, found := strings.Cut(string(source), "func Now() Time {\n"+asked)
	if !found {
		return "", fmt.Errorf("crash: clock: time.Now in %s is not what it was: see clock.go", original)
	}
	files := map[string]string{
		original: head + "func Now() Time {\n" + asked + "\tsec += clockStep(mono)\n" + tail,
		filepath.Join(filepath.Dir(original), "clockstep.go"): stepSource,
	}
	replace := map[string]string{}
	for target, text := range files {
		replace[target] = filepath.Join(dir, "overlay-"+filepath.Base(target))
		if err := os.WriteFile(replace[target], []byte(text), 0o644); err != nil {
			return "", fmt.Errorf("crash: clock: %w", err)
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("crash: clock: %w", err)
	}
	path = filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, list, 0o644)
}

// stepClock lets a replica's clock step while it works, and lets it die, so that another must make sense of what it left.
func (r *round) stepClock(ctx context.Context) error {
	v := r.victim()
	step := time.Duration(r.random.Int64N(int64(2*stepMost))) - stepMost
	after := time.Duration(r.random.Int64N(int64(2 * time.Second)))
	r.tell("clock of %s steps by %s", v.name, step.Round(time.Second))
	if err := v.stop(); err != nil {
		return err
	}
	clock := fmt.Sprintf("RINGBRIDGE_FAILPOINT_CLOCK=%d:%d", int(step.Seconds()), after.Milliseconds())
	if err := v.launchWith(ctx, clock); err != nil {
		return err
	}
	if err := v.ready(ctx); err != nil {
		return err
	}
	r.start()
	if err := r.within(ctx, 0, after+settleClock); err != nil {
		return err
	}
	v.kill()
	return v.launch(ctx, "")
}
