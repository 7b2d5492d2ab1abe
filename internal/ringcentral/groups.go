package ringcentral

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Labels of the budgets that the platform does not name. No name of a group can hold a colon.
const (
	groupRoute = "route:unnamed" // the routes whose group is not known
	groupSMS   = "own:sms"       // SMS_RATE
	groupAuth  = "own:auth"      // the token endpoint, paced by the session
)

const (
	// maxGroups bounds what answers can make us remember. The platform has four groups.
	maxGroups = 32
	// groupBurst is the part of a group's window, one in so many, that is kept for sudden replies: of 50 calls a minute ten at once, then
	// one every 1.5 s.
	groupBurst = 5
	// groupPatience is how long a call waits for the answer of the one before it in its group. Answers take a tenth of a second; one that
	// hangs holds the others up by this much, and not more.
	groupPatience = time.Second
	// routePatience is the same for a route of which nothing is known: few at a time.
	routePatience = 5 * time.Second
)

// groups are the budgets of the platform. Which calls it counts together is not in a table but learned from its answers:
//
//	unknown ──answer names a group──▶ in that group (an answer that names another moves it)
//	   └────answer names none───────▶ unnamed, few at a time
//
// A call of a route of which nothing is known yet may belong to any group, so it waits for those that are under a penalty or used up.
// Safe for concurrent use.
type groups struct {
	api string
	m   *metrics
	// extra are budgets of our own that routes pass besides.
	extra map[string]*limiter

	mu     sync.Mutex
	share  float64
	named  map[string]*limiter
	routes map[string]*route
}

// route is what is known of calls that are counted alike.
type route struct {
	own      *limiter // penalties that name no group, and how many at a time while the group is not known
	group    *limiter // nil until it is named
	answered bool
}

func newGroups(api string, m *metrics, extra map[string]*limiter) *groups {
	g := &groups{api: api, m: m, extra: extra, share: 1, named: map[string]*limiter{}, routes: map[string]*route{}}
	m.prefillGroup(api, groupRoute)
	for _, l := range extra {
		m.prefillGroup(api, l.label)
	}
	g.setShare(1)
	return g
}

// of implements limits.
func (g *groups) of(name string) []*limiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.route(name)
	budgets := []*limiter{r.own}
	if own := g.extra[name]; own != nil {
		budgets = append(budgets, own)
	}
	switch {
	case r.group != nil:
		budgets = append(budgets, r.group)
	case !r.answered:
		for _, group := range g.named {
			if group.closed() {
				budgets = append(budgets, group)
			}
		}
	}
	return budgets
}

// route returns what is known of a route. The caller holds mu.
func (g *groups) route(name string) *route {
	r := g.routes[name]
	if r == nil {
		r = &route{own: newLimiter(groupRoute, plan{patience: routePatience})}
		g.routes[name] = r
	}
	return r
}

// learn implements limits.
func (g *groups) learn(name string, h http.Header) {
	told, ok := rateOf(h)
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.route(name)
	r.answered = true
	if !ok {
		return
	}
	group := g.group(told.group)
	if group == nil {
		return
	}
	if told.limit > 0 {
		group.supplied(told.limit, told.window, told.remaining)
		g.show(group, float64(told.limit)*g.share)
	}
	if r.group != group {
		r.group = group
		r.own.setPatience(0) // whoever waits there goes on to the group, where the most urgent is first again
	}
}

// group returns the budget of a name, new if it must be; nil when there are too many. The caller holds mu.
func (g *groups) group(name string) *limiter {
	l := g.named[name]
	if l == nil && len(g.named) < maxGroups {
		l = newLimiter(name, plan{window: minute, burst: groupBurst, reserved: true, patience: groupPatience})
		l.setShare(g.share)
		g.named[name] = l
		g.m.prefillGroup(g.api, name)
	}
	return l
}

// offended implements limits: a penalty is of the group that the headers name, else of the route.
func (g *groups) offended(name string, h http.Header) *limiter {
	told, ok := rateOf(h)
	g.mu.Lock()
	defer g.mu.Unlock()
	if ok {
		if group := g.group(told.group); group != nil {
			return group
		}
	}
	return g.route(name).own
}

// setShare makes fraction of every budget ours.
func (g *groups) setShare(fraction float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !(fraction > 0) { // also what is not a number
		fraction = 0
	}
	g.share = min(fraction, 1)
	for _, l := range g.all() {
		g.show(l, l.setShare(fraction))
	}
}

// holdUntil returns when the last penalty window of any budget ends or ended.
func (g *groups) holdUntil() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	var last time.Time
	for _, l := range g.all() {
		last = later(last, l.holdUntil())
	}
	for _, r := range g.routes {
		last = later(last, r.own.holdUntil())
	}
	return last
}

// all lists the budgets that have a rate. The caller holds mu.
func (g *groups) all() []*limiter {
	var all []*limiter
	for _, l := range g.named {
		all = append(all, l)
	}
	for _, l := range g.extra {
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	return all
}

func (g *groups) show(l *limiter, budget float64) {
	g.m.budget.WithLabelValues(g.api, l.label).Set(budget)
}
