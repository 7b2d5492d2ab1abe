//go:build failpoints

package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Haste divides the time-outs that bound what follows a crash (session, transaction, look-up), all alike: what holds
// between them still does, and a round of the harness takes seconds instead of a minute.
const Haste = 4

// Hit marks a place between two durable steps.
func Hit(name string) { armed().hit(name) }

// Off tells whether a safeguard is to be left out.
func Off(safeguard string) bool { return armed().off == safeguard }

//nolint:gochecknoglobals // read once; what is marked cannot hand anything down
var armed = sync.OnceValue(func() *points {
	p := &points{off: env("OFF"), log: appendTo(env("LOG"))}
	if spec := strings.Split(env(""), ":"); len(spec) == 3 {
		nth, err := strconv.Atoi(spec[1])
		if err != nil || spec[2] != "kill" && spec[2] != "stop" {
			panic("failpoint: want name:nth:kill or name:nth:stop")
		}
		p.name, p.left, p.stop = spec[0], nth, spec[2] == "stop"
	}
	return p
})

func env(suffix string) string {
	if suffix != "" {
		suffix = "_" + suffix
	}
	return os.Getenv("RINGBRIDGE_FAILPOINT" + suffix) //nolint:forbidigo // the program itself is to know nothing of it
}

// points is what a process was told to do.
type points struct {
	off  string
	log  *os.File // nil = none
	name string   // of the point that is armed; "" = none
	stop bool     // freeze, do not die

	mu   sync.Mutex
	left int // passings until it fires
}

func (p *points) hit(name string) {
	if fires := p.pass(name); !fires {
		p.write(name)
		return
	}
	p.write("!" + name)
	signal := syscall.SIGKILL
	if p.stop {
		signal = syscall.SIGSTOP
	}
	if err := syscall.Kill(syscall.Getpid(), signal); err != nil {
		panic(fmt.Sprintf("failpoint: %v", err))
	}
}

func (p *points) pass(name string) (fires bool) {
	if name != p.name {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left--
	return p.left == 0
}

func (p *points) write(line string) {
	if p.log != nil {
		write(p.log, line)
	}
}
