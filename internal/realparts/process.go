package realparts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	// startTimeout bounds a start; a part needs 4 to 8 s on two idle cores, and these may be busy compiling.
	startTimeout = 90 * time.Second
	// stopTimeout bounds an orderly stop, which takes a second or two.
	stopTimeout = 30 * time.Second
	// pollEvery is how often a starting part is asked whether it is ready.
	pollEvery = 50 * time.Millisecond
	// tailBytes of a log are enough to see why a part ended.
	tailBytes = 2_000
)

// process is one Java program of ours, running or ended.
type process struct {
	name  string
	log   string // its output, appended to over restarts
	cmd   *exec.Cmd
	guard *exec.Cmd
	ended chan struct{} // closed once the program has ended and was reaped
}

// launch starts java in dir, its output going to dir/name.log.
func launch(ctx context.Context, name, dir, java string, args ...string) (*process, error) {
	log := filepath.Join(dir, name+".log")
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("realparts: %s: %w", name, err)
	}
	defer out.Close() // the program has its own copy
	// The context bounds the start alone: a part outlives the call that started it.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), java, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	// A group of its own, so that Ctrl-C reaches us only and the order of stopping is ours.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("realparts: %s: %w", name, err)
	}
	p := &process{name: name, log: log, cmd: cmd, ended: make(chan struct{})}
	if err := p.guardIt(ctx); err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	go p.reap()
	return p, nil
}

// guardIt leaves a shell behind that kills the program if we are gone without having done so: a test binary that
// panics or times out runs no cleanup, and a forgotten broker holds half a gigabyte. The shell waits for the end of its
// input, whose other end only we hold.
func (p *process) guardIt(ctx context.Context) error {
	pid := strconv.Itoa(p.cmd.Process.Pid)
	p.guard = exec.CommandContext(context.WithoutCancel(ctx), "/bin/sh", "-c", `read -r _; kill -9 "$1"`, "guard", pid)
	p.guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if _, err := p.guard.StdinPipe(); err != nil {
		return fmt.Errorf("realparts: %s: guard: %w", p.name, err)
	}
	if err := p.guard.Start(); err != nil {
		return fmt.Errorf("realparts: %s: guard: %w", p.name, err)
	}
	return nil
}

// finish waits for a program that ends by itself.
func (p *process) finish(ctx context.Context) error {
	select {
	case <-p.ended:
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("realparts: %s: %w", p.name, ctx.Err()), p.kill())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("realparts: %s: exit status %d, log %s: …%s", p.name, code, p.log, p.tail())
	}
	return nil
}

// reap waits for the program, and calls its guard off before the pid can belong to somebody else. How the program
// ended is no error of ours: who asked it to end knows, and who did not sees it in the log.
func (p *process) reap() {
	_ = p.cmd.Wait()
	_ = p.guard.Process.Kill()
	_ = p.guard.Wait()
	close(p.ended)
}

// until waits for ready to return nil. It gives up when the program ends, and when ctx or startTimeout does; the error
// then ends with the log's last lines. The program is killed when it gives up.
func (p *process) until(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("realparts: %s ended while starting, log %s: …%s", p.name, p.log, p.tail())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("realparts: %s is not ready: %w, log %s: …%s", p.name, err, p.log, p.tail()), p.kill())
		case <-tick.C:
		}
	}
}

// stop asks the program to end in order and waits; past stopTimeout it kills and says so.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("realparts: stop %s: %w", p.name, err)
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("realparts: %s did not stop within %s, log %s", p.name, stopTimeout, p.log), p.kill())
	}
}

// kill ends the program as a power cut would and waits until it is gone.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("realparts: kill %s: %w", p.name, err)
	}
	<-p.ended
	return nil
}

// tail is the end of the log, best effort: it decorates an error.
func (p *process) tail() []byte {
	f, err := os.Open(p.log)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > tailBytes {
		_, _ = f.Seek(-tailBytes, io.SeekEnd)
	}
	text, _ := io.ReadAll(f)
	return bytes.TrimSpace(text)
}
