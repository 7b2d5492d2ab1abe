package ringcentral

import (
	"slices"
	"strings"
	"time"
)

// MaxWindow is the longest that a penalty window is believed to last: what was told of one longer ago has no meaning any more.
const MaxWindow = maxRetryAfter

// clockMargin is added to a window that another process tells of: its clock may be this much behind ours, and a call that comes too early
// begins the window anew, for everybody.
const clockMargin = time.Second

// Window is a penalty window that an answer has opened. The API counts by account, and every call within a window begins it anew: whoever
// else calls with the same credentials has to keep it too, see [Deps].Penalized and the Hold of each API.
type Window struct {
	API    string    `json:"api"`
	Budget string    `json:"budget"` // the rate group, or what the client calls a budget that the API does not name
	Route  string    `json:"route"`  // what was refused; tells apart the budgets that have no name
	Until  time.Time `json:"until"`  // by the clock of whoever was told
}

// Key names what the window closes: of two windows with one key the later one holds.
func (w Window) Key() string {
	if w.Budget == groupRoute {
		return w.API + "/" + w.Budget + "/" + w.Route
	}
	return w.API + "/" + w.Budget
}

// Hold lets no call through before the end of a window that another process was told of, and a margin for the difference of clocks. A
// window of another API, or one that is over, changes nothing.
func (e *Engage) Hold(w Window) {
	if w.API == e.c.api {
		e.c.hold(e.budget, w)
	}
}

// Hold does for the platform what it does for Engage, in the budget that the window is about.
func (p *Platform) Hold(w Window) {
	if w.API != p.c.api {
		return
	}
	if l := p.budgetOf(w); l != nil {
		p.c.hold(l, w)
	}
}

// budgetOf returns the budget of a window, nil where it names none that can exist.
func (p *Platform) budgetOf(w Window) *limiter {
	switch {
	case w.Budget == groupAuth:
		return p.session.source.budget
	case w.Budget == groupRoute && (w.Route == routeSMS || slices.Contains(platformOps(), w.Route)):
		p.groups.mu.Lock()
		defer p.groups.mu.Unlock()
		return p.groups.route(w.Route).own
	case w.Budget == "" || len(w.Budget) > maxGroupName || strings.ContainsFunc(w.Budget, notInGroupName):
		return nil
	}
	p.groups.mu.Lock()
	defer p.groups.mu.Unlock()
	return p.groups.group(w.Budget)
}

// hold keeps a window that another process was told of.
func (c *client) hold(l *limiter, w Window) {
	left := time.Until(w.Until) + clockMargin
	if left <= clockMargin || l.label != w.Budget {
		return
	}
	l.penalize(time.Now().Add(min(left, MaxWindow)))
	c.shut(l)
	c.log.Info("rate limited, as another process was told", "api", c.api, "group", l.label, "until", l.holdUntil().UTC())
}

// penalize opens a penalty window of d in the budget that a 429 is about, and tells of it.
func (c *client) penalize(k call, l *limiter, d time.Duration) {
	l.penalize(time.Now().Add(d))
	until := c.shut(l)
	if c.penalized != nil && !k.elsewhere && d > 0 {
		c.penalized(Window{API: c.api, Budget: l.label, Route: k.route, Until: until.UTC()})
	}
	c.log.Warn("rate limited", "api", c.api, "group", l.label, "retry_after", d, "until", until.UTC())
}

// shut shows in the metrics until when a budget is held, and returns it.
func (c *client) shut(l *limiter) time.Time {
	until := l.holdUntil()
	c.m.hold.WithLabelValues(c.api, l.label).Set(float64(until.UnixMilli()) / 1000)
	return until
}
