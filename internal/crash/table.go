package crash

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Print writes the counts of both sides and of the failpoints.
func (r Result) Print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) {
		for _, cell := range cells {
			fmt.Fprintf(t, "%v\t", cell)
		}
		fmt.Fprintln(t)
	}
	c := r.Tally
	row("in:", "webhooks acknowledged", "left to polling", "events", "lost", "doubled", "out of order", "changes", "lost", "doubled", "diverged", "idle", "letters", "not healed", "set aside", "refused, disk full")
	row("", c.Webhooks, c.Polled, c.Events, c.Lost, c.DoubledEvents, c.EventDisorder, c.Changes, c.LostChanges, c.DoubledChanges, c.Diverged, c.Idle, c.Letters, c.Unhealed, c.SetAside, c.Refused)
	_ = t.Flush() // as out writes: like fmt.Fprint's
	row("out:", "commands", "calls", "replies", "doubled", "out of order", "success without reply", "no result", "two results", "ambiguous", "other letters", "not quiet", "forgotten by the broker")
	row("", c.Commands, c.Calls, c.Effects, c.DoubledReply, c.ReplyDisorder, c.Unsent, c.NoResult, c.TwoResults, c.Ambiguous, c.GivenUp, c.Restless, c.Hanging)
	_ = t.Flush()
	row("failpoint", "passed", "killed or frozen there")
	for _, name := range Points() {
		row(name, r.Points[name].Hits, r.Points[name].Fired)
	}
	_ = t.Flush()
}
