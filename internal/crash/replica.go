package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/ringbridge/ringbridge/internal/realparts"
)

const (
	// stopBound is the program's SHUTDOWN_TIMEOUT, and some.
	stopBound = 20 * time.Second
	// readyBound is more than a start takes on a busy machine, with a group that waits for a dead member.
	readyBound = time.Minute
	// tick is how often a condition is looked at.
	tick = 100 * time.Millisecond
)

// A replica is one process of the program, and its successors at the same addresses.
type replica struct {
	name          string
	binary, off   string   // off: the safeguard that is left out
	public, admin string   // host:port
	env           []string // of every start
	log           string   // output of all starts
	points        string   // failpoints passed, of all starts

	cmd    *exec.Cmd
	ended  chan struct{}
	since  int64 // size of points at the start
	before int   // size of log then
}

func newReplica(ctx context.Context, n int, cfg Config) (*replica, error) {
	public, err := realparts.FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	admin, err := realparts.FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	r := &replica{name: fmt.Sprintf("replica-%d", n), binary: cfg.Binary, off: cfg.Off, public: public, admin: admin}
	r.log, r.points = filepath.Join(cfg.Dir, r.name+".log"), filepath.Join(cfg.Dir, r.name+".points")
	return r, nil
}

// environ is what of the environment is the replica's own.
func (r *replica) environ() []string {
	return []string{
		"HTTP_ADDR=" + r.public, "ADMIN_ADDR=" + r.admin, "RINGBRIDGE_FAILPOINT_LOG=" + r.points, "RINGBRIDGE_FAILPOINT_OFF=" + r.off,
		"RINGBRIDGE_FAILPOINT_MUTE=" + r.muted(),
	}
}

// launch starts the process, with a failpoint armed where spec is not "". ctx ends it by force.
func (r *replica) launch(ctx context.Context, spec string) error {
	return r.launchWith(ctx, "RINGBRIDGE_FAILPOINT="+spec)
}

// launchWith starts the process with more in its environment.
func (r *replica) launchWith(ctx context.Context, env ...string) error {
	log, err := os.OpenFile(r.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("crash: %s: %w", r.name, err)
	}
	defer log.Close() // the process has its own
	r.since, r.before = int64(len(r.passed())), len(r.logged())
	r.cmd = exec.CommandContext(ctx, r.binary, "run")
	r.cmd.Env = append(slices.Clip(r.env), env...)
	r.cmd.Stdout, r.cmd.Stderr = log, log
	// Ctrl-C is ours to handle: the process goes when ctx does.
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.cmd.Start(); err != nil {
		return fmt.Errorf("crash: %s: %w", r.name, err)
	}
	ended := make(chan struct{})
	r.ended = ended
	cmd := r.cmd
	go func() {
		_ = cmd.Wait() // how it ended is asked of ProcessState
		close(ended)
	}()
	return nil
}

// muted is the file that keeps the replica's heartbeats from the broker.
func (r *replica) muted() string { return r.points + ".mute" }

// passed is the log of failpoints.
func (r *replica) passed() []byte {
	text, _ := os.ReadFile(r.points) // none before the first start
	return text
}

// fired tells whether the armed failpoint of this start did.
func (r *replica) fired() bool {
	return bytes.Contains(r.passed()[r.since:], []byte("!"))
}

// ready waits until the process can do its work, has ended, or its failpoint has fired.
func (r *replica) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyBound)
	defer cancel()
	return until(ctx, r.name+" is not ready", func() bool { return r.gone() || r.fired() || r.isReady(ctx) })
}

// isReady tells whether all stages run. With a spool /readyz is 200 before that.
func (r *replica) isReady(ctx context.Context) bool {
	text := r.logged()
	running := bytes.LastIndex(text, []byte(`"msg":"running"`)) > bytes.LastIndex(text, []byte(`"msg":"starting"`))
	return running && r.takes(ctx)
}

// takes tells whether /readyz is 200.
func (r *replica) takes(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.admin+"/readyz", nil)
	if err != nil {
		return false
	}
	client := http.Client{Timeout: time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func (r *replica) gone() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// kill ends the process as a power cut does. One that is gone already is no error.
func (r *replica) kill() {
	_ = r.cmd.Process.Kill()
	<-r.ended
}

// stop ends the process in order, and returns an error if it did not end well or in time.
func (r *replica) stop() error {
	if err := r.begins(); err != nil {
		return err
	}
	if err := r.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-r.ended:
	case <-time.After(stopBound):
		r.kill()
		return fmt.Errorf("crash: %s was still running %s after SIGTERM", r.name, stopBound)
	}
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("crash: %s ended with status %d after SIGTERM", r.name, code)
	}
	return nil
}

// dump ends the process with what each of its goroutines is at in its log.
func (r *replica) dump() error {
	if err := r.signal(syscall.SIGQUIT); err != nil {
		return err
	}
	select {
	case <-r.ended:
		return nil
	case <-time.After(stopBound):
		return fmt.Errorf("crash: %s was still running %s after SIGQUIT", r.name, stopBound)
	}
}

// begins waits until the process heeds signals, as it does by its first line of log, or has ended. Before that a signal would
// end it as it ends any process.
func (r *replica) begins() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyBound)
	defer cancel()
	return until(ctx, r.name+" does not begin", func() bool { return r.gone() || len(r.logged()) > r.before })
}

// logged is the output of all starts.
func (r *replica) logged() []byte {
	text, _ := os.ReadFile(r.log) // none before the first start
	return text
}

func (r *replica) signal(s syscall.Signal) error {
	if err := r.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("crash: signal %s: %w", r.name, err)
	}
	return nil
}

// until waits for a condition, or returns an error that says what did not come.
func until(ctx context.Context, what string, holds func() bool) error {
	for !holds() {
		if err := wait(ctx, tick); err != nil {
			return fmt.Errorf("crash: %s: %w", what, err)
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
