package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	// barWidth is short enough for a terminal of 80 columns, with the text behind it.
	barWidth = 24
	// barPause and linePause are how often a bar is drawn anew, and a line written.
	barPause  = 200 * time.Millisecond
	linePause = 15 * time.Second
)

// progress shows how far a long command has got: a bar with rate and time left on a
// terminal, a plain line from time to time elsewhere. It is used by one goroutine.
type progress struct {
	out      io.Writer
	terminal bool
	now      func() time.Time

	begun, shown time.Time
	width        int // of the bar on the screen
}

// newProgress returns what shows progress on out.
func newProgress(out io.Writer) *progress {
	return &progress{out: out, terminal: isTerminal(out), now: time.Now}
}

// isTerminal tells whether a person may be at the stream's other end. /dev/null is
// a device too: what a service has for its input.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// show draws the state, unless the last one was drawn a moment ago. The fraction is 0
// to 1; note says what else there is to know.
func (p *progress) show(name string, fraction float64, rows int, note string) {
	now := p.now()
	if p.begun.IsZero() {
		p.begun = now
	}
	pause := linePause
	if p.terminal {
		pause = barPause
	}
	if !p.shown.IsZero() && now.Sub(p.shown) < pause {
		return
	}
	p.shown = now
	p.draw(p.text(name, fraction, rows, note, now.Sub(p.begun)))
}

func (p *progress) text(name string, fraction float64, rows int, note string, took time.Duration) string {
	var b strings.Builder
	b.WriteString(name)
	if p.terminal {
		done := int(fraction * barWidth)
		b.WriteString(" [" + strings.Repeat("#", done) + strings.Repeat("-", barWidth-done) + "]")
	}
	fmt.Fprintf(&b, " %3.0f %%, %d rows", 100*fraction, rows)
	if seconds := took.Seconds(); rows > 0 && seconds >= 1 {
		fmt.Fprintf(&b, ", %.0f/s", float64(rows)/seconds)
	}
	if left := timeLeft(fraction, took); left > 0 {
		fmt.Fprintf(&b, ", %s left", left)
	}
	if note != "" {
		b.WriteString(", " + note)
	}
	return b.String()
}

// timeLeft guesses from what the work took so far; 0 = too early to tell.
func timeLeft(fraction float64, took time.Duration) time.Duration {
	if fraction < 0.01 || fraction >= 1 || took < time.Second {
		return 0
	}
	left := time.Duration(float64(took) * (1 - fraction) / fraction)
	switch {
	case left > time.Hour:
		return left.Round(time.Minute)
	case left > time.Minute:
		return left.Round(10 * time.Second)
	}
	return max(left.Round(time.Second), time.Second)
}

// draw puts the text over the bar that is there, or on a line of its own.
func (p *progress) draw(text string) {
	if !p.terminal {
		fmt.Fprintln(p.out, text)
		return
	}
	fmt.Fprintf(p.out, "\r%-*s", p.width, text)
	p.width = len(text)
}

// end leaves a last line behind, and begins anew.
func (p *progress) end(line string) {
	if p.terminal && p.width > 0 {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.width))
	}
	fmt.Fprintln(p.out, line)
	p.begun, p.shown, p.width = time.Time{}, time.Time{}, 0
}
