//go:build real

package e2e_test

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// limited is what the test counted and measured.
type limited struct {
	world     limitedWorld
	sent      []time.Time // when each reply was
	parts     []*limitedPart
	windows   int // penalty windows begun
	intruders []intruder
	opened    []opening
	ended     int // commands that have their result
	failed    int // those that did not succeed
}

// limitedPart is one part of the run.
type limitedPart struct {
	name        string
	from, until time.Time
	exhausted   bool // windows were brought about
	calls       int
	replies     int
	latencies   []time.Duration // of the replies sent in it
}

// intruder is a call inside a penalty window.
type intruder struct {
	what  string
	after time.Duration // the 429 that opened the window, or began it anew
}

func (i intruder) String() string { return fmt.Sprintf("%s %s after the 429", i.what, i.after) }

// opening is the first 429 of a window.
type opening struct {
	what string
	at   time.Time
}

// part lets a part of the run pass while do goes on.
func (l *limited) part(name string, d time.Duration, do func(stop <-chan struct{})) {
	p := &limitedPart{name: name, from: time.Now(), exhausted: do != nil}
	l.parts = append(l.parts, p)
	stop := make(chan struct{})
	var running sync.WaitGroup
	if do != nil {
		running.Go(func() { do(stop) })
	}
	time.Sleep(d)
	close(stop)
	running.Wait()
	if do != nil {
		time.Sleep(penalty + 2*time.Second) // what was exhausted last, and its margin
	}
	p.until = time.Now()
}

func (l *limited) of(name string) *limitedPart {
	return l.parts[slices.IndexFunc(l.parts, func(p *limitedPart) bool { return p.name == name })]
}

func (l *limited) at(at time.Time) *limitedPart {
	for _, p := range l.parts {
		if !at.Before(p.from) && at.Before(p.until) {
			return p
		}
	}
	return &limitedPart{}
}

// latency returns what a part of the replies took at most, from the command to its result.
func (p *limitedPart) latency(part float64) time.Duration {
	if len(p.latencies) == 0 {
		return 0
	}
	return p.latencies[int(part*float64(len(p.latencies)-1))]
}

// count reads the call log and the results, anew each time.
func (l *limited) count() {
	l.windows, l.intruders, l.opened, l.ended, l.failed = 0, nil, nil, 0, 0
	for _, p := range l.parts {
		p.calls, p.replies, p.latencies = 0, 0, nil
	}
	closed := map[string]time.Time{}
	last := map[string]time.Time{}
	for _, c := range l.world.box.Calls() {
		l.at(c.At).calls++
		budget := cmp.Or(c.RateGroup, "engage")
		if strings.HasPrefix(c.Path, "/restapi/oauth") {
			budget = "auth"
		}
		if c.At.Before(closed[budget]) {
			l.intruders = append(l.intruders, intruder{budget + " " + c.Route, c.At.Sub(last[budget])})
		} else if c.Status == http.StatusTooManyRequests {
			l.windows++
			l.opened = append(l.opened, opening{budget + " " + c.Route, c.At})
		}
		if c.Status == http.StatusTooManyRequests {
			last[budget], closed[budget] = c.At, c.At.Add(penalty)
		}
	}
	l.replies()
}

func (l *limited) replies() {
	for id, results := range l.world.results() {
		n, _ := strconv.Atoi(strings.TrimPrefix(id, "reply-"))
		issued := l.sent[n]
		p := l.at(issued)
		l.ended++
		p.replies++
		p.latencies = append(p.latencies, results[0].At.Sub(issued))
		if results[0].State != schemas.ReplyStateSucceeded {
			l.failed++
		}
	}
	for _, p := range l.parts {
		slices.Sort(p.latencies)
	}
}

// unasked lists the windows that came by themselves: a limit was not kept.
func (l *limited) unasked() (all []opening) {
	for _, o := range l.opened {
		if !l.at(o.at).exhausted {
			all = append(all, o)
		}
	}
	return all
}

// String is a table.
func (l *limited) String() string {
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) {
		for _, cell := range cells {
			fmt.Fprintf(table, "%v\t", cell)
		}
		fmt.Fprintln(table)
	}
	row("part", "seconds", "calls", "replies", "latency median, ms", "p90", "most")
	for _, p := range l.parts {
		row(p.name, int(p.until.Sub(p.from).Seconds()), p.calls, p.replies, p.latency(0.5).Milliseconds(), p.latency(0.9).Milliseconds(), p.latency(1).Milliseconds())
	}
	_ = table.Flush()
	rates := l.world.box.Platform().Rates()
	row("windows", "calls inside", "latest, ms after the 429", "light crossed", "light offenders", "medium crossed", "medium offenders")
	var latest time.Duration
	for _, i := range l.intruders {
		latest = max(latest, i.after)
	}
	light, medium := rates[sandbox.GroupLight], rates[sandbox.GroupMedium]
	row(l.windows, len(l.intruders), latest.Milliseconds(), light.Crossed, light.Offender, medium.Crossed, medium.Offender)
	_ = table.Flush()
	for _, i := range l.intruders {
		fmt.Fprintln(&out, "inside:", i)
	}
	return out.String()
}
