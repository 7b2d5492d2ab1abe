package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"
)

// maxStuck is how many commands a page shows: the oldest are those to look at.
const maxStuck = 200

// stuckView answers "what is stuck?".
type stuckView struct {
	Starting, NoStage bool
	Commands          []Unfinished
	All               int // commands, shown or not
	Conversations     int
	Doing             []doing
}

// doing counts the commands that are at the same thing.
type doing struct {
	What string
	N    int
}

// Old is how long the command has been there.
func (u Unfinished) Old() time.Duration { return time.Since(u.IssuedAt) }

// Parked tells whether it is put off to a time that has not come.
func (u Unfinished) Parked() bool { return time.Now().Before(u.Next) }

func (c *Console) stuck(w http.ResponseWriter, r *http.Request) {
	data := c.data.Load()
	view := stuckView{Starting: data == nil, NoStage: data != nil && data.Unfinished == nil}
	if data != nil && data.Unfinished != nil {
		all, _ := c.unfinished.get(r.Context())
		view.fill(all)
	}
	c.page(w, r, "stuck", "What is stuck?", view)
}

// readUnfinished is done once for all viewers.
func (c *Console) readUnfinished(context.Context) ([]Unfinished, error) {
	return c.data.Load().Unfinished(), nil
}

func (v *stuckView) fill(all []Unfinished) {
	conversations, counts := map[string]bool{}, map[string]int{}
	for _, command := range all {
		conversations[command.Conversation] = true
		counts[command.Doing]++
	}
	for what, n := range counts {
		v.Doing = append(v.Doing, doing{what, n})
	}
	slices.SortFunc(v.Doing, func(a, b doing) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.What, b.What)) })
	v.All, v.Conversations, v.Commands = len(all), len(conversations), all[:min(len(all), maxStuck)]
}
